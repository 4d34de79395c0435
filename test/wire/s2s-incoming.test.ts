import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { parseStanza as parse } from '../lib/reader'
import { IM_HOST } from '../lib/config'
import { Heard, startFederated, type FederatedServer } from '../lib/federation'
import { attrsOf, DIALBACK_FEATURE, Peer, PeerServer, serverHeader } from '../lib/peer'

const HOSTS = { 'b.example': IM_HOST, 'c.example': IM_HOST }

interface Rig {
  server: FederatedServer
  /** The server of all foreign domains. */
  home: PeerServer
  heard: Heard
  connect(): Promise<Peer>
}

/** A server whose peers are all at one place, TLS optional unless given. */
async function rig(t: TestContext, s2s: object = {}, config: object = {}): Promise<Rig> {
  const home = await PeerServer.listen(t)
  const options = { tls: 'optional', routes: { '*': `127.0.0.1:${home.port}` }, ...s2s }
  const server = await startFederated(t, 'b.example', { hosts: HOSTS, s2s: options, config: { ...config } })
  const connect = async (): Promise<Peer> => {
    const peer = await Peer.connect(server.s2sPort())
    t.after(() => peer.destroy())
    return peer
  }
  return { server, home, heard: new Heard(server, 'b.example'), connect }
}

const message = (from: string, to: string, id: string): string =>
  `<message from='${from}' to='${to}' id='${id}'><body>${id}</body></message>`

const key = (from: string, to: string, text = 'a key'): string =>
  `<db:result from='${from}' to='${to}'>${text}</db:result>`

/** Opens a stream as that domain and has it verified; `home` says what it thinks of the key. */
async function verified({ home }: Rig, peer: Peer, from: string, verdict = 'valid', to = 'b.example') {
  peer.write(key(from, to))
  const asked = await home.nextStream(DIALBACK_FEATURE)
  const verify = await asked.until('</db:verify>')
  const { id } = attrsOf(verify, 'db:verify')
  asked.write(`<db:verify from='${from}' to='${to}' id='${id}' type='${verdict}'/>`)
  return attrsOf(await peer.until('/>', '</db:result>'), 'db:result')
}

test('RFC 6120 §4.7, §4.9.3: headers that are answered with an error', async t => {
  const { connect } = await rig(t)
  const wrong: Array<[string, string]> = [
    [serverHeader({ from: 'a.example' }), 'improper-addressing'],
    [serverHeader({ from: 'a.example', to: 'nowhere.example' }), 'host-unknown'],
    [serverHeader({ from: 'a.example', to: 'romeo@b.example' }), 'host-unknown'],
    [serverHeader({ from: 'c.example', to: 'b.example' }), 'invalid-from'],
    [serverHeader({ from: 'juliet@a.example', to: 'b.example' }), 'invalid-from'],
    [serverHeader({ from: 'a.example', to: 'b.example', version: undefined }), 'unsupported-version'],
    [serverHeader({ from: 'a.example', to: 'b.example', version: '2.0' }), 'unsupported-version'],
    [serverHeader({ from: 'a.example', to: 'b.example', ns: 'jabber:client' }), 'invalid-namespace'],
    ['GET / HTTP/1.1\r\n\r\n', 'not-well-formed']
  ]
  for (const [header, condition] of wrong) {
    const peer = await connect()
    peer.write(header)
    const answer = await peer.end()
    assert.match(
      answer,
      new RegExp(`^<\\?xml[^>]*><stream:stream [^>]*><stream:error><${condition} `),
      header
    )
    assert.ok(answer.endsWith('</stream:stream>'), header)
  }
})

test('RFC 6120 §5.3.1: where TLS is required nothing else is offered, and nothing else is taken', async t => {
  const { connect } = await rig(t, { tls: 'required' })
  const peer = await connect()
  const answer = await peer.open({ from: 'a.example', to: 'b.example' })
  assert.match(
    answer,
    /<stream:features><starttls xmlns="[^"]+"><required\/><\/starttls><\/stream:features>$/
  )
  peer.write(key('a.example', 'b.example'))
  const result = await peer.until('</db:result>')
  assert.equal(attrsOf(result, 'db:result').type, 'error')
  assert.match(result, /<policy-violation /)
})

test('RFC 6120 §4.3.5: stanzas before anything was verified', async t => {
  const { connect, heard } = await rig(t)
  const peer = await connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  peer.write(message('romeo@a.example', 'juliet@b.example', 'early'))
  assert.match(await peer.end(), /<stream:error><not-authorized /)
  assert.deepEqual(heard.ids, [])
})

test('XEP-0220: a key that its server knows opens the way for that pair', async t => {
  const all = await rig(t)
  const peer = await all.connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  const result = await verified(all, peer, 'a.example')
  assert.deepEqual(result, { from: 'b.example', to: 'a.example', type: 'valid' })
  peer.write(message('Romeo@A.example/orchard', 'juliet@b.example', 'm1'))
  const { attrs } = await all.heard.until('m1')
  assert.equal(attrs.from, 'romeo@a.example/orchard', 'prepared')
})

test('XEP-0220 §2.2.1: a key that its server does not know ends the stream', async t => {
  const all = await rig(t)
  const peer = await all.connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  const result = await verified(all, peer, 'a.example', 'invalid')
  assert.equal(result.type, 'invalid')
  peer.write(message('romeo@a.example', 'juliet@b.example', 'm1'))
  assert.ok((await peer.end()).endsWith('</stream:stream>'))
  assert.deepEqual(all.heard.ids, [])
})

test('XEP-0220 §2.5: what the peer is told when its server cannot say', async t => {
  const all = await rig(t, { connectSeconds: 1 })
  const peer = await all.connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  // It does not know the domain
  peer.write(key('a.example', 'b.example'))
  const asked = await all.home.nextStream(DIALBACK_FEATURE)
  const { id } = attrsOf(await asked.until('</db:verify>'), 'db:verify')
  asked.write(
    `<db:verify from='a.example' to='b.example' id='${id}' type='error'><error type='cancel'>` +
      `<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:verify>`
  )
  assert.match(await peer.until('</db:result>'), /<remote-server-not-found /)
  // It goes away
  peer.write(key('a2.example', 'b.example'))
  const other = await all.home.nextStream(DIALBACK_FEATURE)
  await other.until('</db:verify>')
  other.destroy()
  assert.match(await peer.until('</db:result>'), /<remote-server-timeout /)
  // Nobody is there
  await all.home.close()
  peer.write(key('a3.example', 'b.example'))
  assert.match(await peer.until('</db:result>'), /<remote-server-(?:timeout|not-found) /)
  // Not ours
  peer.write(key('a.example', 'nowhere.example'))
  const result = await peer.until('</db:result>')
  assert.match(result, /<item-not-found /)
  assert.equal(attrsOf(result, 'db:result').from, 'nowhere.example')
  peer.write(key('c.example', 'b.example'))
  assert.match(await peer.until('</db:result>'), /<not-acceptable /)
})

test('XEP-0220 §2.6: each pair on a connection is verified by itself', async t => {
  const all = await rig(t)
  const peer = await all.connect()
  const inC = new Heard(all.server, 'c.example')
  await peer.open({ from: 'a.example', to: 'b.example' })
  assert.equal((await verified(all, peer, 'a.example')).type, 'valid')
  assert.equal((await verified(all, peer, 'rooms.a.example')).type, 'valid')
  assert.equal((await verified(all, peer, 'a.example', 'valid', 'c.example')).type, 'valid')
  peer.write(
    message('romeo@a.example', 'juliet@b.example', 'm1') +
      message('capulets@rooms.a.example', 'juliet@b.example', 'm2') +
      message('romeo@a.example', 'juliet@c.example', 'm3')
  )
  await all.heard.until('m2')
  await inC.until('m3')
  assert.deepEqual(all.heard.ids, ['m1', 'm2'])
  // One that is forged costs the others nothing
  const { type } = await verified(all, peer, 'bank.example', 'invalid')
  assert.equal(type, 'error')
  peer.write(message('romeo@a.example', 'juliet@b.example', 'm4'))
  await all.heard.until('m4')
  peer.write(message('capulets@rooms.a.example', 'juliet@c.example', 'm5'))
  assert.match(await peer.end(), /<stream:error><host-unknown /)
  assert.deepEqual(inC.ids, ['m3'])
})

for (const [what, stanza, condition] of [
  ['in the name of another domain', message('romeo@bank.example', 'juliet@b.example', 'x'), 'invalid-from'],
  ['in the name of a domain below', message('romeo@x.a.example', 'juliet@b.example', 'x'), 'invalid-from'],
  ['in the name of ours', message('juliet@b.example', 'juliet@b.example', 'x'), 'invalid-from'],
  ['to another of ours', message('romeo@a.example', 'juliet@c.example', 'x'), 'host-unknown'],
  ['to nobody of ours', message('romeo@a.example', 'juliet@far.example', 'x'), 'host-unknown'],
  ['without from', `<message to='juliet@b.example'/>`, 'improper-addressing'],
  ['without to', `<message from='romeo@a.example'/>`, 'improper-addressing'],
  ['from what is no address', `<message from='@a.example' to='juliet@b.example'/>`, 'improper-addressing'],
  ['to what is no address', `<message from='romeo@a.example' to='b.example/'/>`, 'improper-addressing'],
  ['of no known kind', `<note from='romeo@a.example' to='juliet@b.example'/>`, 'unsupported-stanza-type'],
  [
    'of clients',
    `<message xmlns='jabber:client' from='romeo@a.example' to='juliet@b.example'/>`,
    'unsupported-stanza-type'
  ]
] as const)
  test(`RFC 6120 §8.1: a stanza ${what} ends the stream`, async t => {
    const all = await rig(t)
    const peer = await all.connect()
    await peer.open({ from: 'a.example', to: 'b.example' })
    await verified(all, peer, 'a.example')
    peer.write(stanza)
    assert.match(await peer.end(), new RegExp(`<stream:error><${condition} `))
    assert.deepEqual(all.heard.ids, [])
  })

test('XEP-0220 §3.1: answers that nobody has asked for verify nothing', async t => {
  const { connect, heard, server } = await rig(t)
  const peer = await connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  peer.write(
    `<db:result from='a.example' to='b.example' type='valid'/>` +
      `<db:verify from='a.example' to='b.example' id='stream-1' type='valid'/>`
  )
  peer.write(message('romeo@a.example', 'juliet@b.example', 'm1'))
  assert.match(await peer.end(), /<stream:error><not-authorized /)
  assert.deepEqual(heard.ids, [])
  assert.equal(server.log.filter(line => /unsolicited/.test(line.msg ?? '')).length, 1, 'told once')
  assert.match(await server.server.metrics.text(), /s2s_refused_total 2/)
})

test('XEP-0220 §3.1: nobody answers for a question on another stream', async t => {
  const all = await rig(t)
  const peer = await all.connect()
  await peer.open({ from: 'victim.example', to: 'b.example' })
  peer.write(key('victim.example', 'b.example'))
  const home = await all.home.nextStream(DIALBACK_FEATURE)
  const { id } = attrsOf(await home.until('</db:verify>'), 'db:verify')
  const forged = `<db:verify from='victim.example' to='b.example' id='${id}' type='valid'/>`
  // On the stream that wants to be verified
  peer.write(forged)
  // On a stream that this server has opened to the forger's own domain
  const mine = await all.connect()
  await mine.open({ from: 'forger.example', to: 'b.example' })
  mine.write(key('forger.example', 'b.example'))
  const forger = await all.home.nextStream(DIALBACK_FEATURE)
  const own = attrsOf(await forger.until('</db:verify>'), 'db:verify')
  forger.write(forged)
  // For another question of the same stream
  forger.write(`<db:verify from='forger.example' to='b.example' id='another' type='valid'/>`)
  forger.write(`<db:verify from='forger.example' to='b.example' id='${own.id}' type='valid'/>`)
  assert.equal(attrsOf(await mine.until('/>'), 'db:result').type, 'valid')
  assert.equal(peer.text, '', 'the victim is not verified')
  home.write(`<db:verify from='victim.example' to='b.example' id='${id}' type='invalid'/>`)
  assert.equal(attrsOf(await peer.until('/>'), 'db:result').type, 'invalid')
})

test('XEP-0220 §2.2.2: what the authoritative server says of keys', async t => {
  const { connect, server } = await rig(t)
  const peer = await connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  const right = server.server.federation.keys.make('a.example', 'b.example', 'stream-1')
  const say = async (to: string, id: string, text: string, from = 'a.example'): Promise<string> => {
    peer.write(`<db:verify from='${from}' to='${to}' id='${id}'>${text}</db:verify>`)
    return attrsOf(await peer.until('/>', '</db:verify>'), 'db:verify').type ?? ''
  }
  assert.equal(await say('b.example', 'stream-1', right), 'valid')
  assert.equal(await say('b.example', 'stream-1', ` ${right}\n`), 'valid')
  assert.equal(await say('b.example', 'stream-2', right), 'invalid', 'a key that was used elsewhere')
  assert.equal(await say('b.example', 'stream-1', right, 'other.example'), 'invalid')
  assert.equal(await say('c.example', 'stream-1', right), 'invalid')
  assert.equal(await say('b.example', 'stream-1', right.slice(1)), 'invalid')
  assert.equal(await say('b.example', 'stream-1', ''), 'invalid')
  assert.equal(await say('b.example', '', ''), 'invalid')
  assert.equal(await say('nowhere.example', 'stream-1', right), 'error')
  // It was not authentication
  peer.write(message('romeo@a.example', 'juliet@b.example', 'm1'))
  assert.match(await peer.end(), /<stream:error><not-authorized /)
})

test('RFC 6120 §5.4: starttls once, before all else, and alone in its packet', async t => {
  const all = await rig(t)
  const starttls = `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`
  const smuggled = await all.connect()
  await smuggled.open({ from: 'a.example', to: 'b.example' })
  smuggled.write(`${starttls}${key('a.example', 'b.example')}`)
  const answer = await smuggled.end()
  assert.doesNotMatch(answer, /proceed|db:result/)
  assert.match(answer, /<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"\/><\/stream:stream>$/)

  const twice = await all.connect()
  await twice.open({ from: 'a.example', to: 'b.example' })
  await twice.startTls()
  const features = await twice.open({ from: 'a.example', to: 'b.example' })
  assert.doesNotMatch(features, /starttls/)
  twice.write(starttls)
  assert.match(await twice.end(), /<failure /)

  const late = await all.connect()
  await late.open({ from: 'a.example', to: 'b.example' })
  await verified(all, late, 'a.example')
  late.write(starttls)
  assert.match(await late.end(), /<failure /)

  const pending = await all.connect()
  await pending.open({ from: 'a.example', to: 'b.example' })
  pending.write(key('a.example', 'b.example'))
  pending.write(starttls)
  assert.match(await pending.end(), /<failure /)

  const first = await all.connect()
  first.write(starttls)
  assert.match(await first.end(), /<stream:error>/)
})

test('RFC 6120 §4.3.3: a stream begins again only where it may', async t => {
  const all = await rig(t)
  const header = serverHeader({ from: 'a.example', to: 'b.example' })
  const fresh = await all.connect()
  await fresh.open({ from: 'a.example', to: 'b.example' })
  fresh.write(header)
  assert.match(await fresh.end(), /<stream:error>/)

  const later = await all.connect()
  await later.open({ from: 'a.example', to: 'b.example' })
  await verified(all, later, 'a.example')
  later.write(serverHeader({ from: 'bank.example', to: 'b.example' }))
  assert.match(await later.end(), /<stream:error>/)
  assert.deepEqual(all.heard.ids, [])
})

test('a peer that says nothing, or one byte at a time, is not waited for', { timeout: 60_000 }, async t => {
  const { connect, server } = await rig(t, {}, { limits: { loginSeconds: 5 } })
  const began = Date.now()
  const silent = await connect()
  const idle = await connect()
  await idle.open({ from: 'a.example', to: 'b.example' })
  const dribbling = await connect()
  const bytes = serverHeader({ from: 'a.example', to: 'b.example' }) + ' '.repeat(200)
  let at = 0
  const timer = setInterval(() => dribbling.write(bytes[at++] ?? ' '), 200)
  t.after(() => clearInterval(timer))
  const handshake = await connect()
  await handshake.open({ from: 'a.example', to: 'b.example' })
  handshake.write(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
  await handshake.until('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>')
  const direct = await Peer.connect(server.s2sPort('tls'))
  t.after(() => direct.destroy())
  const ends = await Promise.all([silent.end(), idle.end(), dribbling.end()])
  assert.deepEqual(await Promise.all([handshake.end(), direct.end()]), ['', ''])
  for (const end of ends) assert.match(end, /<stream:error><connection-timeout /)
  assert.ok(Date.now() - began < 15_000)
})

test('who sends keys that are not accepted without end is sent away, and leaves nothing behind', async t => {
  const { connect, server, home } = await rig(t, { connectSeconds: 1 })
  await home.close()
  const peer = await connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  for (let i = 0; i < 20; i++) peer.write(key(`x${i}.example`, 'b.example'))
  peer.write(key('x20.example', 'b.example'))
  for (let i = 0; i < 21; i++) await peer.until('</db:result>')
  for (let i = 0; i < 200; i++) peer.write(key('a.example', `x${i}.example`))
  assert.match(await peer.end(), /<stream:error><policy-violation /)
  const { federation: api } = server.server
  while (api.queues().length > 0) await new Promise(setImmediate)
  const told = server.log.filter(({ msg }) => /not authenticated/.test(msg ?? ''))
  assert.ok(told.length <= 2, 'the log is not flooded')
})

test('XEP-0198: what was handled is acknowledged, and nothing before that', async t => {
  const all = await rig(t)
  const peer = await all.connect()
  const features = await peer.open({ from: 'a.example', to: 'b.example' })
  assert.match(features, /<sm xmlns="urn:xmpp:sm:3">/)
  peer.write(`<enable xmlns='urn:xmpp:sm:3'/>`)
  assert.match(await peer.until('</failed>'), /<unexpected-request /)
  await verified(all, peer, 'a.example')
  peer.write(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
  assert.match(await peer.until('/>'), /<enabled xmlns="urn:xmpp:sm:3"\/>/)
  let open = (): void => undefined
  const held = new Promise<void>(resolve => (open = resolve))
  const owner = { module: 'slow', host: 'b.example', begin: () => undefined, end: () => undefined }
  all.server.server.domains.get('b.example')?.hooks.add('message/full', () => held, owner, { priority: 2000 })
  peer.write(message('romeo@a.example', 'juliet@b.example/balcony', 'm1'))
  peer.write(message('nurse@a.example', 'juliet@b.example', 'm2'))
  peer.write(`<r xmlns='urn:xmpp:sm:3'/>`)
  await all.heard.until('m2')
  assert.match(await peer.until('/>'), /<a [^>]*h='0'/)
  open()
  await all.heard.until('m1')
  peer.write(`<r xmlns='urn:xmpp:sm:3'/>`)
  assert.match(await peer.until('/>'), /<a [^>]*h='2'/)
  peer.write(`<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>`)
  assert.match(await peer.until('</failed>'), /<item-not-found /)
})

test('a handler that asks the peer gets its answer, with a thousand stanzas of others before it', async t => {
  const all = await rig(t, { bidi: false })
  const host = all.server.server.domains.get('b.example')
  assert.ok(host)
  const owner = { module: 'asking', host: 'b.example', begin: () => undefined, end: () => undefined }
  const answers: string[] = []
  host.hooks.add(
    'message/full',
    async () => {
      const iq = parse(`<iq type='get' to='romeo@a.example/orchard'><ping xmlns='urn:xmpp:ping'/></iq>`)
      answers.push((await all.server.server.router.request(iq, host)).attrs.type ?? '')
    },
    owner,
    { priority: 2000 }
  )
  const peer = await all.connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  peer.write(key('a.example', 'b.example'))
  const out = await all.home.nextStream(DIALBACK_FEATURE)
  const { id } = attrsOf(await out.until('</db:verify>'), 'db:verify')
  out.write(`<db:verify from='a.example' to='b.example' id='${id}' type='valid'/>`)
  await peer.until('/>')
  peer.write(message('romeo@a.example/orchard', 'juliet@b.example/balcony', 'asking'))
  await out.until('</db:result>')
  out.write(`<db:result from='a.example' to='b.example' type='valid'/>`)
  const { id: asked } = attrsOf(await out.until('</iq>'), 'iq')
  let crowd = ''
  for (let i = 0; i < 1000; i++)
    crowd += message(i % 2 ? 'romeo@a.example' : `user${i}@a.example`, 'juliet@b.example/balcony', `c${i}`)
  crowd = crowd.replaceAll('/balcony', '')
  peer.write(
    `${crowd}<iq type='result' id='${asked}' from='romeo@a.example/orchard' to='b.example'/>` +
      message('last@a.example', 'juliet@b.example', 'last')
  )
  await all.heard.until('last')
  await all.heard.until('c999')
  assert.deepEqual(answers, ['result'])
  assert.equal(all.heard.ids.filter(id => id.startsWith('c')).length, 1000)
})
