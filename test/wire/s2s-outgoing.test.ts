import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import type { StanzaEvent } from '../../core/routing/event'
import { startFederated, type FederatedServer } from '../lib/federation'
import {
  ACKS_FEATURE,
  answerHeader,
  attrsOf,
  BIDI_FEATURE,
  DIALBACK_FEATURE,
  PeerServer,
  serverHeader,
  STARTTLS_FEATURE,
  type Peer
} from '../lib/peer'
import { makeCertificate } from '../../core/streams/self-signed'
import { parseStanza as parse } from '../lib/reader'
import { join, type Player } from '../lib/wire'

interface Rig {
  server: FederatedServer
  /** The server of all foreign domains. */
  home: PeerServer
  romeo: Player
}

/** A server with a user, whose peers are all at one place, TLS optional unless given. */
async function rig(t: TestContext, s2s: object = {}): Promise<Rig> {
  const home = await PeerServer.listen(t)
  const options = { tls: 'optional', routes: { '*': `127.0.0.1:${home.port}` }, ...s2s }
  const server = await startFederated(t, 'a.example', { s2s: options })
  const romeo = await join(server, 'romeo', { jid: 'romeo@a.example/orchard' })
  t.after(() => romeo.destroy())
  return { server, home, romeo }
}

const say = (id: string, to = 'juliet@b.example'): string =>
  `<message to='${to}' id='${id}' type='chat'><body>${id}</body></message>`

/** The peer that is spoken to, when the stream is ready. */
async function established(home: PeerServer, features = '', id = 'stream-1'): Promise<Peer> {
  const peer = await home.nextStream(DIALBACK_FEATURE + features, id)
  await peer.until('</db:result>')
  peer.write(`<db:result from='b.example' to='a.example' type='valid'/>`)
  return peer
}

const bounced = (id: string, condition: string): string =>
  `<message type='error' from='juliet@b.example' id='${id}'><error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`

test('XEP-0220 §2.1.1: a key for the stream of the peer, and stanzas when it is valid', async t => {
  const { server, home, romeo } = await rig(t)
  await romeo.sends(say('m1'))
  const peer = await home.nextStream(DIALBACK_FEATURE, 'D60000229F')
  const result = await peer.until('</db:result>')
  const { from, to } = attrsOf(result, 'db:result')
  assert.deepEqual([from, to], ['a.example', 'b.example'])
  const right = server.server.federation.keys.make('b.example', 'a.example', 'D60000229F')
  assert.ok(result.includes(`>${right}<`))
  // Nothing is sent before, whatever is said that is no answer
  peer.write(`<db:result from='b.example' to='other.example' type='valid'/>`)
  peer.write(`<db:result from='other.example' to='a.example' type='valid'/>`)
  peer.write(`<db:verify from='b.example' to='a.example' id='x' type='valid'/>`)
  peer.write(`<db:verify from='b.example' to='a.example' id='x'>key</db:verify>`)
  await peer.until(`type='invalid'/>`)
  assert.equal(peer.text, '')
  peer.write(`<db:result from='b.example' to='a.example' type='valid'/>`)
  const message = await peer.until('</message>')
  const attrs = attrsOf(message, 'message')
  assert.deepEqual([attrs.from, attrs.to], ['romeo@a.example/orchard', 'juliet@b.example'])
  assert.doesNotMatch(message, /xmlns/)
})

test('XEP-0220 §2.1.1: a key that is called invalid; the senders get internal-server-error', async t => {
  const { home, romeo } = await rig(t, { queue: { seconds: 2 } })
  await romeo.sends(say('m1'))
  for (;;) {
    const peer = await home.nextStream(DIALBACK_FEATURE)
    await peer.until('</db:result>')
    peer.write(`<db:result from='b.example' to='a.example' type='invalid'/>`)
    await peer.end()
    break
  }
  await romeo.receives(bounced('m1', 'internal-server-error'))
})

test('RFC 6120 §10.4: who cannot be reached within the time', async t => {
  const { home, romeo } = await rig(t, { queue: { seconds: 1 } })
  await home.close()
  await romeo.sends(say('m1'))
  await romeo.sends(`<iq type='get' id='i1' to='b.example'><ping xmlns='urn:xmpp:ping'/></iq>`)
  await romeo.sends(`<iq type='result' id='i2' to='b.example'/>`)
  await romeo.sends(`<message type='error' id='m2' to='juliet@b.example'><error/></message>`)
  await romeo.receives(bounced('m1', 'remote-server-timeout'))
  await romeo.receives(
    `<iq type='error' id='i1' from='b.example'><error><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  )
  await romeo.receivesNothing()
})

test('a server that says that it is another one', async t => {
  const { home, romeo } = await rig(t)
  await romeo.sends(say('m1'))
  const peer = await home.nextStream(DIALBACK_FEATURE)
  peer.write(
    `<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`
  )
  await romeo.receives(bounced('m1', 'remote-server-not-found'))
  await romeo.sends(say('m2'))
  await romeo.receives(bounced('m2', 'remote-server-not-found'))
})

test('RFC 7590 §3.2: where TLS is required, nothing is said without it, whatever is offered', async t => {
  const { home, romeo } = await rig(t, { tls: 'required', queue: { seconds: 1 } })
  await romeo.sends(say('m1'))
  const peer = await home.nextStream(DIALBACK_FEATURE)
  await peer.until('<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>')
  peer.write(`<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
  assert.doesNotMatch(await peer.end(), /db:result|message/)
  await romeo.receives(bounced('m1', 'remote-server-timeout'))
})

test('RFC 6120 §5.4.3.3: what comes behind <proceed/> in the clear ends it', async t => {
  const { home, romeo } = await rig(t, { tls: 'required', queue: { seconds: 1 } })
  await romeo.sends(say('m1'))
  const peer = await home.nextStream(STARTTLS_FEATURE)
  await peer.until('<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>')
  const header = serverHeader({ from: 'b.example', to: 'a.example', id: 'x' })
  const smuggled = `${header}<stream:features>${DIALBACK_FEATURE}</stream:features>`
  peer.write(`<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${smuggled}`)
  assert.doesNotMatch(await peer.end(), /db:result|message/)
  await romeo.receives(bounced('m1', 'remote-server-timeout'))
})

test('a certificate that is demanded must be trusted', async t => {
  const { home, romeo } = await rig(t, { tls: 'required', auth: 'certificate', queue: { seconds: 1 } })
  const own = await makeCertificate(['b.example'])
  await romeo.sends(say('m1'))
  const peer = await home.nextStream(STARTTLS_FEATURE)
  await peer.acceptTls(own)
  await answerHeader(peer, DIALBACK_FEATURE)
  assert.doesNotMatch(await peer.end(), /db:result|message/)
  await romeo.receives(bounced('m1', 'remote-server-timeout'))
})

test('with dialback any certificate will do', async t => {
  const { home, romeo } = await rig(t, { tls: 'required' })
  const own = await makeCertificate(['elsewhere.example'])
  await romeo.sends(say('m1'))
  const peer = await home.nextStream(STARTTLS_FEATURE)
  await peer.acceptTls(own)
  const external = `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>`
  await answerHeader(peer, external + DIALBACK_FEATURE, 'inside')
  await peer.until('</db:result>')
  peer.write(`<db:result from='b.example' to='a.example' type='valid'/>`)
  assert.equal(attrsOf(await peer.until('</message>'), 'message').id, 'm1')
})

test('XEP-0178 §3: EXTERNAL where nothing else is offered, and dialback when it is refused', async t => {
  const { home, romeo } = await rig(t, { tls: 'required' })
  const own = await makeCertificate(['b.example'])
  const external = `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>`
  await romeo.sends(say('m1'))
  const peer = await home.nextStream(STARTTLS_FEATURE)
  await peer.acceptTls(own)
  await answerHeader(peer, external, 'inside')
  const auth = await peer.until('</auth>')
  assert.ok(auth.includes(Buffer.from('a.example').toString('base64')))
  peer.write(`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`)
  await answerHeader(peer, '', 'after')
  assert.equal(attrsOf(await peer.until('</message>'), 'message').id, 'm1')
})

test('XEP-0198: what was not acknowledged is sent again, in order, and only that', async t => {
  const { home, romeo } = await rig(t)
  for (let i = 1; i <= 5; i++) await romeo.sends(say(`m${i}`))
  const first = await established(home, ACKS_FEATURE, 'one')
  await first.until('<enable xmlns="urn:xmpp:sm:3"/>')
  first.write(`<enabled xmlns='urn:xmpp:sm:3'/>`)
  const got = await first.until(`id="m5"`)
  assert.match(got, /<r xmlns='urn:xmpp:sm:3'\/>/)
  first.write(`<a xmlns='urn:xmpp:sm:3' h='3'/>`)
  await romeo.sends(say('m6'))
  await first.until(`id="m6"`)
  first.destroy()
  const second = await established(home, ACKS_FEATURE, 'two')
  const again = await second.until(`id="m6"`)
  assert.deepEqual(
    [...again.matchAll(/ id="(m\d)"/g)].map(([, id]) => id),
    ['m4', 'm5', 'm6']
  )
  second.write(`<a xmlns='urn:xmpp:sm:3' h='3'/>`)
  await romeo.sends(say('m7'))
  await second.until(`id="m7"`)
})

test('XEP-0198 §6: an acknowledgement of what was never sent ends the stream', async t => {
  const { home, romeo } = await rig(t)
  await romeo.sends(say('m1'))
  const peer = await established(home, ACKS_FEATURE)
  await peer.until('</message>')
  peer.write(`<a xmlns='urn:xmpp:sm:3' h='9'/>`)
  assert.match(await peer.end(), /<handled-count-too-high /)
})

test('a stanza that ends every stream is given up, and those behind it are not', async t => {
  const { home, romeo } = await rig(t)
  await romeo.sends(say('poison'))
  await romeo.sends(say('m2'))
  for (const id of ['one', 'two', 'three']) {
    const peer = await established(home, ACKS_FEATURE, id)
    await peer.until('id="m2"')
    peer.write(
      `<stream:error><invalid-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`
    )
    await peer.end()
  }
  await romeo.receives(bounced('poison', 'remote-server-timeout'))
  const peer = await established(home, ACKS_FEATURE, 'four')
  assert.doesNotMatch(await peer.until('id="m2"'), /poison/)
})

test('what is sent because a stanza was given up does not go the way of the stream that has ended', async t => {
  const { server, home, romeo } = await rig(t)
  const host = server.server.domains.get('a.example')
  assert.ok(host)
  const owner = { module: 'test', host: 'a.example', begin: () => undefined, end: () => undefined }
  host.hooks.add(
    'message/full',
    ({ stanza }: StanzaEvent) => {
      if (stanza.attrs.type !== 'error') return
      server.server.router.send(
        parse(`<message from='a.example' to='juliet@b.example' id='again'><body>again</body></message>`),
        host
      )
    },
    owner
  )
  await romeo.sends(say('poison'))
  for (const id of ['one', 'two', 'three']) {
    const peer = await established(home, ACKS_FEATURE, id)
    await peer.until('id="poison"')
    peer.write(
      `<stream:error><invalid-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`
    )
    await peer.end()
  }
  await romeo.receives(bounced('poison', 'remote-server-timeout'))
  const peer = await established(home, ACKS_FEATURE, 'four')
  await peer.until('id="again"')
})

test('XEP-0288: both directions on one stream', async t => {
  const { server, home, romeo } = await rig(t)
  await romeo.sends(say('m1'))
  const peer = await home.nextStream(DIALBACK_FEATURE + BIDI_FEATURE)
  const asked = await peer.until('</db:result>')
  assert.match(asked, /<bidi xmlns="urn:xmpp:bidi"/)
  const early = `<message from='juliet@b.example' to='romeo@a.example/orchard' id='r1'><body>r1</body></message>`
  peer.write(`<db:result from='b.example' to='a.example' type='valid'/>${early}`)
  await romeo.receives(`<message from='juliet@b.example' id='r1'/>`)
  assert.deepEqual(
    server.server.federation.streams().map(({ pairs, bidi }) => ({ pairs, bidi })),
    [{ pairs: [{ local: 'a.example', remote: 'b.example', sends: true, receives: true }], bidi: true }]
  )
  peer.write(`<message from='juliet@c.example' to='romeo@a.example' id='r2'/>`)
  assert.match(await peer.end(), /<invalid-from /)
})

test('XEP-0198 §3: what the peer sends before its <enabled/> is not counted', async t => {
  const { home, romeo } = await rig(t)
  const back = (id: string): string =>
    `<message from='juliet@b.example' to='romeo@a.example/orchard' id='${id}'><body>${id}</body></message>`
  await romeo.sends(say('m1'))
  const peer = await home.nextStream(DIALBACK_FEATURE + BIDI_FEATURE + ACKS_FEATURE)
  await peer.until('</db:result>')
  peer.write(`<db:result from='b.example' to='a.example' type='valid'/>${back('r1')}${back('r2')}`)
  await peer.until('<enable xmlns="urn:xmpp:sm:3"/>')
  peer.write(`<enabled xmlns='urn:xmpp:sm:3'/>${back('r3')}`)
  for (const id of ['r1', 'r2', 'r3']) await romeo.receives(`<message id='${id}'/>`)
  peer.write(`<a xmlns='urn:xmpp:sm:3' h='1'/><r xmlns='urn:xmpp:sm:3'/>`)
  assert.match(await peer.until(`h='1'/>`), /<a [^>]*h='1'/)
})

test('XEP-0288 §2.2: stanzas on a stream that is not for both, or not yet', async t => {
  const { home, romeo } = await rig(t)
  const back = `<message from='juliet@b.example' to='romeo@a.example/orchard' id='r1'><body>r1</body></message>`
  await romeo.sends(say('m1'))
  const one = await established(home)
  await one.until('</message>')
  one.write(back)
  assert.match(await one.end(), /<not-authorized /)
  await romeo.sends(say('m2'))
  const early = await home.nextStream(DIALBACK_FEATURE + BIDI_FEATURE)
  await early.until('</db:result>')
  early.write(back)
  assert.match(await early.end(), /<not-authorized /)
  await romeo.receivesNothing()
})

test('a peer that never reads is waited for within bounds', { timeout: 60_000 }, async t => {
  const { server, home, romeo } = await rig(t, { queue: { seconds: 2, stanzas: 100, bytes: 65_536 } })
  await romeo.sends(say('m0'))
  const peer = await established(home)
  await peer.until('</message>')
  peer.socket.pause()
  // More than the kernel and the socket take
  const body = 'x'.repeat(60_000)
  let bounces = 0
  for (let i = 1; i <= 400 && bounces === 0; i++) {
    server.server.router.send(
      parse(`<message from='a.example' to='juliet@b.example' id='b${i}'><body>${body}</body></message>`),
      host(server)
    )
    await new Promise(setImmediate)
    const [queue] = server.server.federation.queues()
    assert.ok((queue?.stanzas ?? 0) <= 100)
    assert.ok((queue?.bytes ?? 0) <= 65_536 + 61_000)
    bounces = Number(
      /s2s_bounced_total\{[^}]*resource-constraint[^}]*\} (\d+)/.exec(
        await server.server.metrics.text()
      )?.[1] ?? 0
    )
  }
  assert.ok(bounces > 0, 'what is too much is answered')
  assert.equal(server.server.federation.streams().length, 1)
})

test('a peer that speaks after its connection was refused, or says what nobody asked', async t => {
  const { home, romeo } = await rig(t, { queue: { seconds: 1 } })
  for (const [i, nonsense] of [
    '</stream:stream>',
    '<stream:features/>',
    `<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`,
    `<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`,
    `<enabled xmlns='urn:xmpp:sm:3'/>`,
    `<a xmlns='urn:xmpp:sm:3' h='1'/><r xmlns='urn:xmpp:sm:3'/></stream:stream>`,
    'not XML'
  ].entries()) {
    await romeo.sends(say(`m${i}`, `juliet@b${i}.example`))
    const peer = await home.nextStream(DIALBACK_FEATURE)
    await peer.until('</db:result>')
    peer.write(nonsense)
    await peer.end()
  }
  for (let i = 0; i < 7; i++) await romeo.finds(`<message type='error' id='m${i}'/>`)
})

function host(server: FederatedServer) {
  const found = server.server.domains.get('a.example')
  assert.ok(found)
  return found
}
