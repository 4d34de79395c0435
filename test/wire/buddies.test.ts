import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { childOf } from '../../core/xml/element'
import { IM_HOST, type Options } from '../lib/config'
import { federation, freePort, type FederatedServer } from '../lib/federation'
import { join, type Player } from '../lib/wire'
import { agrees, NODES, rosterOf, runs } from '../modules/mod_server_buddy/hosts'

/** XEP-0267 between two servers, over streams that are authenticated by dialback. */

interface Side {
  name: string
  server: FederatedServer
  admin: Player
}

async function twoServers(t: TestContext, buddy: Options = {}, port = 0): Promise<[Side, Side]> {
  const names = ['montague.example', 'capulet.example'] as const
  const modules = { ...(IM_HOST.modules as object), server_buddy: buddy }
  const parts = Object.fromEntries(
    names.map((name, i) => {
      // Where the first one listens after a restart too
      const s2s = i === 0 ? { listen: [{ address: '127.0.0.1', port }] } : {}
      return [name, { hosts: { [name]: { admins: [`admin@${name}`], modules } }, s2s }]
    })
  )
  const servers = await federation(t, parts)
  const side = async (name: string): Promise<Side> => {
    const server = servers[name] as FederatedServer
    const admin = await join(server, `admin@${name}`, { jid: `admin@${name}/r`, presence: true })
    t.after(() => admin.destroy())
    return { name, server, admin }
  }
  return [await side(names[0]), await side(names[1])]
}

function ask({ admin, name }: Side, peerjid: string): Promise<string> {
  return runs(admin, name, NODES.request, { peerjid }).then(String)
}

/** Presence takes its time: asks until the list shows it. */
async function sees({ admin, name }: Side, peer: string, presence: 'online' | 'away'): Promise<void> {
  const until = Date.now() + 15_000
  for (;;) {
    const list = String(await runs(admin, name, NODES.list))
    const rows = [...list.matchAll(/<item>.*?<\/item>/gs)].map(([row]) => row)
    if (rows.some(row => row.includes(`<value>${peer}<`) && row.includes(`<value>${presence} since`))) return
    assert.ok(Date.now() < until, list)
  }
}

async function prompted({ admin, name }: Side, peer: string): Promise<string> {
  const message = await admin.finds(
    `<message from='${name}' type='normal'><x xmlns='jabber:x:data' type='form'>
      <field var='peerjid'><value>${peer}</value></field></x></message>`
  )
  const form = String(childOf(message, 'x'))
  return /<field var="received"[^>]*>.*?<value>(\d+)/.exec(form)?.[1] ?? ''
}

test('XEP-0267 §1, examples 1 to 4: asked by command, approved by the form in a message, both know of each other', async t => {
  const [montague, capulet] = await twoServers(t, {}, await freePort())
  const answer = await ask(montague, capulet.name)
  assert.match(answer, /<field var="x-result"[^>]*><value>sent</)
  const received = await prompted(capulet, montague.name)
  await capulet.admin.sends(
    `<message to='${capulet.name}'><x xmlns='jabber:x:data' type='submit'>
      <field var='FORM_TYPE'><value>urn:balcony:admin#server-buddy-request</value></field>
      <field var='peerjid'><value>${montague.name}</value></field><field var='received'><value>${received}</value></field>
      <field var='decision'><value>approve</value></field></x></message>`
  )
  await capulet.admin.finds(
    `<message from='${capulet.name}' type='normal'><body>${montague.name} was approved.</body></message>`
  )
  await agrees(montague.admin, montague.name, { [capulet.name]: 'both' })
  await agrees(capulet.admin, capulet.name, { [montague.name]: 'both' })
  await sees(montague, capulet.name, 'online')
  await sees(capulet, montague.name, 'online')

  // It goes, and comes again: presence at both ends of its life, and a probe at the start
  await montague.server.stop()
  await sees(capulet, montague.name, 'away')
  await montague.server.start()
  const admin = await join(montague.server, `admin@${montague.name}`, {
    jid: `admin@${montague.name}/again`,
    presence: true
  })
  t.after(() => admin.destroy())
  await sees({ ...montague, admin }, capulet.name, 'online')
  await runs(admin, montague.name, NODES.remove, { peers: [capulet.name], direction: 'from' })
  await agrees(admin, montague.name, { [capulet.name]: 'to' })
  await agrees(capulet.admin, capulet.name, { [montague.name]: 'from' })
  await runs(capulet.admin, capulet.name, NODES.remove, { peers: [montague.name] })
  await agrees(admin, montague.name, {})
  for (const { server } of [montague, capulet]) assert.deepEqual(server.errors(), [])
})

test('requests that cross each other make buddies, and nobody is prompted', async t => {
  const [montague, capulet] = await twoServers(t)
  await Promise.all([ask(montague, capulet.name), ask(capulet, montague.name)])
  await agrees(montague.admin, montague.name, { [capulet.name]: 'both' })
  await agrees(capulet.admin, capulet.name, { [montague.name]: 'both' })
  for (const { admin } of [montague, capulet]) {
    await admin.fence()
    assert.doesNotMatch(admin.unread.join(''), /asks to be a buddy/)
  }
})

test('a refusal is told, and stays to be seen; the command asks again', async t => {
  const [montague, capulet] = await twoServers(t, { autoApprove: 'never' })
  assert.match(await ask(montague, capulet.name), /<note type="(?:warn|info)">/)
  await agrees(montague.admin, montague.name, { [capulet.name]: 'none' })
  assert.match(String(await runs(montague.admin, montague.name, NODES.list)), /refused by the peer/)
  await runs(capulet.admin, capulet.name, NODES.policy, { policy: 'always' })
  await ask(montague, capulet.name)
  await agrees(montague.admin, montague.name, { [capulet.name]: 'both' })
})

test('a server that is away: told within ten seconds, while other stanzas pass; it stays, and is not sent again', async t => {
  const [montague, capulet] = await twoServers(t)
  const { admin, name } = montague
  // One that takes the connection and says nothing, one that is not there
  await montague.server.configure({
    peers: {
      'gone.example': { route: `127.0.0.1:${await freePort()}` },
      'silent.example': { route: `127.0.0.1:${await silent(t)}` }
    }
  })
  const gone = await ask(montague, 'gone.example')
  assert.match(
    gone,
    /<note type="warn">The request has not left yet: there is no connection with gone.example so far \(.*ECONNREFUSED/
  )
  assert.match(gone, /<field var="x-result"[^>]*><value>waiting</)
  const started = Date.now()
  const waiting = ask(montague, 'silent.example')
  const quick = await Promise.race([
    waiting.then(() => 'the answer'),
    admin
      .sends(`<message to='${admin.jid}' id='meanwhile' type='chat'><body>meanwhile</body></message>`)
      .then(() => admin.finds(`<message id='meanwhile'/>`))
      .then(() => 'other stanzas')
  ])
  assert.equal(quick, 'other stanzas')
  assert.match(await waiting, /<field var="x-result"[^>]*><value>waiting</)
  assert.ok(Date.now() - started < 10_000)
  assert.deepEqual(await rosterOf(admin, name), { 'gone.example': 'none out', 'silent.example': 'none out' })
  assert.deepEqual(await rosterOf(capulet.admin, capulet.name), {})
})

async function silent(t: TestContext): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer(socket => void socket.on('error', () => undefined).resume())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  server.unref()
  return (server.address() as { port: number }).port
}
