import assert from 'node:assert'
import { webcrypto } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import tls, { createSecureContext } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { provideMetadata } from '../../../core/streams/reflect'
import { signatureHash } from '../../../core/streams/signature-hash'
import { NS } from '../../../core/xml/namespaces'
import { bindingTypesOf } from '../../lib/binding'
import { conditionOf, type ConnectOptions, type TestClient } from '../../lib/client'
import { mechanismsOf } from '../../lib/sasl'
import { JULIET, rig, type Rig } from './lib/rig'

const PLUS = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS']
const OTHERS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']
const TLS12 = { tls: { maxVersion: 'TLSv1.2' } } as const
const TLS13 = { tls: { minVersion: 'TLSv1.3' } } as const

/** The -PLUS mechanisms in the old list inside TLS 1.3, too. */
function inOldList({ backend }: Rig): void {
  const [mechanisms] = [...backend.hosts.values()].map(host => host.items.list('sasl-mechanism'))
  for (const mechanism of mechanisms ?? []) mechanism.inOldList = true
}

async function refused(client: TestClient, credentials: object, condition: string): Promise<void> {
  await assert.rejects(client.authenticate({ ...JULIET, ...credentials }), new RegExp(condition))
}

test('inside TLS 1.3 the old list has no -PLUS, so nothing is announced and "y" is right', async t => {
  const { connect } = await rig(t)
  const juliet = await connect({ transport: 'tls', ...TLS13 })
  const features = await juliet.open()
  assert.deepEqual(mechanismsOf(features), OTHERS)
  assert.deepEqual(bindingTypesOf(features), [])
  await juliet.authenticate({ ...JULIET, mechanism: 'SCRAM-SHA-256', flag: 'y' })
})

test('inside TLS 1.3 a -PLUS that is not in the old list is no mechanism of it', async t => {
  const { connect } = await rig(t)
  const juliet = await connect({ transport: 'tls', ...TLS13 })
  await juliet.open()
  await refused(juliet, { mechanism: 'SCRAM-SHA-256-PLUS' }, 'invalid-mechanism')
})

for (const transport of ['tls', 'tcp'] as const) {
  const how = transport === 'tls' ? 'direct TLS' : 'STARTTLS'

  test(`RFC 9266, RFC 5929 §4: bound to TLS 1.3 (${how}) by either type`, async t => {
    const server = await rig(t)
    inOldList(server)
    for (const binding of ['tls-exporter', 'tls-server-end-point'])
      for (const mechanism of PLUS) {
        const juliet = await server.connect({ transport, ...TLS13 })
        let features = await juliet.open()
        if (transport === 'tcp') features = await juliet.startTls()
        assert.deepEqual(mechanismsOf(features), [...PLUS, ...OTHERS])
        assert.deepEqual(bindingTypesOf(features), ['tls-exporter', 'tls-server-end-point'])
        await juliet.authenticate({ ...JULIET, mechanism, binding })
      }
  })

  test(`RFC 5929: bound to TLS 1.2 (${how}) by the certificate, or by tls-unique, which is not announced`, async t => {
    const { connect } = await rig(t)
    for (const binding of ['tls-server-end-point', 'tls-unique'])
      for (const mechanism of PLUS) {
        const juliet = await connect({ transport, ...TLS12 })
        let features = await juliet.open()
        if (transport === 'tcp') features = await juliet.startTls()
        assert.deepEqual(mechanismsOf(features), [...PLUS, ...OTHERS])
        assert.deepEqual(bindingTypesOf(features), ['tls-server-end-point'])
        await juliet.authenticate({ ...JULIET, mechanism, binding })
      }
  })
}

test('types that TLS does not have are refused', async t => {
  const server = await rig(t)
  inOldList(server)
  for (const [binding, version] of [
    ['tls-unique', TLS13],
    ['tls-exporter', TLS12]
  ] as const) {
    const juliet = await server.connect({ transport: 'tls', ...version })
    await juliet.open()
    await refused(juliet, { mechanism: 'SCRAM-SHA-256-PLUS', binding }, 'malformed-request')
  }
})

test('RFC 5802 §6: "y" where -PLUS was offered is refused', async t => {
  const { connect } = await rig(t)
  const juliet = await connect({ transport: 'tls', ...TLS12 })
  await juliet.open()
  await refused(juliet, { mechanism: 'SCRAM-SHA-256', flag: 'y' }, 'server-does-support-channel-binding')
  await juliet.authenticate({ ...JULIET, mechanism: 'SCRAM-SHA-256' })
})

test('RFC 7627 §1: a session that TLS 1.2 resumed is not bound by tls-unique', async t => {
  const { connect } = await rig(t)
  const first = await connect({ transport: 'tls', ...TLS12 })
  await first.open()
  const session = first.tlsSocket?.getSession()
  assert.ok(session)
  const juliet = await connect({ transport: 'tls', tls: { ...TLS12.tls, session } })
  assert.ok(juliet.tlsSocket?.isSessionReused())
  assert.deepEqual(mechanismsOf(await juliet.open()), OTHERS)
  await juliet.authenticate({ ...JULIET, flag: 'y' })
})

test('without TLS there is nothing to bind to', async t => {
  const server = await rig(t, { plain: true })
  inOldList(server)
  const juliet = await server.connect()
  const features = await juliet.open()
  assert.deepEqual(mechanismsOf(features), ['SCRAM-SHA-256', 'SCRAM-SHA-1'])
  assert.deepEqual(bindingTypesOf(features), [])
  await juliet.authenticate({ ...JULIET, flag: 'y' })
})

test('a WebSocket has bindings where TLS ends here, and none where a proxy ends it', async t => {
  const server = await rig(t, { webSocket: { assumeSecure: true } })
  inOldList(server)
  const near = await server.connect({ transport: 'wss' })
  assert.deepEqual(bindingTypesOf(await near.open()), ['tls-exporter', 'tls-server-end-point'])
  const far = await server.connect({ transport: 'ws' })
  const features = await far.open()
  assert.deepEqual(bindingTypesOf(features), [])
  assert.deepEqual(mechanismsOf(features), OTHERS)
})

/** Somebody between client and server, who has got hold of the key of the certificate. */
async function inBetween(t: TestContext, { certificate, ports }: Rig): Promise<Partial<ConnectOptions>> {
  assert.ok(certificate)
  const listener = tls.createServer({ cert: certificate.certificate, key: certificate.key }, socket => {
    const away = tls.connect({ host: '127.0.0.1', port: ports.tls, rejectUnauthorized: false })
    socket.on('error', () => away.destroy()).on('close', () => away.destroy())
    away.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.pipe(away).pipe(socket)
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  t.after(() => listener.close())
  return { transport: 'tls', port: (listener.address() as AddressInfo).port, ...TLS13 }
}

test('RFC 5056: who stands in between with the key of the server is found out by tls-exporter', async t => {
  const server = await rig(t)
  inOldList(server)
  const way = await inBetween(t, server)
  const mechanism = 'SCRAM-SHA-256-PLUS'
  const deceived = await server.connect(way)
  await deceived.open()
  await deceived.authenticate({ ...JULIET, mechanism, binding: 'tls-server-end-point' })
  const juliet = await server.connect(way)
  await juliet.open()
  await refused(juliet, { mechanism, binding: 'tls-exporter' }, 'channel-bindings-dont-match')
})

// --- the hash of a certificate

/** A certificate with such a signature. */
async function signedBy(
  signature: webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | { name: string },
  hash: string
): Promise<{ cert: string; key: string; raw: Buffer }> {
  provideMetadata()
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto as never)
  const keys = await webcrypto.subtle.generateKey(signature as webcrypto.EcKeyGenParams, true, [
    'sign',
    'verify'
  ])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=localhost',
    notAfter: new Date(Date.now() + 86_400_000),
    keys: keys as never,
    signingAlgorithm: { ...signature, hash, saltLength: 32 } as never
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  return {
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key.toString('base64')}\n-----END PRIVATE KEY-----\n`,
    raw: Buffer.from(certificate.rawData)
  }
}

const rsa = (name: string, hash: string) => ({
  name,
  hash,
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1])
})

const SIGNATURES: Array<[what: string, key: Parameters<typeof signedBy>[0], hash: string, name?: string]> = [
  ['RSA with SHA-1', rsa('RSASSA-PKCS1-v1_5', 'SHA-1'), 'SHA-1', 'sha1'],
  ['RSA with SHA-256', rsa('RSASSA-PKCS1-v1_5', 'SHA-256'), 'SHA-256', 'sha256'],
  ['RSA with SHA-384', rsa('RSASSA-PKCS1-v1_5', 'SHA-384'), 'SHA-384', 'sha384'],
  ['RSASSA-PSS with SHA-512', rsa('RSA-PSS', 'SHA-512'), 'SHA-512', 'sha512'],
  ['RSASSA-PSS with SHA-256', rsa('RSA-PSS', 'SHA-256'), 'SHA-256', 'sha256'],
  ['ECDSA with SHA-256', { name: 'ECDSA', namedCurve: 'P-256' }, 'SHA-256', 'sha256'],
  ['ECDSA with SHA-384', { name: 'ECDSA', namedCurve: 'P-384' }, 'SHA-384', 'sha384'],
  ['ECDSA with SHA-512', { name: 'ECDSA', namedCurve: 'P-521' }, 'SHA-512', 'sha512'],
  ['Ed25519, which has none', { name: 'Ed25519' }, '', undefined]
]

test('the hash that a certificate was signed with', async t => {
  for (const [what, key, hash, name] of SIGNATURES)
    await t.test(what, async () => {
      const { raw } = await signedBy(key, hash)
      assert.equal(signatureHash(raw), name)
    })
  for (const nothing of [Buffer.alloc(0), Buffer.from('3000', 'hex'), Buffer.from('3003300130', 'hex')])
    assert.equal(signatureHash(nothing), undefined)
})

test('RFC 5929 §4.1: the certificate is hashed as its signature was, but not by SHA-1', async t => {
  const server = await rig(t)
  inOldList(server)
  const { cert, key } = await signedBy(rsa('RSASSA-PKCS1-v1_5', 'SHA-384'), 'SHA-384')
  server.backend.context = createSecureContext({ cert, key })
  const credentials = { ...JULIET, mechanism: 'SCRAM-SHA-256-PLUS', binding: 'tls-server-end-point' }
  const juliet = await server.connect({ transport: 'tls' })
  await juliet.open()
  await refused(juliet, credentials, 'channel-bindings-dont-match') // this is SHA-256
  await juliet.authenticate({ ...credentials, bindingHash: 'sha384' })

  const old = await signedBy(rsa('RSASSA-PKCS1-v1_5', 'SHA-1'), 'SHA-1')
  server.backend.context = createSecureContext({ cert: old.cert, key: old.key })
  const romeo = await server.connect({ transport: 'tls', tls: { ciphers: 'DEFAULT@SECLEVEL=0' } })
  await romeo.open()
  await romeo.authenticate({ ...credentials, bindingHash: 'sha256' })
})

test('RFC 5929 §4.1: a certificate without a hash is nothing to bind to', async t => {
  const server = await rig(t)
  inOldList(server)
  const { cert, key } = await signedBy({ name: 'Ed25519' }, '')
  server.backend.context = createSecureContext({ cert, key })
  const juliet = await server.connect({ transport: 'tls', ...TLS13 })
  assert.deepEqual(bindingTypesOf(await juliet.open()), ['tls-exporter'])
  await refused(
    juliet,
    { mechanism: 'SCRAM-SHA-1-PLUS', binding: 'tls-server-end-point' },
    'malformed-request'
  )
  const old = await server.connect({ transport: 'tls', ...TLS12 })
  const features = await old.open()
  assert.deepEqual(bindingTypesOf(features), [])
  assert.deepEqual(mechanismsOf(features), OTHERS)
  assert.equal(conditionOf(features), 'mechanisms')
})

test('an announcement stands beside the mechanisms (XEP-0440 §2)', async t => {
  const { connect } = await rig(t)
  const juliet = await connect({ transport: 'tls', ...TLS12 })
  const features = await juliet.open()
  const list = features.getChild('sasl-channel-binding', NS.CHANNEL_BINDINGS)
  assert.equal(
    list?.toString(),
    `<sasl-channel-binding xmlns="urn:xmpp:sasl-cb:0"><channel-binding type="tls-server-end-point"/></sasl-channel-binding>`
  )
})
