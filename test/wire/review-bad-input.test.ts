import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import type { TestContext } from 'node:test'
import { makeCertificate } from '../../core/streams/self-signed'
import { TestCa, writeLeaf, type Leaf, type LeafOptions } from '../lib/ca'
import { TestComponent } from '../lib/component'
import { IM_HOST } from '../lib/config'
import { Heard, startFederated } from '../lib/federation'
import { ACKS_FEATURE, answerHeader, attrsOf, BIDI_FEATURE, DIALBACK_FEATURE } from '../lib/peer'
import { Peer, PeerServer, serverHeader, STARTTLS_FEATURE } from '../lib/peer'
import { parseStanza } from '../lib/reader'
import { startTestServer } from '../lib/server'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-s2s-'))
let ca: TestCa
let other: TestCa

before(async () => {
  ca = await TestCa.make()
  other = await TestCa.make('Authority that nobody trusts')
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

/** A server, and a place where all others are. */
async function rig(t: TestContext, { direct = false, config = {}, ...s2s }: Record<string, unknown> = {}) {
  const home = await PeerServer.listen(t)
  const files = writeLeaf(folder, 'a.example', await ca.issue({ dns: ['a.example'] }))
  const server = await startFederated(t, 'a.example', {
    s2s: { peers: { '*': { route: `127.0.0.1:${home.port}`, directTls: direct } }, ...s2s },
    config: { tls: { ...files, ca: [ca.write(folder)] }, ...(config as object) }
  })
  const host = server.server.domains.get('a.example')
  assert.ok(host)
  const send = (id: string, to = 'juliet@b.example'): void =>
    void server.server.router.send(
      parseStanza(`<message from='a.example' to='${to}' id='${id}'><body>secret</body></message>`),
      host
    )
  const connect = async (port = server.s2sPort(), leaf?: Leaf): Promise<Peer> => {
    const peer = await Peer.connect(port, leaf)
    t.after(() => peer.destroy())
    return peer
  }
  return { server, home, send, connect, heard: new Heard(server, 'a.example') }
}

const EXTERNAL = `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>`
const auth = (authzid = '='): string =>
  `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>${authzid}</auth>`
const message = (from: string, id: string): string =>
  `<message from='${from}' to='romeo@a.example' id='${id}'><body>${id}</body></message>`

const worthless: ReadonlyArray<[string, LeafOptions, 'ca' | 'other' | 'self']> = [
  ['for another domain', { dns: ['mallory.example'] }, 'ca'],
  ['with a wildcard below it', { dns: ['*.b.example'] }, 'ca'],
  ['with a wildcard for its TLD', { dns: ['*.example'] }, 'ca'],
  ['that has expired', { dns: ['b.example'], from: -30, until: -1 }, 'ca'],
  ['of a foreign authority', { dns: ['b.example'] }, 'other'],
  ['that is self-signed', { dns: ['b.example'] }, 'self']
]

for (const [what, options, by] of worthless)
  for (const direct of [false, true])
    test(`nothing is said to a server with a certificate ${what}, ${direct ? 'direct TLS' : 'STARTTLS'}`, async t => {
      const { home, send } = await rig(t, { direct, auth: 'certificate' })
      const leaf =
        by === 'self' ? await makeCertificate(['b.example']) : await (by === 'ca' ? ca : other).issue(options)
      send('m1')
      const peer = direct ? await home.next() : await home.nextStream(STARTTLS_FEATURE)
      await peer.acceptTls(leaf, !direct)
      await answerHeader(peer, EXTERNAL + DIALBACK_FEATURE + BIDI_FEATURE + ACKS_FEATURE)
      assert.doesNotMatch(await peer.end(), /secret|<auth|db:result|bidi|enable/)
    })

test('a certificate for one domain does not speak for another inside direct TLS either', async t => {
  const { server, connect, heard } = await rig(t, { auth: 'certificate' })
  const leaf = await ca.issue({ dns: ['b.example'] })
  const lying = await connect(server.s2sPort('tls'), leaf)
  const features = await lying.open({ from: 'bank.example', to: 'a.example' })
  assert.doesNotMatch(features, /EXTERNAL|starttls/)
  lying.write(auth(Buffer.from('b.example').toString('base64')))
  assert.match(await lying.until('</failure>'), /<not-authorized\/>/)
  lying.write(message('tybalt@bank.example', 'm1'))
  assert.match(await lying.end(), /<not-authorized /)
  const honest = await connect(server.s2sPort('tls'), leaf)
  assert.match(await honest.open({ from: 'b.example', to: 'a.example' }), /EXTERNAL/)
  honest.write(auth())
  await honest.until('<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>')
  await honest.open({ from: 'b.example', to: 'a.example' })
  honest.write(message('tybalt@bank.example', 'm2'))
  assert.match(await honest.end(), /<invalid-from /)
  assert.deepEqual(heard.ids, [])
})

test('XEP-0220 §3.1: a key that was good on one stream is asked for again on another, by the id of that', async t => {
  const { home, connect, heard } = await rig(t, { tls: 'optional' })
  const key = `<db:result from='b.example' to='a.example'>the same key</db:result>`
  const first = await connect()
  const { id } = attrsOf(await first.open({ from: 'b.example', to: 'a.example' }), 'stream:stream')
  first.write(key)
  const asked = await home.nextStream(DIALBACK_FEATURE)
  assert.equal(attrsOf(await asked.until('</db:verify>'), 'db:verify').id, id)
  const valid = `<db:verify from='b.example' to='a.example' id='${id}' type='valid'/>`
  asked.write(valid)
  assert.equal(attrsOf(await first.until('/>'), 'db:result').type, 'valid')
  const second = await connect()
  const again = attrsOf(await second.open({ from: 'b.example', to: 'a.example' }), 'stream:stream')
  assert.notEqual(again.id, id)
  second.write(key)
  assert.equal(attrsOf(await asked.until('</db:verify>'), 'db:verify').id, again.id)
  // The answer of before, once more
  asked.write(valid)
  asked.write(`<db:verify from='b.example' to='a.example' id='${again.id}' type='invalid'/>`)
  assert.equal(attrsOf(await second.until('/>'), 'db:result').type, 'invalid')
  second.write(`${message('juliet@b.example', 'm1')}</stream:stream>`)
  await second.end()
  assert.deepEqual(heard.ids, [])
})

test('a server that asks without end and never reads is cut off', { timeout: 60_000 }, async t => {
  const { server, connect } = await rig(t, {
    tls: 'optional',
    config: { limits: { unreadBytes: 262_144 } }
  })
  const peer = await connect()
  await peer.open({ from: 'b.example', to: 'a.example' })
  peer.socket.pause()
  const padding = ' '.repeat(100)
  const question = `<db:verify from='b.example' to='a.example' id='${'x'.repeat(256)}'>key${padding}</db:verify>`
  const packet = question.repeat(100)
  while (server.server.federation.streams().length > 0 && !peer.closed) {
    peer.write(packet)
    await new Promise(setImmediate)
  }
  assert.equal(server.server.federation.streams().length, 0)
})

test('RFC 6120 §4.3.3: a header of a client where no stream may begin ends the stream', async t => {
  const server = await startTestServer(t)
  const port = server.server.listeners.ports().find(({ transport }) => transport === 'tcp')?.port ?? 0
  const header = serverHeader({ to: 'localhost', ns: 'jabber:client', dialback: false })
  const twice = await Peer.connect(port)
  await twice.open({ to: 'localhost', ns: 'jabber:client', dialback: false })
  twice.write(header)
  assert.match(await twice.end(), /<stream:error>/)
  const inside = await Peer.connect(port)
  await inside.open({ to: 'localhost', ns: 'jabber:client', dialback: false })
  await inside.startTls()
  // What was not begun again
  inside.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth>`)
  const end = await inside.end()
  assert.match(end, /<stream:error>/)
  assert.doesNotMatch(end, /<failure|<success/)
})

test('RFC 6120 §5.4.3.3: a login that was begun before TLS is not ended inside it', async t => {
  const { connect } = await rig(t, { tls: 'optional' })
  const peer = await connect()
  await peer.open({ from: 'b.example', to: 'a.example' })
  peer.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'/>`)
  assert.match(await peer.until('</failure>'), /<encryption-required\/>/)
  await peer.startTls(await ca.issue({ dns: ['b.example'] }))
  await peer.open({ from: 'b.example', to: 'a.example' })
  peer.write(`<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>`)
  assert.match(await peer.until('</failure>'), /<malformed-request\/>/)
})

test('a handler that asks a component gets its answer, with a thousand stanzas of others before it', async t => {
  const secret = 'moves to the music'
  const listen = [{ address: '127.0.0.1', port: 0 }]
  const server = await startTestServer(t, {
    hosts: {
      localhost: IM_HOST,
      'irc.localhost': { type: 'component', modules: { component: { secret, listen } } }
    }
  })
  const { domains, components, router } = server.server
  const host = domains.get('localhost')
  assert.ok(host)
  let answer: string | undefined
  const owner = { module: 'asking', host: 'localhost', begin: () => undefined, end: () => undefined }
  host.hooks.add(
    'message/host',
    async () => {
      const iq = parseStanza(`<iq type='get' to='romeo@irc.localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
      answer = (await router.request(iq, host)).attrs.type
    },
    owner,
    { priority: 2000 }
  )
  const port = components.listeners.ports()[0]?.port ?? 0
  const irc = await TestComponent.attach(t, port, 'irc.localhost', secret)
  irc.write(`<message from='romeo@irc.localhost' to='localhost' id='asking'/>`)
  const { attrs: asked } = await irc.receives(`<iq type='get' to='romeo@irc.localhost'/>`)
  const ping = (id: string): string =>
    `<iq type='get' id='${id}' from='user${id}@irc.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`
  for (let i = 0; i < 1000; i++) irc.write(ping(`p${i}`))
  for (let i = 0; i < 1000; i++) await irc.receives(`<iq type='result' id='p${i}'/>`)
  assert.equal(answer, undefined, 'others do not wait for it')
  irc.write(`<iq type='result' id='${asked.id}' from='romeo@irc.localhost' to='localhost'/>`)
  await irc.fence()
  assert.equal(answer, 'result')
})
