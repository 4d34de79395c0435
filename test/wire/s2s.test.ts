import assert from 'node:assert/strict'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { IM_HOST } from '../lib/config'
import { TestDns } from '../lib/dns'
import {
  federation,
  freePort,
  Heard,
  startFederated,
  type FederatedOptions,
  type FederatedServer
} from '../lib/federation'
import { DIALBACK_FEATURE, PeerServer } from '../lib/peer'
import { parseStanza } from '../lib/reader'
import { join, type Player } from '../lib/wire'

interface Pair {
  a: FederatedServer
  b: FederatedServer
  romeo: Player
  juliet: Player
}

async function pair(t: TestContext, options: FederatedOptions = {}): Promise<Pair> {
  const servers = await federation(t, {
    'a.example': await lasting(options),
    'b.example': await lasting(options)
  })
  const { 'a.example': a, 'b.example': b } = servers
  const romeo = await join(a, 'romeo', { jid: 'romeo@a.example/orchard' })
  const juliet = await join(b, 'juliet', { jid: 'juliet@b.example/balcony' })
  t.after(() => {
    romeo.destroy()
    juliet.destroy()
  })
  return { a, b, romeo, juliet }
}

/** With a port that stays the same when it is opened again. */
async function lasting(options: FederatedOptions): Promise<FederatedOptions> {
  const listen = [{ address: '127.0.0.1', port: await freePort() }]
  return { ...options, s2s: { ...options.s2s, listen, directTls: [] } }
}

const toJuliet = (id: string): string =>
  `<message to='juliet@b.example/balcony' id='${id}' type='chat'><body>${id}</body></message>`
const toRomeo = (id: string): string =>
  `<message to='romeo@a.example/orchard' id='${id}' type='chat'><body>${id}</body></message>`

const streams = (server: FederatedServer) => server.server.federation.streams()
/** Streams that stanzas go over; others only ask for keys. */
const used = (server: FederatedServer) =>
  streams(server).filter(({ pairs }) => pairs.some(p => p.sends || p.receives))

async function until(so: () => boolean): Promise<void> {
  const late = Date.now() + 15_000
  while (!so()) {
    assert.ok(Date.now() < late, 'it did not come about')
    await new Promise(setImmediate)
  }
}

for (const [what, s2s] of [
  ['one stream for both directions', {}],
  ['a stream for each direction', { bidi: false }],
  ['without acknowledgements', { acks: false }],
  ['in plain text', { tls: 'optional' }]
] as const)
  test(`two servers exchange messages by dialback: ${what}`, async t => {
    const { a, b, romeo, juliet } = await pair(t, { s2s })
    for (let i = 0; i < 3; i++) {
      await romeo.sends(toJuliet(`r${i}`))
      await juliet.receives(`<message from='romeo@a.example/orchard' id='r${i}'/>`)
      await juliet.sends(toRomeo(`j${i}`))
      await romeo.receives(`<message from='juliet@b.example/balcony' id='j${i}'/>`)
    }
    const expected = 'bidi' in s2s ? 2 : 1
    for (const server of [a, b]) {
      assert.equal(used(server).length, expected)
      for (const { acks, tls } of used(server)) assert.deepEqual([acks, tls], [!('acks' in s2s), true])
    }
    await romeo.sends(`<iq type='get' id='i1' to='b.example'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await romeo.receives(`<iq type='result' id='i1' from='b.example'/>`)
    await romeo.sends(`<iq type='get' id='i2' to='nobody@b.example'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await romeo.receives(`<iq type='error' id='i2' from='nobody@b.example'/>`)
    assert.deepEqual([a.errors(), b.errors()], [[], []])
  })

test('both begin at the same moment', async t => {
  const { a, b, romeo, juliet } = await pair(t)
  const both = 20
  for (let i = 0; i < both; i++) {
    await romeo.sends(toJuliet(`r${i}`))
    await juliet.sends(toRomeo(`j${i}`))
  }
  for (let i = 0; i < both; i++) {
    await romeo.receives(`<message id='j${i}'/>`)
    await juliet.receives(`<message id='r${i}'/>`)
  }
  await until(() =>
    [a, b].every(server => server.server.federation.queues().every(({ stanzas }) => stanzas === 0))
  )
  await romeo.receivesNothing()
  await juliet.receivesNothing()
})

test('both send large stanzas at the same moment: none waits for the other for ever', async t => {
  const { a, b } = await pair(t)
  const count = 60
  const heard = { a: new Heard(a, 'a.example'), b: new Heard(b, 'b.example') }
  const body = 'x'.repeat(200_000)
  for (let i = 0; i < count; i++) {
    const message = (to: string) =>
      parseStanza(`<message to='${to}' id='m${i}'><body>${body}</body></message>`)
    a.server.router.send(message('juliet@b.example'), hostOf(a, 'a.example'))
    b.server.router.send(message('romeo@a.example'), hostOf(b, 'b.example'))
  }
  await heard.a.until(`m${count - 1}`)
  await heard.b.until(`m${count - 1}`)
  for (const { ids } of [heard.a, heard.b]) assert.equal(ids.length, count)
})

test('several hosts: each pair of domains has its own stream', async t => {
  const hosts = { 'a.example': IM_HOST, 'rooms.a.example': { type: 'component' } }
  const servers = await federation(t, { a: { hosts }, 'b.example': {} })
  const { a, 'b.example': b } = servers
  const heard = new Heard(b, 'b.example')
  const back = new Heard(a, 'rooms.a.example')
  for (const [i, domain] of ['a.example', 'rooms.a.example'].entries())
    a.server.router.send(
      parseStanza(`<message from='${domain}' to='juliet@b.example' id='m${i}'><body>hi</body></message>`),
      hostOf(a, domain)
    )
  await heard.until('m0')
  await heard.until('m1')
  b.server.router.send(
    parseStanza(`<message to='orchard@rooms.a.example' id='m2'><body>hi</body></message>`),
    hostOf(b, 'b.example')
  )
  await back.until('m2')
  assert.deepEqual(
    used(a)
      .flatMap(({ pairs }) => pairs.map(({ local }) => local))
      .sort(),
    ['a.example', 'rooms.a.example']
  )
})

test(
  'a stream over which nothing goes is closed, and opened again when it is needed',
  { timeout: 60_000 },
  async t => {
    const { a, b, romeo, juliet } = await pair(t, { s2s: { idleSeconds: 1 } })
    for (const id of ['m1', 'm2']) {
      await romeo.sends(toJuliet(id))
      await juliet.receives(`<message id='${id}'/>`)
      await until(() => used(a).length === 0 && used(b).length === 0)
    }
    await romeo.receivesNothing()
  }
)

test('a server that stops says what its modules have to say, and good bye', async t => {
  const { a, b, romeo, juliet } = await pair(t)
  await romeo.sends(toJuliet('m1'))
  await juliet.receives(`<message id='m1'/>`)
  const heard = new Heard(b, 'b.example')
  const host = hostOf(a, 'a.example')
  const { manager, router } = a.server
  const stop = manager.stop.bind(manager)
  manager.stop = async () => {
    router.send(
      parseStanza(`<message to='juliet@b.example' id='farewell'><body>good bye</body></message>`),
      host
    )
    await stop()
  }
  await a.stop()
  await heard.until('farewell')
  await until(() => streams(b).length === 0)
  assert.ok(b.log.some(({ condition }) => condition === 'system-shutdown'))
})

test('what is sent to a server that stops comes to it when it is back', { timeout: 60_000 }, async t => {
  const { a, b, romeo, juliet } = await pair(t)
  await romeo.sends(toJuliet('m0'))
  await juliet.receives(`<message id='m0'/>`)
  const stopping = b.stop()
  const ids = Array.from({ length: 50 }, (_, i) => `m${i + 1}`)
  for (const id of ids)
    await romeo.sends(`<message to='juliet@b.example' id='${id}' type='chat'><body>x</body></message>`)
  await stopping
  await b.start()
  const heard = await join(b, 'juliet', { jid: 'juliet@b.example/tomb' })
  t.after(() => heard.destroy())
  await heard.sends('<presence/>')
  for (const id of ids) await heard.finds(`<message id='${id}'/>`)
  assert.deepEqual(a.errors(), [])
})

test('mod_s2s is swapped under its streams; unloaded, there is no federation until it is back', async t => {
  const { a, romeo, juliet } = await pair(t)
  await romeo.sends(toJuliet('m0'))
  await juliet.receives(`<message id='m0'/>`)
  const before = used(a).map(({ key }) => key)
  for (let i = 1; i <= 20; i++) {
    const reloaded = a.server.api.modules.reload('s2s')
    await romeo.sends(toJuliet(`m${i}`))
    assert.ok((await reloaded).ok)
    await juliet.receives(`<message id='m${i}'/>`)
  }
  assert.deepEqual(
    used(a).map(({ key }) => key),
    before
  )
  assert.ok((await a.server.api.modules.unload('s2s')).ok)
  await romeo.sends(toJuliet('gone'))
  await romeo.receives(
    `<message type='error' id='gone'><error><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
  )
  await until(() => streams(a).length === 0)
  assert.deepEqual(a.server.federation.ports(), [])
  assert.ok((await a.server.api.modules.load('s2s')).ok)
  await romeo.sends(toJuliet('back'))
  await juliet.receives(`<message id='back'/>`)
})

test('what is demanded changes: streams that do not have it end', async t => {
  const { a, romeo, juliet } = await pair(t, { s2s: { queue: { seconds: 1 } } })
  await romeo.sends(toJuliet('m1'))
  await juliet.receives(`<message id='m1'/>`)
  await a.configure({ auth: 'certificate' })
  await until(() => used(a).length === 0)
  assert.ok(
    a.log.some(({ msg }) => /ended: policy-violation: a\.example demands more of b\.example/.test(msg ?? ''))
  )
  await romeo.sends(toJuliet('m2'))
  await romeo.receives(`<message type='error' id='m2'/>`)
  await a.configure({ auth: 'dialback' })
  await romeo.sends(toJuliet('m3'))
  await juliet.receives(`<message id='m3'/>`)
})

test('an administrator closes the streams with a domain: what follows goes over new ones', async t => {
  const { a, romeo, juliet } = await pair(t)
  await romeo.sends(toJuliet('m1'))
  await juliet.receives(`<message id='m1'/>`)
  const { federation: api } = a.server
  assert.equal(api.close('elsewhere.example'), 0)
  assert.ok(api.close('b.example') >= 1)
  await romeo.sends(toJuliet('m2'))
  await juliet.receives(`<message id='m2'/>`)
  const [stream] = used(a)
  assert.ok(stream)
  assert.equal(api.close(stream.key), 1)
  assert.equal(api.close(stream.key), 0)
})

test('RFC 6120 §3.2, XEP-0368 §3: where a server is, by SRV; a place where it is not, is left for the next', async t => {
  const nowhere = net.createServer(socket => socket.end('220 not this service\r\n'))
  await new Promise<void>(resolve => nowhere.listen(0, '127.0.0.1', resolve))
  t.after(() => nowhere.close())
  const wrong = (nowhere.address() as AddressInfo).port
  const home = await PeerServer.listen(t)
  const dns = await TestDns.start(t, {
    '_xmpps-server._tcp.b.example': { srv: [`5 0 ${wrong} xmpp.b.example`] },
    '_xmpp-server._tcp.b.example': {
      srv: [`5 0 ${wrong} xmpp.b.example`, `9 0 ${home.port} xmpp.b.example`]
    },
    'xmpp.b.example': { a: ['127.0.0.1'] },
    '_xmpp-server._tcp.none.example': { srv: ['0 0 0 .'] }
  })
  const a = await startFederated(t, 'a.example', {
    s2s: { tls: 'optional' },
    config: { dns: { servers: [`127.0.0.1:${dns.port}`] } }
  })
  const romeo = await join(a, 'romeo', { jid: 'romeo@a.example/orchard' })
  t.after(() => romeo.destroy())
  await romeo.sends(toJuliet('m1'))
  const peer = await home.nextStream(DIALBACK_FEATURE)
  await peer.until('</db:result>')
  peer.write(`<db:result from='b.example' to='a.example' type='valid'/>`)
  await peer.until('id="m1"')
  for (const domain of ['none.example', 'unknown.example']) {
    await romeo.sends(`<message to='juliet@${domain}' id='${domain}'><body>hi</body></message>`)
    await romeo.receives(
      `<message type='error' id='${domain}'><error><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    )
  }
})

function hostOf({ server }: FederatedServer, domain: string) {
  const host = server.domains.get(domain)
  assert.ok(host)
  return host
}
