import assert from 'node:assert/strict'
import net from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import tls from 'node:tls'
import { TestComponent } from '../lib/component'
import { IM_HOST } from '../lib/config'
import { Heard, startFederated, type FederatedServer } from '../lib/federation'
import { attrsOf, BIDI_FEATURE, DIALBACK_FEATURE, Peer, PeerServer } from '../lib/peer'
import { startTestServer, type TestServer } from '../lib/server'
import { join } from '../lib/wire'

/* Limits of streams that are no clients', and of those who never become any. */

const LIMITS = 'urn:xmpp:stream-limits:0'

interface Rig {
  server: FederatedServer
  home: PeerServer
}

async function rig(t: TestContext, limits: object): Promise<Rig> {
  const home = await PeerServer.listen(t)
  const s2s = { tls: 'optional', routes: { '*': `127.0.0.1:${home.port}` } }
  const server = await startFederated(t, 'b.example', {
    s2s,
    modules: { limits: { trusted: [], ...limits } }
  })
  return { server, home }
}

/** A stream of `a.example` that was verified. */
async function verified(t: TestContext, { server, home }: Rig): Promise<{ peer: Peer; features: string }> {
  const peer = await Peer.connect(server.s2sPort())
  t.after(() => peer.destroy())
  const features = await peer.open({ from: 'a.example', to: 'b.example' })
  peer.write(`<db:result from='a.example' to='b.example'>a key</db:result>`)
  const asked = await home.nextStream(DIALBACK_FEATURE)
  const { id } = attrsOf(await asked.until('</db:verify>'), 'db:verify')
  asked.write(`<db:verify from='a.example' to='b.example' id='${id}' type='valid'/>`)
  await peer.until('/>', '</db:result>')
  return { peer, features }
}

const message = (id: string, bytes = 10): string =>
  `<message from='romeo@a.example' to='juliet@b.example' id='${id}'><body>${'x'.repeat(bytes)}</body></message>`

async function metric({ server }: TestServer, line: RegExp): Promise<void> {
  assert.match(await server.metrics.text(), line)
}

test('XEP-0478: other servers are told what holds for them, and a larger stanza ends the stream', async t => {
  const all = await rig(t, { s2s: { stanzaBytes: 30_000 } })
  const heard = new Heard(all.server, 'b.example')
  const { peer, features } = await verified(t, all)
  assert.match(
    features,
    new RegExp(
      `<limits xmlns="${LIMITS}"><max-bytes>30000</max-bytes><idle-seconds>\\d+</idle-seconds></limits>`
    )
  )
  peer.write(message('fits', 25_000))
  await heard.until('fits')
  peer.write(message('large', 40_000))
  assert.match(await peer.end(), /<stream:error><policy-violation .*<stanza-too-big /s)
})

test('a rate of another server holds it back and loses nothing', async t => {
  const all = await rig(t, { s2s: { stanzasPerSecond: 200, burstStanzas: 200 } })
  const heard = new Heard(all.server, 'b.example')
  const { peer } = await verified(t, all)
  const ids = Array.from({ length: 400 }, (_, i) => `m${i}`)
  peer.write(ids.map(id => message(id)).join(''))
  await heard.until('m399')
  assert.deepEqual(heard.ids, ids)
  await metric(all.server, /balcony_rate_pauses_total\{kind="s2s"\} [1-9]/)
  await metric(all.server, /balcony_connections\{kind="s2s",transport="tcp"\} [1-9]/)
})

test('connections of other servers are bounded by address, apart from those of clients', async t => {
  const { server } = await rig(t, { s2s: { connectionsPerAddress: 1 } })
  const first = await Peer.connect(server.s2sPort())
  t.after(() => first.destroy())
  await first.open({ from: 'a.example', to: 'b.example' })
  const second = await Peer.connect(server.s2sPort())
  assert.equal(await second.end(), '')
  const romeo = await join(server, 'romeo', { jid: 'romeo@b.example' })
  t.after(() => romeo.destroy())
  await romeo.fence()
  await metric(server, /balcony_connections_refused_total\{kind="s2s",reason="address"\} 1/)
})

test('XEP-0478 §4: what another server does not take is not sent, and whoever sent it learns that', async t => {
  const { server, home } = await rig(t, {})
  const romeo = await join(server, 'romeo', { jid: 'romeo@b.example/x' })
  t.after(() => romeo.destroy())
  const say = (id: string, bytes: number): string =>
    `<message to='juliet@a.example' id='${id}'><body>${'x'.repeat(bytes)}</body></message>`
  await romeo.sends(say('m1', 10))
  const limits = `<limits xmlns='${LIMITS}'><max-bytes>10000</max-bytes></limits>`
  const peer = await home.nextStream(DIALBACK_FEATURE + BIDI_FEATURE + limits)
  const bidi = await peer.until('</bidi>')
  // XEP-0478 §3.2
  assert.match(
    bidi,
    new RegExp(`<bidi xmlns="urn:xmpp:bidi"><limits xmlns="${LIMITS}"><max-bytes>524288</max-bytes>`)
  )
  await peer.until('</db:result>')
  peer.write(`<db:result from='a.example' to='b.example' type='valid'/>`)
  await peer.until('</message>')
  await romeo.sends(say('m2', 10_000))
  const error = await romeo.receives(
    `<message type='error' id='m2' from='juliet@a.example'><error>
      <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
  )
  assert.equal(error.getChild('error')?.attrs.by, undefined)
  await romeo.sends(say('m3', 9000))
  const arrived = await peer.until('</message>')
  assert.equal(attrsOf(arrived, 'message').id, 'm3')
})

test('components have limits of their own', async t => {
  const component = { secret: 'a secret', listen: [{ address: '127.0.0.1', port: 0 }] }
  const server = await startTestServer(t, {
    hosts: { localhost: IM_HOST, 'irc.localhost': { type: 'component', modules: { component } } },
    modules: {
      limits: {
        component: {
          stanzaBytes: 20_000,
          stanzasPerSecond: 200,
          burstStanzas: 200,
          connectionsPerAddress: 2
        },
        trusted: []
      }
    }
  })
  const port = server.server.components.listeners.ports()[0]?.port ?? 0
  const irc = await TestComponent.attach(t, port, 'irc.localhost', 'a secret')
  const juliet = await join(server, 'juliet', { jid: 'juliet@localhost/balcony' })
  t.after(() => juliet.destroy())
  const ids = Array.from({ length: 400 }, (_, i) => `m${i}`)
  irc.write(ids.map(id => `<message from='irc.localhost' to='${juliet.jid}' id='${id}'/>`).join(''))
  for (const id of ids) await juliet.receives(`<message id='${id}'/>`)
  await metric(server, /balcony_rate_pauses_total\{kind="component"\} [1-9]/)
  await metric(server, /balcony_connections\{kind="component",transport="tcp"\} 1/)
  const second = await TestComponent.connect(t, port, 'irc.localhost')
  const third = net.connect(port, '127.0.0.1').on('error', () => undefined)
  await new Promise(resolve => third.once('close', resolve))
  second.destroy()
  irc.write(`<message from='irc.localhost' to='${juliet.jid}'><body>${'x'.repeat(30_000)}</body></message>`)
  await irc.receives(
    `<error xmlns='http://etherx.jabber.org/streams'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>`
  )
})

test('who connects and says nothing, or dribbles, has its time and no more', async t => {
  const server = await startTestServer(t, { config: { limits: { loginSeconds: 5 } } })
  const { tcp, tls: direct } = server.ports
  const hello = await clientHello(direct as number)
  const ends = [tcp, direct, direct].map((port, i) => {
    const socket = net.connect(port as number, '127.0.0.1').on('error', () => undefined)
    t.after(() => socket.destroy())
    socket.resume()
    let at = 0
    // The first is silent on TCP, the second in TLS, the third sends its greeting byte by byte
    const dribble = setInterval(() => {
      if (i === 2) socket.write(hello.subarray(at, ++at))
    }, 50)
    t.after(() => clearInterval(dribble))
    return new Promise<void>(resolve => socket.once('close', () => resolve()))
  })
  await Promise.all(ends)
  const { admission } = server.server.limits
  for (let looks = 0; admission.unauthenticated > 0; looks++) {
    assert.ok(looks < 10_000, 'the server has seen the ends, too')
    await new Promise(setImmediate)
  }
  assert.equal(server.server.listeners.size, 0)
})

/** What a client sends at the beginning of TLS. */
async function clientHello(port: number): Promise<Buffer> {
  const sink = net.createServer()
  await new Promise<void>(resolve => sink.listen(0, '127.0.0.1', resolve))
  const { port: own } = sink.address() as net.AddressInfo
  assert.notEqual(own, port)
  const client = tls.connect({ port: own, host: '127.0.0.1', rejectUnauthorized: false })
  client.on('error', () => undefined)
  const hello = await new Promise<Buffer>(resolve =>
    sink.once('connection', socket => socket.once('data', resolve))
  )
  client.destroy()
  sink.close()
  return hello
}
