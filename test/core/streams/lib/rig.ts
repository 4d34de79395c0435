import assert from 'node:assert'
import type { TestContext } from 'node:test'
import { createSecureContext } from 'node:tls'
import { HttpServer } from '../../../../core/http/server'
import { Items } from '../../../../core/events/items'
import { ClientListeners } from '../../../../core/streams/listeners'
import { makeCertificate, type Pem } from '../../../../core/streams/self-signed'
import type { StreamSettings } from '../../../../core/streams/settings'
import { watched } from '../../../../core/streams/sweeper'
import { NS } from '../../../../core/xml/namespaces'
import { conditionOf, TestClient, type ConnectOptions } from '../../../lib/client'
import { FakeBackend } from './backend'

export const JULIET = { user: 'juliet', password: 'r0m30myr0m30' }
export const DOMAIN = 'localhost'

export interface RigOptions {
  settings?: Partial<StreamSettings>
  /** Domains beside localhost. */
  hosts?: string[]
  /** No certificate. */
  plain?: boolean
  /** A WebSocket port too, with this policy. */
  webSocket?: { origins?: string[]; assumeSecure?: boolean }
}

export interface Rig {
  backend: FakeBackend
  listeners: ClientListeners
  http: HttpServer
  items: Items
  certificate: Pem | undefined
  ports: Record<'tcp' | 'tls' | 'ws' | 'wss', number>
  connect(options?: Partial<ConnectOptions>): Promise<TestClient>
  /** Connected and logged in. */
  login(resource?: string, options?: Partial<ConnectOptions>): Promise<TestClient>
}

let shared: Promise<Pem> | undefined

/** The streams of a server on free ports, over a backend that a test can look into. */
export async function rig(t: TestContext, options: RigOptions = {}): Promise<Rig> {
  const hosts = [DOMAIN, ...(options.hosts ?? [])]
  const backend = await FakeBackend.make(...hosts)
  const certificate = options.plain ? undefined : await (shared ??= makeCertificate([DOMAIN]))
  if (certificate) {
    backend.context = createSecureContext({ cert: certificate.certificate, key: certificate.key })
  }
  const settings: Partial<StreamSettings> = options.plain
    ? { tls: 'off', ...options.settings }
    : { ...options.settings }
  const listeners = new ClientListeners(backend)
  const items = new Items()
  const http = new HttpServer({
    gate: backend.gate,
    log: backend.log,
    items,
    secureContext: domain => backend.secureContext(domain)
  })
  const address = '127.0.0.1'
  const clients: TestClient[] = []
  t.after(async () => {
    for (const client of clients) client.destroy()
    await listeners.close(undefined, 1000)
    http.close()
    assert.equal(watched(), 0, 'no connection is left behind')
  })
  const bound = await listeners.listen(
    'c2s',
    [
      { transport: 'tcp', address, port: 0 },
      ...(certificate ? [{ transport: 'tls' as const, address, port: 0 }] : [])
    ],
    settings
  )
  if (options.webSocket) {
    const { origins = ['*'], assumeSecure = false } = options.webSocket
    const wsSettings = { tls: 'off' as const, ...options.settings }
    const accept = listeners.webSocket('websocket', wsSettings, { origins, assumeSecure })
    items.add('http-upgrade', { path: '/xmpp-websocket', protocol: 'websocket', accept }, 'test')
    await http.listen('test', [
      { address, port: 0, tls: false },
      ...(certificate ? [{ address, port: 0, tls: true }] : [])
    ])
  }
  const ports = {
    tcp: bound.find(port => port.transport === 'tcp')?.port ?? 0,
    tls: bound.find(port => port.transport === 'tls')?.port ?? 0,
    ws: http.ports().find(port => !port.tls)?.port ?? 0,
    wss: http.ports().find(port => port.tls)?.port ?? 0
  }
  const connect = async (more: Partial<ConnectOptions> = {}): Promise<TestClient> => {
    const port = ports[more.transport ?? 'tcp']
    const client = await TestClient.connect({ port, domain: DOMAIN, ...more })
    clients.push(client)
    return client
  }
  const login = async (resource?: string, more?: Partial<ConnectOptions>): Promise<TestClient> => {
    const client = await connect(more)
    return client.login({ ...JULIET, ...(resource === undefined ? {} : { resource }) })
  }
  return { backend, listeners, http, items, certificate, ports, connect, login }
}

/** The server ends the stream with this error: header before it, end tag and end of the connection behind it. */
export async function endsWith(client: TestClient, condition: string): Promise<void> {
  const error = await client.next(`the stream error ${condition}`)
  assert.equal(error.name, 'error')
  assert.equal(error.attrs.xmlns, NS.STREAM)
  assert.equal(conditionOf(error), condition)
  await client.isClosed()
  assert.ok(client.header, 'RFC 6120 §4.9.1.2: a header comes before the error')
  assert.ok(client.ended, 'RFC 6120 §4.9.1.1: an end comes behind the error')
}

/** A stream header as it is written. */
export function header(attrs: Record<string, string | undefined> = {}, ns: string = NS.CLIENT): string {
  const written = Object.entries({ to: DOMAIN, version: '1.0', ...attrs })
    .map(([name, value]) => (value === undefined ? '' : ` ${name}='${value}'`))
    .join('')
  return `<?xml version='1.0'?><stream:stream xmlns='${ns}' xmlns:stream='${NS.STREAM}'${written}>`
}
