// time limit: 300 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import { childOf, childrenOf } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { SpawnedServer } from '../lib/spawn'
import { join } from '../lib/wire'
import type { Player } from '../lib/wire'
import { agrees, runs } from '../modules/mod_server_buddy/hosts'

/** docs/operating.md, "Who do we trust", step by step as it is written there. */

const DOCS = path.resolve(__dirname, '../../docs/operating.md')
const CHAPTER = (/## Who do we trust\n(.*?)\n## /s.exec(fs.readFileSync(DOCS, 'utf8')) ?? [])[1] ?? ''
const BLOCKS = [...CHAPTER.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, kind, text = '']) => ({
  kind,
  text
}))
const [ROUTES = '', CONFIG = '', SHUT = ''] = BLOCKS.filter(({ kind }) => kind === 'yaml').map(
  ({ text }) => text
)
const SHELL = BLOCKS.filter(({ kind }) => kind === '').flatMap(({ text }) => text.trim().split('\n'))

interface Server {
  name: string
  process: SpawnedServer
  s2s: number
  admin: Player
  user: Player
}

type Ports = Record<'tcp' | 's2s', number>

interface File {
  modules: Record<string, object>
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** The file of step 2 under another name, on ports that are free, and with the routes of step 1. */
function configOf(name: string, ports: Ports, others: Record<string, Ports>): object {
  const at = (text: string, port: number): string =>
    text.replace(/address: '::', port: \d+/, `address: 127.0.0.1, port: ${port}`)
  const [head = '', tail = ''] = CONFIG.replaceAll('montague.example', name).split('\n  s2s:')
  const file = parse(`${at(head, ports.tcp)}\n  s2s:${at(tail, ports.s2s)}`) as File
  const { s2s } = (parse(ROUTES) as File).modules as { s2s: { routes: object } }
  assert.deepEqual(Object.keys(s2s.routes), ['capulet.example', 'escalus.example'])
  const routes = Object.fromEntries(
    Object.entries(others).map(([other, { s2s: port }]) => [other, `127.0.0.1:${port}`])
  )
  // Several servers on one machine: no port for direct TLS is shared
  const off = { directTls: [] }
  return {
    ...file,
    data: 'data',
    modules: {
      ...file.modules,
      c2s: { ...off, ...file.modules.c2s },
      s2s: { ...off, ...file.modules.s2s, ...s2s, routes }
    }
  }
}

/** Runs what the chapter says to type. */
async function types(process: SpawnedServer, command: string): Promise<string> {
  assert.ok(SHELL.includes(`npx balcony ${command}`), `the chapter does not say: npx balcony ${command}`)
  const { code, stdout, stderr } = await process.run(command.split(' '))
  assert.deepEqual([code, stderr], [0, ''], command)
  return stdout
}

/** The node of a command of which the chapter gives the name. */
async function named({ admin }: Server, host: string, name: string): Promise<string> {
  assert.ok(CHAPTER.replace(/\s+/g, ' ').includes(`"${name}"`), `the chapter does not name "${name}"`)
  const COMMANDS = 'http://jabber.org/protocol/commands'
  const answer = await admin.request(
    `<iq type='get' to='${host}'><query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/></iq>`
  )
  const found = childrenOf(childOf(answer, 'query') as Element, 'item').find(
    ({ attrs }) => attrs.name === name
  )
  assert.ok(found, `there is no command "${name}"`)
  return String(found.attrs.node)
}

async function command(
  server: Server,
  name: string,
  said?: Record<string, string | string[]>
): Promise<string> {
  const answer = await runs(server.admin, server.name, await named(server, server.name, name), said)
  return String(answer)
}

/** The first start tells it, a moment after the server listens. */
async function firstPassword(process: SpawnedServer, name: string): Promise<string> {
  const told = new RegExp(`operator account was made: admin@${name}\\s+\\S*password\\S*\\s+(\\S+)`, 'i')
  const until = Date.now() + 15_000
  for (;;) {
    const password = told.exec(process.output)?.[1]
    if (password !== undefined) return password
    assert.ok(Date.now() < until, process.output)
    await new Promise(setImmediate)
  }
}

async function begin(t: TestContext, names: readonly string[]): Promise<Server[]> {
  const ports: Record<string, Ports> = {}
  for (const name of names) ports[name] = { tcp: await freePort(), s2s: await freePort() }
  const servers: Server[] = []
  for (const name of names) {
    const { [name]: own, ...others } = ports
    assert.ok(own)
    const process = new SpawnedServer()
    t.after(async () => {
      await process.stop()
      fs.rmSync(process.folder, { recursive: true, force: true })
    })
    fs.writeFileSync(process.configFile, stringify(configOf(name, own, others)))
    process.ports.tcp = own.tcp
    assert.match(await types(process, 'config check'), /is in order/)
    await process.start()
    const password = await firstPassword(process, name)
    // The account is there already: only the name of it is asked for
    const admin = await join({ ports: process.ports, addUser: async () => undefined }, `admin@${name}`, {
      jid: `admin@${name}/r`,
      password,
      presence: true
    })
    const user = await join(process, `user@${name}`, { jid: `user@${name}/r`, presence: true })
    t.after(() => [admin, user].forEach(player => player.destroy()))
    servers.push({ name, process, s2s: own.s2s, admin, user })
  }
  return servers
}

let count = 0

async function reaches(from: Server, to: Server): Promise<boolean> {
  const id = `m${++count}`
  await from.user.sends(`<message to='${to.user.jid}' id='${id}' type='chat'><body>${id}</body></message>`)
  const until = Date.now() + 15_000
  for (;;) {
    for (const [player, came] of [
      [from.user, false],
      [to.user, true]
    ] as const) {
      const at = player.unread.findIndex(one => one.attrs.id === id)
      if (at < 0) continue
      const [stanza] = player.unread.splice(at, 1)
      if (!came) assert.match(String(stanza), /<(?:not-allowed|policy-violation)/)
      return came
    }
    assert.ok(Date.now() < until, `${id}: neither arrived nor came back`)
    await new Promise(setImmediate)
  }
}

/** The roster shows what is written; it holds when that is on the disk, a moment later. */
async function comesToReach(from: Server, to: Server): Promise<void> {
  const until = Date.now() + 15_000
  while (!(await reaches(from, to))) assert.ok(Date.now() < until, `${from.name} does not reach ${to.name}`)
}

/** Step 4, with the form in the message. */
async function approves({ admin, name }: Server, peer: string): Promise<void> {
  const message = await admin.finds(
    `<message from='${name}' type='normal'><body/><x xmlns='jabber:x:data' type='form'>
      <field var='peerjid'><value>${peer}</value></field></x></message>`
  )
  const hidden = childrenOf(childOf(message, 'x') as Element, 'field').filter(
    ({ attrs }) => attrs.type === 'hidden'
  )
  await admin.sends(
    `<message to='${name}'><x xmlns='jabber:x:data' type='submit'>${hidden.map(String).join('')}
      <field var='decision'><value>approve</value></field></x></message>`
  )
  await admin.finds(`<message from='${name}' type='normal'><body>${peer} was approved.</body></message>`)
}

/** Step 5, in the file. */
async function shuts({ process }: Server): Promise<void> {
  const file = parse(fs.readFileSync(process.configFile, 'utf8')) as File
  Object.assign(file.modules, (parse(SHUT) as File).modules)
  fs.writeFileSync(process.configFile, stringify(file))
  assert.match(await types(process, 'config reload'), /s2s_policy/)
}

async function reachEachOther(...servers: Server[]): Promise<void> {
  for (const from of servers) for (const to of servers) if (from !== to) await comesToReach(from, to)
}

test('from two fresh servers to a closed circle of three, as the chapter says', async t => {
  const servers = await begin(t, ['montague.example', 'capulet.example', 'escalus.example'])
  const [montague, capulet, escalus] = servers as [Server, Server, Server]
  assert.equal(await reaches(montague, capulet), false)
  assert.equal(await reaches(capulet, montague), false)

  const asked = await command(montague, 'Subscribe to a Peer Server', { peerjid: 'capulet.example' })
  assert.match(asked, /status="completed".*<value>sent</)
  await agrees(montague.admin, 'montague.example', { 'capulet.example': 'none out' })
  assert.match(await command(montague, 'List server buddies'), /capulet\.example/)
  await approves(capulet, 'montague.example')
  await agrees(montague.admin, 'montague.example', { 'capulet.example': 'both' })
  await agrees(capulet.admin, 'capulet.example', { 'montague.example': 'both' })
  await reachEachOther(montague, capulet)

  // Step 5, in the file of one and by the command of the other
  await shuts(montague)
  const policy = await command(capulet, 'Federation policy')
  assert.match(policy, /label="Other servers may ask to be buddies"/)
  await command(capulet, 'Federation policy', { policy: 'buddies', requests: '0' })
  assert.match(
    await types(capulet.process, 'config check'),
    /capulet\.example: s2s_policy: buddies.*admin@capulet\.example/
  )
  assert.equal(await reaches(montague, capulet), true)
  assert.equal(await reaches(capulet, montague), true)
  assert.match(await command(montague, 'List streams with other servers'), /<value>TLS, dialback<\/value>/)

  // Step 6: those inside ask, and one of them after the other is approved in one go
  assert.equal(await reaches(escalus, montague), false)
  for (const server of [montague, capulet])
    await command(server, 'Subscribe to a Peer Server', { peerjid: 'escalus.example' })
  const both = ['capulet.example', 'montague.example']
  await agrees(escalus.admin, 'escalus.example', Object.fromEntries(both.map(peer => [peer, 'none in'])))
  assert.match(
    await command(escalus, 'Pending buddy requests'),
    /<option label="Approve"><value>approve<\/value>/
  )
  await command(escalus, 'Pending buddy requests', { peers: both, decision: 'approve' })
  await agrees(escalus.admin, 'escalus.example', Object.fromEntries(both.map(peer => [peer, 'both'])))
  await shuts(escalus)
  await reachEachOther(montague, capulet, escalus)

  assert.match(
    await command(escalus, 'Policy for buddy requests', { policy: 'never' }),
    /The policy is: never/
  )
  assert.match(
    await types(escalus.process, 'config check'),
    /escalus\.example: server_buddy\.autoApprove: never \(admin@escalus\.example/
  )
  await command(escalus, 'Policy for buddy requests', { policy: 'file' })
  assert.doesNotMatch(await types(escalus.process, 'config check'), /autoApprove/)

  await command(capulet, 'Remove server buddies', { peers: ['montague.example'] })
  assert.equal(await reaches(capulet, montague), false)
  await agrees(montague.admin, 'montague.example', { 'escalus.example': 'both' })
  assert.equal(await reaches(montague, capulet), false)
  assert.equal(await reaches(montague, escalus), true)
})
