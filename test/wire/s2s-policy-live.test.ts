import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { StanzaError } from '../../core/errors'
import type { StanzaEvent } from '../../core/routing/event'
import type { Element } from '../../core/xml/element'
import { IM_HOST } from '../lib/config'
import { federation } from '../lib/federation'
import type { FederatedServer } from '../lib/federation'
import { join } from '../lib/wire'
import type { Player } from '../lib/wire'
import { agrees, NODES, runs } from '../modules/mod_server_buddy/hosts'

/** The policy of a host while streams with other servers are open: two servers, dialback. */

const POLICY = 'urn:balcony:admin#federation-policy'
const LIST = 'urn:balcony:admin#s2s-list'
const CLOSE = 'urn:balcony:admin#s2s-close'

interface Side {
  server: FederatedServer
  user: Player
  admin: Player
}

type Pair = Record<'a' | 'b', Side>

async function twoServers(t: TestContext, policy: object): Promise<Pair> {
  const parts = Object.fromEntries(
    ['a.example', 'b.example'].map(name => {
      const modules = {
        ...(IM_HOST.modules as object),
        server_buddy: {},
        s2s_policy: policy,
        adhoc_admin: {}
      }
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
    return { server, user: players[0], admin: players[1] }
  }
  return { a: await side('a.example', 'romeo'), b: await side('b.example', 'juliet') }
}

let count = 0

/** A message from one user to the other; the name of the error that comes back, or '' where it arrives. */
async function says(from: Side, to: Side): Promise<string> {
  const id = `m${++count}`
  await from.user.sends(`<message to='${to.user.jid}' id='${id}' type='chat'><body>${id}</body></message>`)
  const until = Date.now() + 15_000
  for (;;) {
    const error = taken(from.user, id)
    if (error?.attrs.type === 'error') return StanzaError.from(error).condition
    if (taken(to.user, id)) return ''
    assert.ok(Date.now() < until, `${id}: neither arrived nor came back`)
    await new Promise(setImmediate)
  }
}

/** The message of that id, if it is there. */
function taken({ unread }: Player, id: string): Element | undefined {
  const at = unread.findIndex(one => one.attrs.id === id)
  return at < 0 ? undefined : unread.splice(at, 1)[0]
}

/** The pairs of domains that exchange stanzas; a stream that only asks for keys has none. */
function pairsOf({ server }: Side): string[] {
  return server.server.api.federation
    .streams()
    .flatMap(({ pairs }) => pairs)
    .filter(({ sends, receives }) => sends || receives)
    .map(({ local, remote }) => `${local} ${remote}`)
}

/** Waits until something is so that comes about on the other server. */
async function until(what: string, so: () => boolean): Promise<void> {
  const late = Date.now() + 15_000
  while (!so()) {
    assert.ok(Date.now() < late, what)
    await new Promise(setImmediate)
  }
}

test('a policy that an administrator changes holds at once for streams that are open', async t => {
  const { a, b } = await twoServers(t, {})
  assert.equal(await says(a, b), '')
  assert.equal(await says(b, a), '')
  assert.notDeepEqual(pairsOf(b), [])

  await runs(b.admin, 'b.example', POLICY, { policy: 'open', block: ['a.example'] })
  assert.equal(await says(b, a), 'not-allowed')
  await until('the pair has no stream', () => pairsOf(b).length === 0)
  assert.notEqual(await says(a, b), '', 'the other server is told, and its user')
  await b.user.receivesNothing()

  await runs(b.admin, 'b.example', POLICY, { policy: 'file' })
  assert.equal(await says(b, a), '')
  assert.equal(await says(a, b), '')
  assert.deepEqual([a.server.errors(), b.server.errors()], [[], []])
})

test('XEP-0267: two closed servers become buddies, talk, and part', async t => {
  const { a, b } = await twoServers(t, { policy: 'buddies' })
  assert.equal(await says(a, b), 'not-allowed')
  assert.equal(await says(b, a), 'not-allowed')

  // §2, §1: asked by an administrator, approved by another, returned by itself
  await b.admin.sends('<presence/>')
  await runs(a.admin, 'a.example', NODES.request, { peerjid: 'b.example' })
  await b.admin.finds(`<message from='b.example' type='normal'><body/></message>`)
  assert.equal(await says(a, b), 'not-allowed', 'a request makes no buddy')
  await runs(b.admin, 'b.example', NODES.pending, { peers: ['a.example'], decision: 'approve' })
  await agrees(a.admin, 'a.example', { 'b.example': 'both' })
  await agrees(b.admin, 'b.example', { 'a.example': 'both' })
  assert.equal(await says(a, b), '')
  assert.equal(await says(b, a), '')

  await runs(b.admin, 'b.example', NODES.remove, { peers: ['a.example'] })
  assert.equal(await says(b, a), 'not-allowed')
  await agrees(a.admin, 'a.example', {})
  assert.equal(await says(a, b), 'not-allowed')
  assert.deepEqual([a.server.errors(), b.server.errors()], [[], []])
})

test('RFC 6121 §4.5: a server that stops tells its buddies before its streams end', async t => {
  const { a, b } = await twoServers(t, { policy: 'buddies' })
  await runs(a.admin, 'a.example', NODES.request, { peerjid: 'b.example' })
  await runs(b.admin, 'b.example', NODES.policy, { policy: 'always' })
  await until('the request is there', () => peersOf(b).includes('a.example'))
  await runs(b.admin, 'b.example', NODES.pending, { peers: ['a.example'], decision: 'approve' })
  await agrees(a.admin, 'a.example', { 'b.example': 'both' })

  const heard: string[] = []
  const owner = { module: 'a test', host: 'b.example', begin: () => undefined, end: () => undefined }
  b.server.server.domains
    .get('b.example')
    ?.hooks.add(
      'presence/host',
      ({ stanza }: StanzaEvent) =>
        void heard.push(`${stanza.attrs.from} ${stanza.attrs.type ?? 'available'}`),
      owner,
      { priority: 100 }
    )
  await a.server.stop()
  await until('the farewell', () => heard.includes('a.example unavailable'))
  heard.length = 0
  await a.server.start()
  // It comes back with another port
  await b.server.configure({ peers: { 'a.example': { route: `127.0.0.1:${a.server.s2sPort()}` } } })
  await until(
    'the greeting',
    () => heard.includes('a.example available') && heard.includes('a.example probe')
  )
})

test('administrators see the streams of their host and close them; what follows takes new ones', async t => {
  const { a, b } = await twoServers(t, {})
  assert.equal(await says(a, b), '')
  assert.equal(await says(b, a), '')
  const list = String(await runs(b.admin, 'b.example', LIST))
  assert.match(list, /<field var="domain"><value>a\.example<\/value>/)
  assert.match(list, /<value>TLS, dialback<\/value>/)
  assert.match(String(await runs(b.user, 'b.example', LIST)), /<forbidden/)

  assert.match(String(await runs(b.admin, 'b.example', CLOSE, { domains: ['c.example'] })), /<item-not-found/)
  assert.notDeepEqual(pairsOf(b), [])
  const closed = String(await runs(b.admin, 'b.example', CLOSE, { domains: ['A.example'] }))
  assert.match(closed, /a\.example was disconnected/)
  const acts = b.server.log.filter(({ command }) => command === 's2s-close')
  assert.deepEqual(
    acts.map(({ by, on, result }) => [by, on, result]),
    [
      ['admin@b.example', 'c.example', 'item-not-found'],
      ['admin@b.example', 'a.example', 'done']
    ]
  )
  await until('the streams are gone', () => pairsOf(b).length === 0)
  assert.equal(await says(a, b), '')
  assert.equal(await says(b, a), '')
})

test('what waits for a server that cannot be reached is listed, with the reason', async t => {
  const { a, b } = await twoServers(t, {})
  await b.server.stop()
  await a.user.sends(`<message to='juliet@b.example' type='chat'><body>Art thou there?</body></message>`)
  await a.user.fence()
  await until('the attempt has failed', () =>
    a.server.server.api.federation.queues().some(({ problem }) => problem !== undefined)
  )
  const list = String(await runs(a.admin, 'a.example', LIST))
  assert.match(list, /<value>b\.example<\/value>.*<value>not connected<\/value>.*<value>1<\/value>/s)
  assert.match(list, /<field var="problem"><value>[^<]+<\/value>/)
})

function peersOf({ server }: Side): string[] {
  const [host] = server.server.domains.list()
  return host?.items.list('server-buddy').map(({ domain }) => domain) ?? []
}
