import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import type { Element } from '../../core/xml/element'
import { conditionOf } from '../lib/client'
import { TestComponent } from '../lib/component'
import { IM_HOST } from '../lib/config'
import { federation, freePort, Heard, startFederated, type FederatedServer } from '../lib/federation'
import { startTestServer } from '../lib/server'
import { join, scenario, type Player } from '../lib/wire'
import { run, statusOf } from '../modules/mod_adhoc_admin/helpers'
import { fieldOf, NODES, type List } from '../modules/mod_entity_lists/hosts'

/** Black and white lists while streams between two servers are open (dialback). */

interface Side {
  name: string
  server: FederatedServer
  user: Player
  admin: Player
}

async function twoServers(t: TestContext): Promise<Record<'a' | 'b', Side>> {
  const parts = Object.fromEntries(
    ['a.example', 'b.example'].map(name => {
      const modules = { ...(IM_HOST.modules as object), entity_lists: {} }
      return [name, { hosts: { [name]: { admins: [`admin@${name}`], modules } } }]
    })
  )
  const servers = await federation(t, parts)
  const side = async (name: string, user: string): Promise<Side> => {
    const server = servers[name] as FederatedServer
    const players = [
      await join(server, user, { jid: `${user}@${name}/r`, presence: true }),
      await join(server, `admin@${name}`, { jid: `admin@${name}/r` })
    ] as const
    t.after(() => players.forEach(player => player.destroy()))
    return { name, server, user: players[0], admin: players[1] }
  }
  return { a: await side('a.example', 'romeo'), b: await side('b.example', 'juliet') }
}

async function lists({ admin, name }: Side, list: List, ...jids: string[]): Promise<void> {
  const answer = await run(admin, NODES[list], { [fieldOf(list)]: jids }, name)
  assert.equal(statusOf(answer), 'completed', String(answer))
}

let count = 0

/** A message from one user to the other; the error that comes back, or '' where it arrives. */
async function says(from: Side, to: Side): Promise<string> {
  const id = `m${++count}`
  await from.user.sends(`<message to='${to.user.jid}' id='${id}' type='chat'><body>${id}</body></message>`)
  const back = from.user.finds(`<message id='${id}' type='error'/>`)
  const there = to.user.finds(`<message id='${id}' type='chat'/>`)
  const first = await Promise.race([back, there])
  // Whichever loses ends with the connection, at the end of the test
  for (const promise of [back, there]) promise.catch(() => undefined)
  return first.attrs.type === 'error' ? conditionOf(first) : ''
}

/** Asks the other host whether it is there; `result`, or the error. */
async function pings(from: Side, to: Side): Promise<string> {
  const answer = await from.user.request(`<iq type='get' to='${to.name}'><ping xmlns='urn:xmpp:ping'/></iq>`)
  return answer.attrs.type === 'result' ? 'result' : conditionOf(answer)
}

/** The streams of a server, by their keys. */
function streamsOf({ server }: Side): string[] {
  return server.server.api.federation.streams().map(({ key }) => String(key))
}

test('XEP-0133 §4.11, XEP-0016 §2.14: a domain, a user and a resource, at once on streams that are open', async t => {
  const { a, b } = await twoServers(t)
  assert.equal(await says(a, b), '')
  assert.equal(await says(b, a), '')
  const open = streamsOf(b)
  assert.notDeepEqual(open, [])
  for (const entry of ['A.example', 'romeo@a.example', 'romeo@a.example/r']) {
    await lists(b, 'blacklist', entry)
    assert.equal(await says(b, a), 'not-acceptable', entry)
    assert.equal(await says(a, b), 'service-unavailable', entry)
    assert.equal(await pings(a, b), 'service-unavailable', entry)
    if (entry === 'A.example') assert.equal(await pings(b, a), 'not-acceptable')
    await b.user.receivesNothing()
    await lists(b, 'blacklist')
    assert.equal(await says(a, b), '')
    assert.equal(await says(b, a), '')
    assert.equal(await pings(a, b), 'result')
  }
  await lists(b, 'blacklist-in', 'a.example')
  assert.equal(await says(a, b), 'service-unavailable')
  assert.equal(await says(b, a), '')
  await lists(b, 'blacklist-in')
  await lists(b, 'blacklist-out', 'a.example')
  assert.equal(await says(a, b), '')
  assert.equal(await says(b, a), 'not-acceptable')
  await lists(b, 'blacklist-out')
  // §4.12
  await lists(b, 'whitelist', 'c.example')
  assert.equal(await says(a, b), 'service-unavailable')
  await lists(b, 'whitelist', 'c.example', 'romeo@a.example')
  assert.equal(await says(a, b), '')
  for (const stream of open) assert.ok(streamsOf(b).includes(stream), 'the same streams, all the time')
  assert.deepEqual([a.server.errors(), b.server.errors()], [[], []])
})

test('XEP-0016 §2.10, §2.11: contacts on two servers go offline for each other, and come back', async t => {
  const { a, b } = await twoServers(t)
  const romeo = 'romeo@a.example'
  const juliet = 'juliet@b.example'
  await a.user.sends(`<presence to='${juliet}' type='subscribe'/>`)
  await b.user.finds(`<presence from='${romeo}' type='subscribe'/>`)
  await b.user.sends(`<presence to='${romeo}' type='subscribed'/>`)
  await a.user.finds(`<presence from='${juliet}/r' type='!'/>`)
  await b.user.sends(`<presence to='${romeo}' type='subscribe'/>`)
  await a.user.finds(`<presence from='${juliet}' type='subscribe'/>`)
  await a.user.sends(`<presence to='${juliet}' type='subscribed'/>`)
  await b.user.finds(`<presence from='${romeo}/r' type='!'/>`)

  await lists(b, 'blacklist', 'a.example')
  await a.user.finds(`<presence from='${juliet}/r' type='unavailable'/>`)
  await b.user.finds(`<presence from='${romeo}' type='unavailable'/>`)
  await lists(b, 'blacklist')
  await a.user.finds(`<presence from='${juliet}/r' type='!'/>`)
  await b.user.finds(`<presence from='${romeo}/r' type='!'/>`)
  assert.deepEqual([a.server.errors(), b.server.errors()], [[], []])
})

test('XEP-0133 §4.11: a service that is attached to another server (XEP-0114) has lists of its own', async t => {
  const SERVICE = 'channels.localhost'
  const secret = 'moves to the music'
  const component = { secret, listen: [{ address: '127.0.0.1', port: 0 }] }
  const people = await startTestServer(t, {
    hosts: { localhost: IM_HOST, [SERVICE]: { type: 'component', modules: { component } } }
  })
  const port = people.server.components.listeners.ports()[0]?.port
  const modules = { upstream: { port, secret }, entity_lists: {} }
  const service = await startTestServer(t, {
    hosts: { [SERVICE]: { type: 'component', admins: ['admin@localhost'], modules } },
    modules: { c2s: false, websocket: false },
    config: { http: { listen: [] }, operators: ['admin@localhost'] }
  })
  const cast = { admin: 'admin@localhost/x', juliet: 'juliet@localhost/r', nurse: 'nurse@localhost/r' }
  await scenario(people, cast, async ({ admin, juliet, nurse }) => {
    const pings = (player: Player): Promise<Element> =>
      player.request(`<iq type='get' to='${SERVICE}'><ping xmlns='urn:xmpp:ping'/></iq>`)
    assert.equal((await pings(juliet)).attrs.type, 'result')
    const shut = await run(admin, NODES.blacklist, { blacklistjids: 'localhost' }, SERVICE)
    assert.match(String(shut), /blacklistjids: with this, you would be shut out/)
    const answer = await run(admin, NODES.blacklist, { blacklistjids: 'juliet@localhost' }, SERVICE)
    assert.equal(statusOf(answer), 'completed')
    assert.equal(conditionOf(await pings(juliet)), 'service-unavailable')
    assert.equal((await pings(nurse)).attrs.type, 'result')
    await run(admin, NODES.whitelist, { whitelistjids: 'admin@localhost' }, SERVICE)
    assert.equal(conditionOf(await pings(nurse)), 'service-unavailable')
    assert.equal((await pings(admin)).attrs.type, 'result')
  })
  assert.deepEqual([people.errors(), service.errors()], [[], []])
})

test('XEP-0133 §4.11: what waits for a server that cannot be reached does not leave once it is listed', async t => {
  const modules = { ...(IM_HOST.modules as object), entity_lists: {} }
  const b = await startFederated(t, 'b.example')
  const a = await startFederated(t, 'a.example', {
    hosts: { 'a.example': { admins: ['admin@a.example'], modules } },
    s2s: { peers: { 'b.example': { route: `127.0.0.1:${await freePort()}` } } }
  })
  await b.configure({ peers: { 'a.example': { route: `127.0.0.1:${a.s2sPort()}` } } })
  const heard = new Heard(b, 'b.example')
  const waiting = (): number =>
    a.server.api.federation.queues().reduce((sum, { stanzas }) => sum + stanzas, 0)
  const cast = { romeo: 'romeo@a.example/r', admin: 'admin@a.example/r' }
  await scenario(a, cast, async ({ romeo, admin }) => {
    for (const to of ['juliet@b.example', 'nurse@b.example'])
      await romeo.sends(`<message to='${to}' id='${to}' type='chat'><body>wait</body></message>`)
    await romeo.sends(`<presence to='juliet@b.example'/>`)
    await romeo.fence()
    assert.equal(waiting(), 3)
    const answer = await run(admin, NODES.blacklist, { blacklistjids: ['juliet@b.example'] }, 'a.example')
    assert.equal(statusOf(answer), 'completed')
    const back = await romeo.finds(`<message id='juliet@b.example' type='error'/>`)
    assert.equal(conditionOf(back), 'not-acceptable')
    await a.configure({ peers: { 'b.example': { route: `127.0.0.1:${b.s2sPort()}` } } })
    await heard.until('nurse@b.example')
    assert.deepEqual(heard.ids, ['nurse@b.example'])
    await romeo.receivesNothing()
  })
  assert.deepEqual(a.errors(), [])
})

test('XEP-0133 §4.11: nor does what waits for an external component', async t => {
  const gate = 'gate.localhost'
  const secret = 'moves to the music'
  const server = await startTestServer(t, {
    hosts: {
      localhost: {
        admins: ['admin@localhost'],
        modules: { ...(IM_HOST.modules as object), entity_lists: {} }
      },
      [gate]: {
        type: 'component',
        modules: {
          component: { secret, queue: { seconds: 60 }, listen: [{ address: '127.0.0.1', port: 0 }] }
        }
      }
    }
  })
  const waiting = (): number => server.server.api.components.list().reduce((sum, one) => sum + one.waiting, 0)
  const cast = { romeo: 'romeo@localhost/r', admin: 'admin@localhost/r' }
  await scenario(server, cast, async ({ romeo, admin }) => {
    for (const name of ['juliet', 'nurse'])
      await romeo.sends(`<message to='${name}@${gate}' id='${name}' type='chat'><body>wait</body></message>`)
    await romeo.sends(`<presence to='juliet@${gate}'/>`)
    await romeo.fence()
    assert.equal(waiting(), 3)
    const answer = await run(admin, NODES.blacklist, { blacklistjids: [`juliet@${gate}`] }, 'localhost')
    assert.equal(statusOf(answer), 'completed')
    assert.equal(conditionOf(await romeo.finds(`<message id='juliet' type='error'/>`)), 'not-acceptable')
    const port = server.server.components.listeners.ports()[0]?.port ?? 0
    const component = await TestComponent.attach(t, port, gate, secret)
    await component.receives(`<message id='nurse' from='{romeo}'/>`.replace('{romeo}', romeo.jid))
    // Whoever was told that somebody is there is told that they are gone
    await component.receives(`<presence type='unavailable' to='juliet@${gate}'/>`)
    await component.receivesNothing()
  })
  assert.deepEqual(server.errors(), [])
})
