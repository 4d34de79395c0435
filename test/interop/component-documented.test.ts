// time limit: 180 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import { TestCa } from '../lib/ca'
import { connected } from '../lib/component'
import { testConfig } from '../lib/config'
import { TestDns } from '../lib/dns'
import { Ejabberd, ejabberdMissing, Prosody, prosodyMissing } from '../lib/peers'
import { TestServer } from '../lib/server'
import { join, type Reachable } from '../lib/wire'

const DOMAIN = 'example.org'
const SECRET = 'the secret'
const PAGE = fs.readFileSync(path.resolve(__dirname, '../../docs/operating.md'), 'utf8')

/** What the chapter of docs/operating.md says, for one side or the other. */
function snippet(name: string): string {
  const [, found] = new RegExp(`<!-- tested: ${name} -->\n\`\`\`\\w+\n([^]*?)\`\`\``).exec(PAGE) ?? []
  assert.ok(found, `there is no snippet for ${name}`)
  return found
}

type Tree = Record<string, Record<string, unknown>>

/** The config of the chapter, at the address of that server. */
function component(t: TestContext, server: string, port: number): Promise<TestServer> {
  const config = parse(
    snippet('balcony').replace('${BALCONY_COMPONENT_SECRET}', SECRET).replace('127.0.0.1', server)
  ) as Tree
  const hosts = config.hosts as Record<string, { modules: { upstream: { port: number } } }>
  assert.equal(hosts['channels.example.org']?.modules.upstream.port, 5347)
  hosts['channels.example.org'].modules.upstream.port = port
  return started(t, { ...config, data: './data' })
}

async function started(t: TestContext, config: Record<string, unknown>): Promise<TestServer> {
  const server = new TestServer()
  t.after(async () => {
    await server.stop()
    fs.rmSync(server.folder, { recursive: true, force: true })
  })
  server.writeConfig(config)
  await server.start()
  return server
}

/** People of that server find the channels and their topics. */
async function works(t: TestContext, home: Reachable, balcony: TestServer): Promise<void> {
  await connected(balcony, 2)
  const juliet = await join(home, 'juliet', { jid: `juliet@${DOMAIN}/balcony`, mechanism: 'PLAIN' })
  t.after(() => juliet.destroy())
  for (const [to, what] of [
    ['channels.example.org', 'info'],
    ['topics.example.org', 'items']
  ]) {
    const query = `<query xmlns='http://jabber.org/protocol/disco#${what}'/>`
    const answer = await juliet.request(`<iq type='get' to='${to}'>${query}</iq>`)
    assert.equal(answer.attrs.type, 'result', String(answer))
  }
  const made = await juliet.request(
    `<iq type='set' to='channels.example.org'><query xmlns='jabber:iq:register'/></iq>`
  )
  assert.equal(made.attrs.type, 'result', String(made))
  assert.deepEqual(balcony.errors(), [])
}

test('the config for Prosody in docs/operating.md', { skip: prosodyMissing }, async t => {
  const text = snippet('prosody')
  const components = text.slice(text.indexOf('Component "'))
  const peer = await Prosody.start(t, {
    domain: DOMAIN,
    dns: await TestDns.start(t),
    ca: await TestCa.make(),
    edit: config => {
      // The global part is the same, but for the address
      for (const line of text.slice(0, text.indexOf('Component "')).trim().split('\n'))
        assert.ok(config.includes(line.replace('127.0.0.1', address(config))), line)
      return config + components
    }
  })
  await works(t, peer, await component(t, peer.host, 5347))
})

function address(config: string): string {
  return /^interfaces = \{ "([\d.]+)" \}$/m.exec(config)?.[1] ?? ''
}

test('the config for ejabberd in docs/operating.md', { skip: ejabberdMissing }, async t => {
  const { listen: documented } = parse(snippet('ejabberd')) as { listen: Record<string, unknown>[] }
  const peer = await Ejabberd.start(t, {
    domain: DOMAIN,
    dns: await TestDns.start(t),
    ca: await TestCa.make(),
    edit: text => {
      const config = parse(text) as { listen: Record<string, unknown>[] }
      const ip = config.listen[0]?.ip
      return stringify({
        ...config,
        listen: [...config.listen, ...documented.map(entry => ({ ...entry, ip }))]
      })
    }
  })
  await works(t, peer, await component(t, peer.host, 5347))
})

test('the config for another Balcony in docs/operating.md', async t => {
  const { hosts } = parse(snippet('other')) as { hosts: Record<string, { modules: Tree }> }
  // At a free port in place of the one that is the default
  for (const { modules } of Object.values(hosts))
    if (modules.component) modules.component.listen = [{ address: '127.0.0.1', port: 0 }]
  const home = new TestServer({ hosts })
  t.after(async () => {
    await home.stop()
    fs.rmSync(home.folder, { recursive: true, force: true })
  })
  home.writeConfig(await testConfig({ hosts }, path.join(home.folder, 'data')))
  await home.start()
  const port = home.server.components.listeners.ports()[0]?.port ?? 0
  await works(t, home, await component(t, '127.0.0.1', port))
})

test('config/component.example.yaml is what the chapter says', () => {
  const file = path.resolve(__dirname, '../../config/component.example.yaml')
  assert.deepEqual(parse(fs.readFileSync(file, 'utf8')), parse(snippet('balcony')))
})
