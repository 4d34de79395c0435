import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { AdhocCommand } from '../../../core/modules/adhoc'
import { commandOf } from '../../../core/modules/acts'
import { IM_HOST } from '../../lib/config'
import { startTestServer } from '../../lib/server'

const MODULES = path.resolve(__dirname, '../../../modules')
const PAGE = path.join(MODULES, 'mod_adhoc', 'README.md')

/** Modules whose code offers commands. */
function offering(): string[] {
  const has = (file: string): boolean => /\.adhoc\(/.test(fs.readFileSync(file, 'utf8'))
  return fs
    .readdirSync(MODULES)
    .filter(folder => folder.startsWith('mod_'))
    .filter(folder =>
      fs
        .readdirSync(path.join(MODULES, folder), { recursive: true, encoding: 'utf8' })
        .some(file => file.endsWith('.ts') && has(path.join(MODULES, folder, file)))
    )
    .map(folder => folder.slice('mod_'.length))
}

// XEP-0050 §5
test('the page of mod_adhoc says which command needs which role, as the commands do', async t => {
  const modules = Object.fromEntries(offering().map(name => [name, {}]))
  const server = await startTestServer(t, {
    hosts: {
      localhost: IM_HOST,
      'channels.localhost': { type: 'component' }
    },
    modules
  })
  const rows = new Map<string, { command: AdhocCommand; at: string[]; module: string }>()
  for (const host of server.server.domains.list()) {
    const at = host.type === 'virtual' ? 'hosts with accounts' : 'components'
    host.items.watch('adhoc-command', {
      added(command, module) {
        const known = rows.get(command.node)
        rows.set(command.node, { command, module, at: [...(known?.at ?? []), at] })
        if (known) assert.equal(known.command.access, command.access, command.node)
      }
    })
  }
  const table = [
    '| command | role | where | module |',
    '|---|---|---|---|',
    ...[...rows.values()]
      .map(
        ({ command: { node, access, serverWide, onAccount }, at, module }) =>
          `| \`${commandOf(node)}\` | ${access} | ${serverWide ? 'the whole server' : at.join(', ')}${onAccount ? '' : ', not at the own account'} | ${module} |`
      )
      .sort()
  ].join('\n')
  const [, found = ''] = /<!-- roles -->\n([^]*)<!-- \/roles -->/.exec(fs.readFileSync(PAGE, 'utf8')) ?? []
  assert.equal(found.trim(), table, `the table in modules/mod_adhoc/README.md should be:\n${table}\n`)
})
