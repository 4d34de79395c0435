import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import type { TestContext } from 'node:test'
import { TestCa, writeLeaf } from '../lib/ca'
import { IM_HOST } from '../lib/config'
import { Heard, startFederated } from '../lib/federation'
import { attrsOf, DIALBACK_FEATURE, Peer, PeerServer } from '../lib/peer'
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
  return { server, home, connect, asked, heard: new Heard(server, 'b.example') }
}

const message = (from: string, id: string): string =>
  `<message from='${from}' to='juliet@b.example' id='${id}'><body>${id}</body></message>`
const external = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>`
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
  const { home, server } = await rig(t, { bidi: false })
  const host = server.server.domains.get('b.example')
  assert.ok(host)
  server.server.router.send(
    parseStanza(`<message from='b.example' to='juliet@a.example' id='m1'><body>secret</body></message>`),
    host
  )
  const plain = await home.nextStream(DIALBACK_FEATURE)
  await plain.until('</db:result>')
  await server.configure({ tls: 'required' })
  plain.write(`<db:result from='a.example' to='b.example' type='valid'/></stream:stream>`)
  assert.doesNotMatch(await plain.end(), /secret/)
})
