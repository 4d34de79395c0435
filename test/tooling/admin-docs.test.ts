import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { IM_HOST } from '../lib/config'
import { startTestServer } from '../lib/server'

/** docs/operating.md, "Administering from your client": its tables are the commands that there are (XEP-0050 §5). */

const FILE = path.resolve(__dirname, '../../docs/operating.md')
const CHAPTER =
  (/## Administering from your client\n(.*?)\n## /s.exec(fs.readFileSync(FILE, 'utf8')) ?? [])[1] ?? ''
const NAMESPACES: Readonly<Record<string, string>> = {
  admin: 'http://jabber.org/protocol/admin',
  balcony: 'urn:balcony:admin',
  pubsub: 'http://jabber.org/protocol/pubsub'
}
const FOR: Readonly<Record<string, string>> = {
  operator: 'operators',
  admin: 'administrators',
  any: 'anybody'
}

/** Rows as `name | node | for whom | where`, sorted. */
function documented(): string[] {
  const rows = [...CHAPTER.matchAll(/^\| ([^|`]+) \| `(\w+)#([\w-]+)` \| (\w+) \| (\w+) \|$/gm)]
  return rows.map(([, name, short = '', node, who, where]) => {
    const ns = NAMESPACES[short]
    assert.ok(ns, `the chapter does not say what ${short}# is`)
    return `${name} | ${ns}#${node} | ${who} | ${where}`
  })
}

test('the commands of a full server are those of the chapter', async t => {
  const administration = {
    adhoc_admin: {},
    audit: {},
    entity_lists: {},
    s2s_policy: {},
    server_buddy: {}
  }
  const server = await startTestServer(t, {
    hosts: {
      localhost: {
        modules: { ...(IM_HOST.modules as object), register: {}, announce: {}, ...administration }
      },
      'channels.localhost': {
        type: 'component',
        modules: { channels: {}, recent_items: {}, ratings: {}, ...administration }
      },
      'pubsub.localhost': { type: 'component', modules: { pubsub: {}, ...administration } }
    },
    modules: { s2s: { listen: [], directTls: [] } }
  })
  // A module with commands that is in none of these would escape
  const folder = path.resolve(__dirname, '../../modules')
  for (const name of fs.readdirSync(folder)) {
    const files = fs.readdirSync(path.join(folder, name), { recursive: true, encoding: 'utf8' })
    const offers = (file: string): boolean =>
      file.endsWith('.ts') && /\.adhoc\(/.test(fs.readFileSync(path.join(folder, name, file), 'utf8'))
    if (!name.startsWith('mod_') || !files.some(offers)) continue
    const running = server.server.api.modules.list().filter(({ state }) => state === 'running')
    assert.ok(
      running.some(module => `mod_${module.name}` === name),
      `${name} has commands and does not run in this test`
    )
  }
  const found = new Map<string, { name: string; access: string; types: Set<string> }>()
  for (const host of server.server.api.hosts()) {
    for (const { node, name, access } of host.items.list('adhoc-command')) {
      const command = found.get(node) ?? { name, access, types: new Set() }
      command.types.add(host.type)
      found.set(node, command)
    }
  }
  const there = [...found].map(([node, { name, access, types }]) => {
    const where = types.size === 2 ? 'everywhere' : types.has('virtual') ? 'hosts' : 'components'
    return `${name} | ${node} | ${FOR[access]} | ${where}`
  })
  assert.deepEqual(documented().sort(), there.sort())
})

test('what the chapter shows is there', () => {
  const images = [...CHAPTER.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, file = '']) => file)
  assert.notEqual(images.length, 0)
  for (const file of images) {
    const { size } = fs.statSync(path.join(path.dirname(FILE), file))
    assert.ok(size < 100_000, `${file} has ${size} bytes`)
  }
})
