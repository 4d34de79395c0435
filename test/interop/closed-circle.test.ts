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

/** docs/operating.md, "Closed federation among buddies", step by step as it is written there. */

const DOCS = path.resolve(__dirname, '../../docs/operating.md')
const CHAPTER =
  (/## Closed federation among buddies\n(.*?)\n## /s.exec(fs.readFileSync(DOCS, 'utf8')) ?? [])[1] ?? ''
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
function configOf(
  name: string,
  { tcp, s2s }: Record<'tcp' | 's2s', number>,
  route: [string, number]
): object {
  const at = (text: string, port: number): string =>
    text.replace(/address: '::', port: \d+/, `address: 127.0.0.1, port: ${port}`)
  const [head = '', tail = ''] = CONFIG.replaceAll('montague.example', name).split('\n  s2s:')
  const file = parse(`${at(head, tcp)}\n  s2s:${at(tail, s2s)}`) as File
  const { modules } = parse(
    ROUTES.replace('capulet.example', route[0]).replace(/'[\d.:]+'/, `'127.0.0.1:${route[1]}'`)
  ) as File
  // Two servers on one machine: no port for direct TLS is shared
  const off = { directTls: [] }
  return {
    ...file,
    data: 'data',
    modules: {
      ...file.modules,
      c2s: { ...off, ...file.modules.c2s },
      s2s: { ...off, ...file.modules.s2s, ...modules.s2s }
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

async function begin(t: TestContext, names: readonly [string, string]): Promise<Server[]> {
  const ports = await Promise.all(names.map(async () => ({ tcp: await freePort(), s2s: await freePort() })))
  const servers: Server[] = []
  for (const [i, name] of names.entries()) {
    const own = ports[i] as Record<'tcp' | 's2s', number>
    const process = new SpawnedServer()
    t.after(async () => {
      await process.stop()
      fs.rmSync(process.folder, { recursive: true, force: true })
    })
    const route: [string, number] = [names[1 - i] as string, ports[1 - i]?.s2s ?? 0]
    fs.writeFileSync(process.configFile, stringify(configOf(name, own, route)))
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

test('from two fresh servers to a closed circle, as the chapter says', async t => {
  const servers = await begin(t, ['montague.example', 'capulet.example'])
  const [montague, capulet] = servers as [Server, Server]
  assert.equal(await reaches(montague, capulet), false)
  assert.equal(await reaches(capulet, montague), false)

  assert.match(
    await command(montague, 'Subscribe to a Peer Server', { peerjid: 'capulet.example' }),
    /status="completed"/
  )
  await capulet.admin.finds(`<message from='capulet.example' type='normal'><body/></message>`)
  await agrees(montague.admin, 'montague.example', { 'capulet.example': 'none out' })
  assert.match(await command(montague, 'List server buddies'), /capulet\.example/)

  const pending = await command(capulet, 'Pending buddy requests')
  assert.match(pending, /<option label="Approve"><value>approve<\/value>/)
  await command(capulet, 'Pending buddy requests', { peers: ['montague.example'], decision: 'approve' })
  await agrees(montague.admin, 'montague.example', { 'capulet.example': 'both' })
  await agrees(capulet.admin, 'capulet.example', { 'montague.example': 'both' })
  await comesToReach(montague, capulet)
  await comesToReach(capulet, montague)

  // Step 5, in the file of one and by the command of the other
  const file = parse(fs.readFileSync(montague.process.configFile, 'utf8')) as File
  Object.assign(file.modules, (parse(SHUT) as File).modules)
  fs.writeFileSync(montague.process.configFile, stringify(file))
  assert.match(await types(montague.process, 'config reload'), /s2s_policy/)
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

  await command(capulet, 'Remove server buddies', { peers: ['montague.example'] })
  assert.equal(await reaches(capulet, montague), false)
  await agrees(montague.admin, 'montague.example', {})
  assert.equal(await reaches(montague, capulet), false)
})
