import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import tls, { type SecureContext } from 'node:tls'
import { Certificates } from '../../../core/streams/certificates'
import type { ConnectionOwner } from '../../../core/streams/connection'
import { certificateProblem } from '../../../core/streams/identity'
import { makeCertificate } from '../../../core/streams/self-signed'
import { SocketConnection, type ConnectTls, type DirectTls } from '../../../core/streams/socket-connection'
import { DEFAULT_LIMITS } from '../../../core/xml/limits'
import { TestCa, writeLeaf, type Leaf, type LeafOptions } from '../../lib/ca'
import { FakeBackend } from './lib/backend'

/** The two ends of a stream, after TLS. */
interface Ends {
  server: SocketConnection
  client: SocketConnection
  /** Bytes that the client's socket has received. */
  received(): number
}

class Place {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-peers-'))
  readonly ca: Promise<TestCa> = TestCa.make()
  #count = 0

  constructor(readonly t: TestContext) {
    t.after(() => fs.rmSync(this.folder, { recursive: true }))
  }

  async leaf(options: LeafOptions = {}): Promise<Leaf> {
    return (await this.ca).issue({ dns: ['example.org'], ...options })
  }

  /** What a server on this certificate uses towards others, believing these authorities too. */
  async context(leaf: Leaf, ...authorities: string[]): Promise<SecureContext> {
    const name = `c${++this.#count}`
    const files = authorities.map((pem, i) => {
      const file = path.join(this.folder, `${name}.ca${i}`)
      fs.writeFileSync(file, pem)
      return file
    })
    const certificates = new Certificates(this.folder, new FakeBackend().log)
    const domains = new Map([['example.org', writeLeaf(this.folder, name, leaf)]])
    await certificates.load({ domains, authorities: files })
    const context = certificates.peerContext('example.org')
    assert.ok(context)
    return context
  }

  /** A context that believes the authority, on a certificate that is in order. */
  async trusting(): Promise<SecureContext> {
    return this.context(await this.leaf(), (await this.ca).pem)
  }

  /** Both ends, connected by direct TLS. */
  async connect(
    server: Partial<DirectTls> & { secureContext: SecureContext },
    client: Partial<ConnectTls> & { secureContext: SecureContext }
  ): Promise<Ends> {
    const accepted = await this.#sockets()
    const accept: DirectTls = {
      requestCert: true,
      SNICallback: (_name, done) => done(null),
      ALPNProtocols: Buffer.from('\x0bxmpp-server'),
      ...server
    }
    const ends: Ends = {
      server: new SocketConnection(accepted.server, DEFAULT_LIMITS, accept),
      client: new SocketConnection(accepted.client, DEFAULT_LIMITS, { servername: 'example.org', ...client }),
      received: () => accepted.client.bytesRead
    }
    await Promise.all([secured(ends.server), secured(ends.client)])
    return ends
  }

  async #sockets(): Promise<{ server: net.Socket; client: net.Socket }> {
    const listener = net.createServer({ allowHalfOpen: true })
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const client = net.connect({ port: (listener.address() as AddressInfo).port, allowHalfOpen: true })
    const [[server]] = (await Promise.all([once(listener, 'connection'), once(client, 'connect')])) as [
      [net.Socket],
      unknown
    ]
    listener.close()
    this.t.after(() => {
      server.destroy()
      client.destroy()
    })
    return { server, client }
  }
}

function secured(connection: SocketConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const nothing = (): void => undefined
    const owner: ConnectionOwner = {
      header: nothing,
      element: nothing,
      streamEnd: nothing,
      fault: nothing,
      secured: resolve,
      expired: nothing,
      tick: nothing,
      gone: reason => reject(new Error(reason))
    }
    connection.owner = owner
  })
}

/** What each end finds wrong with the other one's certificate, for example.org. */
async function verdicts(
  place: Place,
  leaf: Leaf,
  domain = 'example.org'
): Promise<Array<string | undefined>> {
  const judge = await place.trusting()
  const shown = await place.context(leaf)
  const asClient = await place.connect({ secureContext: judge }, { secureContext: shown })
  const asServer = await place.connect({ secureContext: shown }, { secureContext: judge })
  return [
    certificateProblem(asClient.server.peerCertificate, domain),
    certificateProblem(asServer.client.peerCertificate, domain)
  ]
}

test('a good certificate, on either side: trusted, with its name', async t => {
  const place = new Place(t)
  assert.deepEqual(await verdicts(place, await place.leaf()), [undefined, undefined])
  const other = await verdicts(place, await place.leaf({ dns: ['other.example'] }))
  for (const problem of other) assert.match(String(problem), /does not name example\.org/)
  assert.deepEqual(await verdicts(place, await place.leaf({ dns: ['*.example.org'] }), 'a.example.org'), [
    undefined,
    undefined
  ])
})

test('expired, not valid yet, another authority, signed by itself: not trusted, and the handshake succeeds', async t => {
  const place = new Place(t)
  const foreign = await TestCa.make('Authority of a test')
  const own = await makeCertificate(['example.org'])
  const cases: Array<[Leaf, RegExp]> = [
    [await place.leaf({ from: -30, until: -1 }), /CERT_HAS_EXPIRED/],
    [await place.leaf({ from: 1 }), /CERT_NOT_YET_VALID/],
    [await foreign.issue({ dns: ['example.org'] }), /not trusted/],
    [own, /not trusted/]
  ]
  for (const [leaf, why] of cases)
    for (const problem of await verdicts(place, leaf)) assert.match(String(problem), why)
})

test('a chain: with its middle it is trusted, without it is not', async t => {
  const place = new Place(t)
  const middle = await (await place.ca).intermediate()
  assert.deepEqual(await verdicts(place, await middle.issue({ dns: ['example.org'] })), [
    undefined,
    undefined
  ])
  const alone = await middle.issue({ dns: ['example.org'], alone: true })
  for (const problem of await verdicts(place, alone)) assert.match(String(problem), /not trusted \(UNABLE_TO/)
})

test('what an ordinary certificate has signed is worth nothing', async t => {
  const place = new Place(t)
  const impostor = await (await place.ca).impostor()
  for (const problem of await verdicts(place, await impostor.issue({ dns: ['example.org'] })))
    assert.match(String(problem), /not trusted/)
})

test('no certificate: the handshake succeeds, there is none', async t => {
  const place = new Place(t)
  const judge = await place.trusting()
  const { server, client } = await place.connect(
    { secureContext: judge },
    { secureContext: tls.createSecureContext() }
  )
  assert.equal(server.peerCertificate, undefined)
  assert.match(String(certificateProblem(server.peerCertificate, 'example.org')), /no certificate/)
  assert.ok(client.peerCertificate?.certificate)
})

test('a certificate for the purpose of a server alone will do on either side', async t => {
  const place = new Place(t)
  const usage = ['server'] as const
  assert.deepEqual(await verdicts(place, await place.leaf({ usage })), [undefined, undefined])
  const middle = await (await place.ca).intermediate('For servers', { usage })
  assert.deepEqual(await verdicts(place, await middle.issue({ dns: ['example.org'], usage })), [
    undefined,
    undefined
  ])
})

test('that is no way around anything else', async t => {
  const place = new Place(t)
  const usage = ['server'] as const
  const names = { dns: ['example.org'], usage }
  const ca = await place.ca
  const foreign = await TestCa.make('Authority of a test')
  const foreignMiddle = await foreign.intermediate('For servers', { usage })
  const root = await foreign.issue(names)
  const middle = await ca.intermediate()
  const cases: Array<[Leaf, RegExp]> = [
    [await place.leaf({ usage, until: -1, from: -5 }), /CERT_HAS_EXPIRED/],
    [await place.leaf({ usage, from: 1 }), /CERT_NOT_YET_VALID/],
    // The name of the one that is believed, another key
    [await foreign.issue(names), /CERT_SIGNATURE_FAILURE/],
    [await (await TestCa.make('Somebody')).issue(names), /not trusted \(UNABLE_TO_/],
    // With its root, which nobody here knows
    [{ ...root, certificate: root.certificate + foreign.pem }, /not trusted/],
    [await foreignMiddle.issue(names), /not trusted/],
    [await (await ca.impostor()).issue(names), /not trusted/],
    [await middle.issue({ ...names, alone: true }), /not trusted/],
    [await (await ca.intermediate('For clients', { usage: ['client'] })).issue(names), /not trusted/]
  ]
  for (const [leaf, why] of cases) {
    const [asClient] = await verdicts(place, leaf)
    assert.match(String(asClient), why)
  }
})

test('two servers that made their certificates themselves believe each other by tls.ca', async t => {
  const place = new Place(t)
  const [a, b] = [await makeCertificate(['example.org']), await makeCertificate(['other.example'])]
  const { server, client } = await place.connect(
    { secureContext: await place.context(a, b.certificate) },
    { secureContext: await place.context(b, a.certificate) }
  )
  assert.equal(certificateProblem(client.peerCertificate, 'example.org'), undefined)
  assert.equal(certificateProblem(server.peerCertificate, 'other.example'), undefined)
})

test('the authorities of Node are not named to every server that connects', async t => {
  const place = new Place(t)
  const context = await place.trusting()
  const { received } = await place.connect({ secureContext: context }, { secureContext: context })
  assert.ok(received() > 500 && received() < 4096, `${received()} bytes`)
})

test('SNI chooses the certificate, ALPN is xmpp-server', async t => {
  const place = new Place(t)
  const judge = await place.trusting()
  const other = await place.context(await place.leaf({ dns: ['other.example'] }))
  const asked: string[] = []
  const { client } = await place.connect(
    {
      secureContext: judge,
      SNICallback: (name, done) => {
        asked.push(name)
        done(null, name === 'other.example' ? other : judge)
      }
    },
    { secureContext: judge, servername: 'other.example', alpn: 'xmpp-server' }
  )
  assert.deepEqual(asked, ['other.example'])
  assert.equal(certificateProblem(client.peerCertificate, 'other.example'), undefined)
  await assert.rejects(
    place.connect({ secureContext: judge }, { secureContext: judge, alpn: 'xmpp-client' }),
    'a port of servers takes no clients'
  )
})

test('no session is resumed: each connection shows its certificate', async t => {
  const place = new Place(t)
  const context = await place.trusting()
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const server = net.createServer(socket => {
      const accepted = new SocketConnection(socket, DEFAULT_LIMITS, {
        secureContext: context,
        requestCert: true,
        SNICallback: (_name, done) => done(null),
        ALPNProtocols: Buffer.from('\x0bxmpp-server')
      })
      void secured(accepted).then(
        () => accepted.send(accepted.peerCertificate ? 'shown' : 'hidden'),
        () => undefined
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const own = await place.leaf()
    let session: Buffer | undefined
    for (let i = 0; i < 2; i++) {
      const socket = tls.connect({
        port: (server.address() as AddressInfo).port,
        rejectUnauthorized: false,
        minVersion: version,
        maxVersion: version,
        cert: own.certificate,
        key: own.key,
        ...(session ? { session } : {})
      })
      socket.on('session', (ticket: Buffer) => (session = ticket))
      const [said] = (await once(socket, 'data')) as [Buffer]
      assert.equal(said.toString(), 'shown')
      assert.equal(socket.isSessionReused(), false, version)
      session ??= socket.getSession()
      socket.destroy()
    }
  }
})

test('renegotiation is refused', async t => {
  const place = new Place(t)
  const context = await place.trusting()
  const server = net.createServer(socket => {
    const accepted = new SocketConnection(socket, DEFAULT_LIMITS, {
      secureContext: context,
      requestCert: true,
      SNICallback: (_name, done) => done(null),
      ALPNProtocols: Buffer.from('\x0bxmpp-server')
    })
    void secured(accepted).catch(() => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const socket = tls.connect({
    port: (server.address() as AddressInfo).port,
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.2'
  })
  await once(socket, 'secureConnect')
  const error = await new Promise(resolve => {
    socket.on('error', resolve)
    socket.renegotiate({}, resolve)
  })
  assert.match(String(error), /no.renegotiation|handshake failure/i)
  socket.destroy()
})
