import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import type { TestContext } from 'node:test'
import type tls from 'node:tls'
import { TestCa, writeLeaf } from '../lib/ca'
import { IM_HOST } from '../lib/config'
import { Heard, startFederated } from '../lib/federation'
import { answerHeader, attrsOf, DIALBACK_FEATURE } from '../lib/peer'
import { Peer, PeerServer, serverHeader, STARTTLS_FEATURE } from '../lib/peer'
import { parseStanza } from '../lib/reader'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-s2s-'))
let ca: TestCa

before(async () => {
  ca = await TestCa.make()
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

/** A server whose peers are all at one place, TLS optional unless given. */
async function rig(t: TestContext, s2s: object = {}) {
  const home = await PeerServer.listen(t)
  const files = writeLeaf(folder, 'b.example', await ca.issue({ dns: ['b.example', 'c.example'] }))
  const server = await startFederated(t, 'b.example', {
    hosts: { 'b.example': IM_HOST, 'c.example': IM_HOST },
    s2s: { tls: 'optional', routes: { '*': `127.0.0.1:${home.port}` }, ...s2s },
    config: { tls: { ...files, ca: [ca.write(folder)] } }
  })
  const connect = async (): Promise<Peer> => {
    const peer = await Peer.connect(server.s2sPort())
    t.after(() => peer.destroy())
    return peer
  }
  /** Gives a key for a pair; the answer to the question of it is left to the test. */
  const asked = async (peer: Peer, from: string): Promise<(type: string) => void> => {
    peer.write(`<db:result from='${from}' to='b.example'>key</db:result>`)
    const stream = await home.nextStream(DIALBACK_FEATURE)
    const { id } = attrsOf(await stream.until('</db:verify>'), 'db:verify')
    return type => stream.write(`<db:verify from='${from}' to='b.example' id='${id}' type='${type}'/>`)
  }
  const host = server.server.domains.get('b.example')
  assert.ok(host)
  const send = (id: string): void =>
    void server.server.router.send(
      parseStanza(`<message from='b.example' to='juliet@a.example' id='${id}'><body>secret</body></message>`),
      host
    )
  return { server, home, connect, asked, send, heard: new Heard(server, 'b.example') }
}

const message = (from: string, id: string): string =>
  `<message from='${from}' to='juliet@b.example' id='${id}'><body>${id}</body></message>`
const external = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>`
const EXTERNAL = `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>`
const success = '<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'

test('RFC 6120 §4.4: what was under way when this server ends a stream is not lost', async t => {
  const { connect, asked, heard, server } = await rig(t)
  const peer = await connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  const answer = await asked(peer, 'a.example')
  answer('valid')
  await peer.until('/>')
  const { federation: api } = server.server
  for (const { key, direction } of api.streams()) if (direction === 'in') api.close(key)
  await peer.until('</stream:stream>')
  peer.write(message('romeo@a.example', 'late') + message('romeo@bank.example', 'forged'))
  peer.write(message('romeo@a.example', 'last'))
  await heard.until('last')
  peer.write('</stream:stream>')
  peer.write(message('romeo@a.example', 'too late'))
  assert.equal(await peer.end(), '', 'nothing more is said')
  assert.deepEqual(heard.ids, ['late', 'last'])
})

test('XEP-0198: with acknowledgements it is left to the peer to send it again', async t => {
  const { connect, asked, heard, server } = await rig(t)
  const peer = await connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  const answer = await asked(peer, 'a.example')
  answer('valid')
  await peer.until('/>')
  peer.write(`<enable xmlns='urn:xmpp:sm:3'/>`)
  await peer.until('/>')
  const { federation: api } = server.server
  for (const { key, direction } of api.streams()) if (direction === 'in') api.close(key)
  assert.match(await peer.until('</stream:stream>'), /<a [^>]*h='0'/)
  peer.write(message('romeo@a.example', 'late') + '</stream:stream>')
  await peer.end()
  assert.deepEqual(heard.ids, [])
})

test('RFC 6120 §6.4.6: what was found out about a key of the stream before SASL is no answer to the one behind it', async t => {
  const { connect, asked, heard } = await rig(t)
  const peer = await connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  await peer.startTls(await ca.issue({ dns: ['a.example'] }))
  await peer.open({ from: 'a.example', to: 'b.example' })
  const answer = await asked(peer, 'rooms.example')
  peer.write(external)
  await peer.until(success)
  answer('valid')
  // Its answer, which cannot come while there is no stream
  const other = await connect()
  await other.open({ from: 'x.example', to: 'b.example' })
  await asked(other, 'x.example')
  const features = await peer.open({ from: 'a.example', to: 'b.example' })
  assert.doesNotMatch(features, /db:result/)
  peer.write(message('romeo@a.example', 'm1'))
  await heard.until('m1')
  // The same pair may be asked for again
  peer.write(`<db:result from='rooms.example' to='b.example'>key</db:result>`)
  assert.doesNotMatch(peer.text, /resource-constraint/)
  peer.write(message('orchard@rooms.example', 'm2'))
  assert.match(await peer.end(), /<invalid-from /)
  assert.deepEqual(heard.ids, ['m1'])
})

test('what is demanded while a key is looked at holds for it', async t => {
  const { connect, asked, heard, server } = await rig(t)
  const peer = await connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  const answer = await asked(peer, 'a.example')
  await server.configure({ tls: 'required' })
  answer('valid')
  const end = peer.end()
  peer.write(message('romeo@a.example', 'm1'))
  assert.match(await end, /<stream:error>/)
  assert.deepEqual(heard.ids, [])
})

test('what is demanded while a stream is negotiated holds for it', async t => {
  const { home, server, send } = await rig(t, { bidi: false })
  send('m1')
  const plain = await home.nextStream(DIALBACK_FEATURE)
  await plain.until('</db:result>')
  await server.configure({ tls: 'required' })
  plain.write(`<db:result from='a.example' to='b.example' type='valid'/></stream:stream>`)
  assert.doesNotMatch(await plain.end(), /secret/)
})

/** What ends a stream of somebody who should go there. */
const redirect = (place: string): string =>
  `<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>${place}</see-other-host></stream:error></stream:stream>`

test('RFC 6120 §4.9.3.19: who is sent to another place asks there for the same domain', async t => {
  const { home, server, send } = await rig(t, { tls: 'required', auth: 'certificate', bidi: false })
  const there = await PeerServer.listen(t)
  const leaf = await ca.issue({ dns: ['a.example'] })
  send('m1')
  const first = await home.nextStream(STARTTLS_FEATURE)
  await first.acceptTls(leaf)
  await first.until(`xml:lang='en'>`)
  first.write(serverHeader({ from: 'a.example', id: 's1' }) + redirect(`127.0.0.1:${there.port}`))
  const second = await there.nextStream(STARTTLS_FEATURE)
  await second.acceptTls(leaf)
  await answerHeader(second, EXTERNAL)
  await second.until('</auth>')
  second.write(success)
  await answerHeader(second, '')
  assert.equal(attrsOf(await second.until('</message>'), 'message').id, 'm1')
  assert.equal(home.peers.length, 1)
  assert.deepEqual(server.errors(), [])
})

test('RFC 6120 §4.9.3.19: not for ever, not outside TLS, and not by who is not believed', async t => {
  const { home, send } = await rig(t, { tls: 'required', auth: 'certificate' })
  const leaf = await ca.issue({ dns: ['a.example'] })
  const wrong = await ca.issue({ dns: ['mallory.example'] })
  const here = redirect(`127.0.0.1:${home.port}`)
  const elsewhere = await PeerServer.listen(t)
  const away = redirect(`127.0.0.1:${elsewhere.port}`)
  send('m1')
  for (let i = 0; i < 4; i++) {
    const peer = await home.nextStream(STARTTLS_FEATURE)
    await peer.acceptTls(leaf)
    await answerHeader(peer, EXTERNAL)
    peer.write(i < 3 ? here : away)
    await peer.end()
  }
  // Again from the beginning
  const plain = await home.next()
  await plain.until(`xml:lang='en'>`)
  plain.write(serverHeader({ from: 'a.example', id: 's1' }) + away)
  await plain.end()
  const lying = await home.nextStream(STARTTLS_FEATURE)
  await lying.acceptTls(wrong)
  await lying.until(`xml:lang='en'>`)
  lying.write(serverHeader({ from: 'a.example', id: 's1' }) + away)
  await lying.end()
  await home.next()
  assert.equal(elsewhere.peers.length, 0)
})

test('RFC 6120 §4.7.5: who says no version is not told ours', async t => {
  const { connect } = await rig(t)
  for (const [version, told] of [
    [undefined, undefined],
    ['2.0', '1.0']
  ]) {
    const peer = await connect()
    peer.write(serverHeader({ from: 'a.example', to: 'b.example', version }))
    const answer = await peer.end()
    assert.equal(attrsOf(answer, 'stream:stream').version, told)
    assert.match(answer, /<unsupported-version /)
  }
})

/** Lets a minute and a bit pass for everything in this process, until the sign of life that is due then. */
async function aMinute(t: TestContext, peer: Peer): Promise<void> {
  t.mock.timers.setTime(Date.now() + 65_000)
  await peer.until(' ')
}

test('RFC 6120 §4.6: who cannot answer on a stream is not taken for dead there', async t => {
  const { home, connect, asked, heard, send } = await rig(t, { bidi: false, acks: false })
  const peer = await connect()
  await peer.open({ from: 'a.example', to: 'b.example' })
  const answer = await asked(peer, 'a.example')
  answer('valid')
  await peer.until('/>')
  send('m1')
  const [out] = home.peers
  assert.ok(out)
  await out.until('</db:result>')
  out.write(`<db:result from='a.example' to='b.example' type='valid'/>`)
  await out.until('</message>')
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  for (let minutes = 0; minutes < 6; minutes++) await Promise.all([aMinute(t, peer), out.until(' ')])
  peer.write(message('romeo@a.example', 'm2'))
  await heard.until('m2')
  send('m3')
  assert.equal(attrsOf(await out.until('</message>'), 'message').id, 'm3')
  assert.equal(home.peers.length, 1, 'over the same stream')
})

test('each host has its own certificate for other servers; a reload replaces it under the streams', async t => {
  const own = async (): Promise<{ certificate: string; key: string }> =>
    writeLeaf(folder, 'c.example', await ca.issue({ dns: ['c.example'] }))
  const common = writeLeaf(folder, 'd.example', await ca.issue({ dns: ['d.example'] }))
  const server = await startFederated(t, 'd.example', {
    hosts: { 'd.example': IM_HOST, 'c.example': { ...IM_HOST, tls: await own() } },
    config: { tls: { ...common, ca: [ca.write(folder)] } }
  })
  const shown = async (to: string): Promise<[Peer, tls.PeerCertificate]> => {
    const peer = await Peer.connect(server.s2sPort())
    t.after(() => peer.destroy())
    await peer.open({ from: 'a.example', to })
    await peer.startTls(await ca.issue({ dns: ['a.example'] }))
    await peer.open({ from: 'a.example', to })
    return [peer, (peer.socket as tls.TLSSocket).getPeerCertificate()]
  }
  const [before, first] = await shown('c.example')
  assert.equal(first.subjectaltname, 'DNS:c.example')
  assert.equal((await shown('d.example'))[1].subjectaltname, 'DNS:d.example')
  await own()
  const { ok, lines } = await server.server.reloadConfig()
  assert.ok(ok, lines.join('\n'))
  const [, second] = await shown('c.example')
  assert.equal(second.subjectaltname, 'DNS:c.example')
  assert.notEqual(second.fingerprint256, first.fingerprint256)
  before.write(external)
  await before.until(success)
})
