import assert from 'node:assert'
import test from 'node:test'
import net from 'node:net'
import tls, { createSecureContext } from 'node:tls'
import { makeCertificate } from '../../../core/streams/self-signed'
import { childrenOf } from '../../../core/xml/element'
import { NS } from '../../../core/xml/namespaces'
import { mechanismsOf } from '../../lib/sasl'
import { Raw } from './lib/raw'
import { DOMAIN, endsWith, header, JULIET, rig } from './lib/rig'

const STARTTLS = `<starttls xmlns='${NS.TLS}'/>`

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const transport of ['tcp', 'tls'] as const) {
    test(`${transport === 'tcp' ? 'STARTTLS' : 'direct TLS'} with ${version}`, async t => {
      const { login, certificate } = await rig(t)
      const juliet = await login('balcony', {
        transport,
        tls: { minVersion: version, maxVersion: version, ca: certificate?.certificate }
      })
      assert.equal(juliet.channel.tlsVersion, version)
      assert.equal(juliet.jid, `juliet@${DOMAIN}/balcony`)
      await juliet.fence()
    })
  }
}

test('TLS 1.1 is refused', async t => {
  const { connect } = await rig(t)
  await assert.rejects(
    connect({
      transport: 'tls',
      tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
    })
  )
})

test('RFC 6120 §5.3.1: nothing is offered beside a STARTTLS that is required', async t => {
  const { connect } = await rig(t)
  const juliet = await connect()
  const features = await juliet.open()
  assert.deepEqual(
    childrenOf(features).map(({ name }) => name),
    ['starttls']
  )
  assert.equal(childrenOf(childrenOf(features)[0] ?? features, 'required').length, 1)
})

test('RFC 6120 §5.4.3.3: not offered again inside TLS, PLAIN is offered there', async t => {
  const { connect } = await rig(t)
  const juliet = await connect()
  await juliet.open()
  const features = await juliet.startTls()
  assert.equal(childrenOf(features, 'starttls').length, 0)
  assert.deepEqual(mechanismsOf(features), ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'])
})

test('tls: optional offers both, PLAIN not', async t => {
  const { connect } = await rig(t, { settings: { tls: 'optional' } })
  const juliet = await connect()
  const features = await juliet.open()
  assert.equal(childrenOf(childrenOf(features, 'starttls')[0] ?? features, 'required').length, 0)
  assert.deepEqual(mechanismsOf(features), ['SCRAM-SHA-256', 'SCRAM-SHA-1'])
  await juliet.authenticate(JULIET)
})

test('tls: off offers no STARTTLS and refuses it', async t => {
  const { connect } = await rig(t, { settings: { tls: 'off' } })
  const juliet = await connect()
  const features = await juliet.open()
  assert.equal(childrenOf(features, 'starttls').length, 0)
  juliet.write(STARTTLS)
  await juliet.receives(`<failure xmlns='${NS.TLS}'/>`)
  await juliet.isClosed()
  assert.ok(juliet.ended, 'RFC 6120 §5.4.2.2')
})

test('tls: required without a certificate is a fault of ours', async t => {
  const { connect, backend } = await rig(t)
  backend.context = undefined
  const juliet = await connect()
  juliet.write(header())
  await endsWith(juliet, 'internal-server-error')
  assert.ok(backend.logged.some(({ level }) => level === 'error'))
})

test('a <starttls/> that holds something fails', async t => {
  const { connect } = await rig(t)
  const juliet = await connect()
  await juliet.open()
  juliet.write(`<starttls xmlns='${NS.TLS}'><now/></starttls>`)
  await juliet.receives(`<failure xmlns='${NS.TLS}'/>`)
  await juliet.isClosed()
})

test('an element of STARTTLS that nobody knows fails', async t => {
  const { connect } = await rig(t)
  const juliet = await connect()
  await juliet.open()
  juliet.write(`<proceed xmlns='${NS.TLS}'/>`)
  await juliet.receives(`<failure xmlns='${NS.TLS}'/>`)
  await juliet.isClosed()
})

test('STARTTLS inside TLS fails', async t => {
  const { connect } = await rig(t)
  const juliet = await connect()
  await juliet.open()
  await juliet.startTls()
  juliet.write(STARTTLS)
  await juliet.receives(`<failure xmlns='${NS.TLS}'/>`)
  await juliet.isClosed()
})

const smuggled = [
  [' ', 'white space'],
  [header(), 'a stream header'],
  [`<auth xmlns='${NS.SASL}' mechanism='PLAIN'>AGp1bGlldAByMG0zMG15cjBtMzA=</auth>`, 'a login'],
  ['<', 'the beginning of something'],
  [STARTTLS, 'another <starttls/>']
] as const

for (const [bytes, what] of smuggled) {
  test(`RFC 6120 §5.4.3.3: ${what} behind <starttls/> in the same packet is refused`, async t => {
    const { connect, backend } = await rig(t)
    const juliet = await connect()
    await juliet.open()
    juliet.write(STARTTLS + bytes)
    await juliet.receives(`<failure xmlns='${NS.TLS}'/>`)
    await juliet.isClosed()
    assert.ok(juliet.ended)
    assert.deepEqual(backend.told, [])
  })
}

test('RFC 6120 §5.4.3.3: bytes between <starttls/> and the handshake are no part of the encrypted stream', async t => {
  const { ports, backend } = await rig(t)
  const mallory = await Raw.connect(ports.tcp)
  t.after(() => mallory.destroy())
  mallory.write(header())
  await mallory.until('</stream:features>')
  mallory.write(STARTTLS)
  await mallory.until('<proceed')
  mallory.write(`${header()}<auth xmlns='${NS.SASL}' mechanism='PLAIN'>AGp1bGlldAByMG0zMG15cjBtMzA=</auth>`)
  await mallory.end()
  assert.ok(!mallory.text.includes('</stream:stream>'), 'RFC 6120 §5.4.3.2: no end tag')
  assert.deepEqual(backend.told, [])
})

test('RFC 6120 §5.4.3.3: what was said before TLS does not count', async t => {
  const { connect, backend } = await rig(t, { hosts: ['example.org'] })
  const juliet = await connect()
  await juliet.open({ to: 'example.org', from: 'nurse@example.org' })
  const plainId = juliet.header?.id
  await juliet.startTls()
  assert.equal(juliet.header?.from, DOMAIN)
  assert.notEqual(juliet.header?.id, plainId)
  await juliet.authenticate(JULIET)
  await juliet.bind()
  assert.equal(backend.told[0]?.session.domain, DOMAIN)
})

test('RFC 6120 §5.4.3.1: STARTTLS takes the certificate by `to`, direct TLS by SNI', async t => {
  const { ports, connect, backend } = await rig(t, { hosts: ['example.org'] })
  const { certificate, key } = await makeCertificate(['example.org'])
  backend.contexts.set('example.org', createSecureContext({ cert: certificate, key }))
  const romeo = await connect({ domain: 'example.org', tls: { ca: certificate, servername: 'example.org' } })
  await romeo.open()
  await romeo.startTls()
  assert.ok(romeo.channel.encrypted)

  for (const [servername, name] of [
    ['example.org', 'example.org'],
    ['EXAMPLE.org', 'example.org'],
    ['localhost', 'localhost'],
    ['example.net', 'localhost'],
    [undefined, 'localhost']
  ] as const) {
    const socket = tls.connect({
      host: '127.0.0.1',
      port: ports.tls,
      rejectUnauthorized: false,
      ...(servername ? { servername } : {})
    })
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    assert.equal(socket.getPeerCertificate().subjectaltname, `DNS:${name}`, `SNI ${servername}`)
    socket.destroy()
  }
})

test('XEP-0368 §3: ALPN is xmpp-client, or nothing', async t => {
  const { ports } = await rig(t)
  const negotiate = async (ALPNProtocols?: string[]): Promise<string | false | null> => {
    const socket = tls.connect({
      host: '127.0.0.1',
      port: ports.tls,
      rejectUnauthorized: false,
      ...(ALPNProtocols ? { ALPNProtocols } : {})
    })
    try {
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
      return socket.alpnProtocol
    } finally {
      socket.destroy()
    }
  }
  assert.equal(await negotiate(['xmpp-client']), 'xmpp-client')
  assert.equal(await negotiate(['h2', 'xmpp-client']), 'xmpp-client')
  assert.equal(await negotiate(), false)
  await assert.rejects(negotiate(['xmpp-server', 'http/1.1']))
})

test('plain text where TLS is spoken ends the connection', async t => {
  const { ports, listeners } = await rig(t)
  const socket = net.connect({ host: '127.0.0.1', port: ports.tls })
  socket.on('error', () => {})
  socket.resume()
  socket.write(header())
  await new Promise(resolve => socket.once('close', resolve))
  const romeo = net.connect({ host: '127.0.0.1', port: ports.tls })
  await new Promise(resolve => romeo.once('connect', resolve))
  romeo.destroy()
  assert.ok(listeners.size <= 1)
})

test('a client that never begins TLS is dropped', async t => {
  const { ports } = await rig(t, { settings: { authTimeout: 300 } })
  const socket = net.connect({ host: '127.0.0.1', port: ports.tls })
  socket.resume()
  socket.on('error', () => {})
  await new Promise(resolve => socket.once('close', resolve))
  assert.equal(socket.bytesRead, 0)
})
