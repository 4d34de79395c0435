import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { before, after } from 'node:test'
import type { TestContext } from 'node:test'
import { makeCertificate } from '../../core/streams/self-signed'
import { TestCa, writeLeaf, type Leaf, type LeafOptions } from '../lib/ca'
import { IM_HOST } from '../lib/config'
import { federation, Heard, startFederated, type FederatedOptions } from '../lib/federation'
import { attrsOf, Peer, PeerServer } from '../lib/peer'
import { join } from '../lib/wire'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-s2s-'))
let ca: TestCa
let other: TestCa

before(async () => {
  ca = await TestCa.make()
  other = await TestCa.make('Authority that nobody trusts')
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

/** The config of a server with a certificate for these domains. */
async function certified(name: string, domains: readonly string[] = [name]): Promise<FederatedOptions> {
  const files = writeLeaf(folder, name, await ca.issue({ dns: domains }))
  return {
    s2s: { tls: 'required', auth: 'certificate' },
    config: { tls: { ...files, ca: [ca.write(folder)] } }
  }
}

async function rig(t: TestContext, s2s: object = {}) {
  const home = await PeerServer.listen(t)
  const options = await certified('b.example', ['b.example', 'c.example'])
  const server = await startFederated(t, 'b.example', {
    ...options,
    hosts: { 'b.example': IM_HOST, 'c.example': IM_HOST },
    s2s: { ...options.s2s, routes: { '*': `127.0.0.1:${home.port}` }, ...s2s }
  })
  const connect = async (leaf?: Leaf, header: object = {}): Promise<{ peer: Peer; features: string }> => {
    const peer = await Peer.connect(server.s2sPort())
    t.after(() => peer.destroy())
    await peer.open({ from: 'a.example', to: 'b.example' })
    await peer.startTls(leaf)
    const features = await peer.open({ from: 'a.example', to: 'b.example', ...header })
    return { peer, features }
  }
  return { server, home, connect, heard: new Heard(server, 'b.example') }
}

const auth = (authzid = '='): string =>
  `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>${authzid}</auth>`
const message = (from: string, id: string, to = 'juliet@b.example'): string =>
  `<message from='${from}' to='${to}' id='${id}'><body>${id}</body></message>`
const base64 = (text: string): string => Buffer.from(text).toString('base64')

test('XEP-0178 §3: who has a certificate for the domain of the header speaks for it', async t => {
  const { connect, heard } = await rig(t)
  const { peer, features } = await connect(await ca.issue({ dns: ['a.example'] }))
  assert.match(features, /<mechanism>EXTERNAL<\/mechanism>/)
  peer.write(auth())
  await peer.until('<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>')
  const after = await peer.open({ from: 'a.example', to: 'b.example' })
  assert.doesNotMatch(after, /mechanism|starttls/)
  peer.write(message('romeo@a.example', 'm1'))
  await heard.until('m1')
  peer.write(message('romeo@bank.example', 'm2'))
  assert.match(await peer.end(), /<invalid-from /)
})

for (const [what, options, by] of [
  ['of another domain', { dns: ['mallory.example'] }, 'ca'],
  ['of a domain below', { dns: ['x.a.example'] }, 'ca'],
  ['of a domain that ends alike', { dns: ['xa.example'] }, 'ca'],
  ['with a wildcard below', { dns: ['*.a.example'] }, 'ca'],
  ['with a wildcard for a TLD', { dns: ['*.example'] }, 'ca'],
  ['that names it as its common name alone', { commonName: 'a.example' }, 'ca'],
  ['that has expired', { dns: ['a.example'], from: -30, until: -1 }, 'ca'],
  ['that is not valid yet', { dns: ['a.example'], from: 2 }, 'ca'],
  ['of an authority that is not trusted', { dns: ['a.example'] }, 'other'],
  ['that is self-signed', { dns: ['a.example'] }, 'self']
] as ReadonlyArray<[string, LeafOptions, 'ca' | 'other' | 'self']>)
  test(`a certificate ${what} proves nothing`, async t => {
    const { connect, heard, home } = await rig(t)
    const leaf =
      by === 'self' ? await makeCertificate(['a.example']) : await (by === 'ca' ? ca : other).issue(options)
    const { peer, features } = await connect(leaf)
    assert.doesNotMatch(features, /EXTERNAL|<dialback/, 'not offered')
    peer.write(auth())
    await peer.until('</failure>')
    peer.write(auth(base64('a.example')))
    assert.match(await peer.until('</failure>'), /<not-authorized\/>/)
    // By dialback neither, where a certificate is demanded
    peer.write(`<db:result from='a.example' to='b.example'>key</db:result>`)
    const result = await peer.until('</db:result>')
    assert.equal(attrsOf(result, 'db:result').type, 'error')
    assert.match(result, /<not-authorized /)
    assert.equal(home.peers.length, 0, 'nobody is asked')
    peer.write(message('romeo@a.example', 'm1'))
    assert.match(await peer.end(), /<not-authorized /)
    assert.deepEqual(heard.ids, [])
  })

test('a certificate for one domain does not speak for another at any point', async t => {
  const { connect, heard, server } = await rig(t)
  const leaf = await ca.issue({ dns: ['a.example'] })
  // Before TLS
  const plain = await Peer.connect(server.s2sPort())
  await plain.open({ from: 'a.example', to: 'b.example' })
  plain.write(auth())
  assert.match(await plain.until('</failure>'), /<encryption-required\/>/)
  plain.destroy()
  // The header before TLS does not count, the one behind it does
  const { peer: swapped, features } = await connect(leaf, { from: 'bank.example' })
  assert.doesNotMatch(features, /EXTERNAL/)
  swapped.write(auth(base64('bank.example')))
  assert.match(await swapped.until('</failure>'), /<not-authorized\/>/)
  swapped.write(auth(base64('a.example')))
  assert.match(await swapped.until('</failure>'), /<not-authorized\/>/)
  // Without a `from`
  const { peer: nameless } = await connect(leaf, { from: undefined })
  nameless.write(auth(base64('a.example')))
  assert.match(await nameless.until('</failure>'), /<not-authorized\/>/)
  // The authorization identity
  const { peer: lying } = await connect(leaf)
  for (const authzid of ['bank.example', 'romeo@a.example', 'x.a.example']) {
    lying.write(auth(base64(authzid)))
    assert.match(await lying.until('</failure>'), /<invalid-authzid\/>/)
  }
  // The header behind SASL
  for (const header of [{ from: 'bank.example' }, { to: 'c.example' }]) {
    const { peer } = await connect(leaf)
    peer.write(auth(base64('a.example')))
    await peer.until('<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>')
    await assert.rejects(
      peer.open({ from: 'a.example', to: 'b.example', ...header }),
      /invalid-from|not-authorized/
    )
  }
  // Stanzas before the header behind SASL
  const { peer: hasty } = await connect(leaf)
  hasty.write(`${auth()}${message('romeo@a.example', 'hasty')}`)
  assert.match(await hasty.end(), /<stream:error>/)
  // A second domain by dialback on the stream of the first
  const { peer: second } = await connect(leaf)
  second.write(auth())
  await second.until('<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>')
  await second.open({ from: 'a.example', to: 'b.example' })
  second.write(`<db:result from='bank.example' to='b.example'>key</db:result>`)
  assert.match(await second.until('</db:result>'), /<not-authorized /)
  second.write(message('romeo@a.example', 'm1', 'juliet@c.example'))
  assert.match(await second.end(), /<host-unknown /)
  // A second time
  const { peer: again } = await connect(leaf)
  again.write(auth())
  await again.until('<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>')
  await again.open({ from: 'a.example', to: 'b.example' })
  again.write(auth())
  assert.match(await again.end(), /<unsupported-stanza-type /)
  assert.deepEqual(heard.ids, [])
})

test('a certificate with several names verifies each of them by itself', async t => {
  const { connect, heard, home } = await rig(t)
  const { peer } = await connect(await ca.issue({ dns: ['a.example', '*.a.example'] }))
  peer.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'/>`)
  await peer.until('<challenge xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>')
  peer.write(`<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${base64('A.example')}</response>`)
  await peer.until('<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>')
  await peer.open({ from: 'a.example', to: 'b.example' })
  peer.write(`<db:result from='rooms.a.example' to='b.example'>key</db:result>`)
  assert.equal(attrsOf(await peer.until('/>'), 'db:result').type, 'valid')
  assert.equal(home.peers.length, 0, 'nobody is asked')
  peer.write(message('romeo@a.example', 'm1') + message('orchard@rooms.a.example', 'm2'))
  await heard.until('m2')
  peer.write(`<db:result from='x.rooms.a.example' to='b.example'>key</db:result>`)
  assert.match(await peer.until('</db:result>'), /<not-authorized /)
  peer.write(message('orchard@x.rooms.a.example', 'm3'))
  assert.match(await peer.end(), /<invalid-from /)
})

test('who guesses at SASL is sent away', async t => {
  const { connect } = await rig(t)
  const { peer } = await connect()
  for (let i = 0; i < 4; i++) peer.write(auth(base64('a.example')))
  assert.match(await peer.end(), /<policy-violation /)
})

for (const directTls of [false, true])
  test(`two servers by EXTERNAL, ${directTls ? 'direct TLS' : 'STARTTLS'}`, async t => {
    const servers = await federation(t, {
      'a.example': { ...(await certified('a.example')), directTls },
      'b.example': { ...(await certified('b.example')), directTls }
    })
    const romeo = await join(servers['a.example'], 'romeo', { jid: 'romeo@a.example/orchard' })
    const juliet = await join(servers['b.example'], 'juliet', { jid: 'juliet@b.example/balcony' })
    t.after(() => {
      romeo.destroy()
      juliet.destroy()
    })
    await romeo.sends(`<message to='juliet@b.example/balcony' id='m1'><body>But soft</body></message>`)
    await juliet.receives(`<message from='romeo@a.example/orchard' id='m1'/>`)
    await juliet.sends(`<message to='romeo@a.example/orchard' id='m2'><body>Ay me</body></message>`)
    await romeo.receives(`<message from='juliet@b.example/balcony' id='m2'/>`)
    for (const { server } of Object.values(servers)) {
      const streams = server.federation.streams()
      assert.equal(streams.length, 1, 'one connection for both directions')
      const [{ auth: how, bidi, acks, tls } = {}] = streams
      assert.deepEqual({ how, bidi, acks, tls }, { how: 'external', bidi: true, acks: true, tls: true })
    }
  })

test('a server whose certificate is not trusted is not spoken to', async t => {
  const own = writeLeaf(folder, 'wrong', await other.issue({ dns: ['b.example'] }))
  const options = await certified('a.example')
  const servers = await federation(t, {
    'a.example': { ...options, s2s: { ...options.s2s, queue: { seconds: 1 } } },
    'b.example': { s2s: { tls: 'required', auth: 'dialback' }, config: { tls: own } }
  })
  const romeo = await join(servers['a.example'], 'romeo', { jid: 'romeo@a.example/orchard' })
  t.after(() => romeo.destroy())
  await romeo.sends(`<message to='juliet@b.example' id='m1'><body>But soft</body></message>`)
  await romeo.receives(`<message type='error' id='m1'/>`)
})
