import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net'
import { TLSSocket, type SecureContext } from 'node:tls'
import { CodedError } from '../errors'
import type { Gate } from '../events/gate'
import type { Items } from '../events/items'
import type { Log } from '../log'
import { Ports, type Port } from '../streams/ports'
import { preparedDomain } from '../streams/sni'
import type { Ticket } from '../streams/rates/admission'
import { clientAddress, type Proxies } from './forwarded'
import type { HttpUpgradeRequest } from './items'
import { pathOf, refuseUpgrade } from './upgrade'
import './items'

/** Where HTTP is spoken, inside TLS or not. */
export interface HttpPort extends Port {
  tls: boolean
}

/** What modules may ask of the HTTP listener; routes and upgrades are items. */
export interface HttpListening {
  /**
   * Listens at these addresses too, and no longer at others that the same owner asked for before. Every address
   * has the routes of all modules. Throws CodedError `ERR_LISTEN`; then nothing has changed.
   */
  listen(owner: string, ports: readonly HttpPort[]): Promise<HttpPort[]>
  /** Where HTTP is spoken now, whoever asked for it. */
  ports(): HttpPort[]
}

export interface HttpParts {
  gate: Gate
  log: Log
  /** Where `http-route` and `http-upgrade` are offered. */
  items: Items
  /** By domain; that for '' is used where a client names none. */
  secureContext(domain: string): SecureContext | undefined
  /** Whose word is taken for whom they speak for; nobody's unless given. */
  proxies?(): Proxies
  /** Counts a connection; undefined where there are too many of its address. */
  admit?(socket: Socket, transport: 'tcp' | 'tls'): Ticket | undefined
}

const HEADERS_TIMEOUT = 10_000
const REQUEST_TIMEOUT = 30_000
const CHECK_INTERVAL = 5000
const MAX_HEADERS = 16_384

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** The one HTTP listener of the server, which modules share. */
export class HttpServer implements HttpListening {
  readonly #parts: HttpParts
  readonly #ports = new Ports<HttpPort>(
    port => (port.tls ? this.#overTls() : this.#overTcp()),
    port => (port.tls ? 'https' : 'http')
  )
  readonly #servers = new Set<Server>()
  #handle: Handler | undefined

  constructor(parts: HttpParts) {
    this.#parts = parts
  }

  async listen(owner: string, ports: readonly HttpPort[]): Promise<HttpPort[]> {
    if (ports.some(port => port.tls)) this.#context('')
    if (ports.length > 0) this.#handle ??= this.#load()
    return this.#ports.claim(owner, ports)
  }

  ports(): HttpPort[] {
    return this.#ports.list()
  }

  /** Accepts nothing more and drops what is idle; WebSockets are none of its business any more. */
  close(): void {
    this.#ports.close()
    for (const server of this.#servers) server.closeAllConnections()
    this.#servers.clear()
  }

  /** Only who speaks HTTP pays for hono. */
  #load(): Handler {
    const { Routes } = require('./routes') as typeof import('./routes')
    return new Routes(this.#parts.items, this.#parts.log, request => this.#addressOf(request)).listener()
  }

  #overTcp(): Server {
    const server = this.#makeHttp()
    server.on('connection', socket => void this.#admit(socket))
    return server
  }

  #makeHttp(): Server {
    const options = {
      noDelay: true,
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: CHECK_INTERVAL,
      maxHeaderSize: MAX_HEADERS
    }
    const server = createServer(options, (request, response) => {
      this.#whenOpen(() => void this.#handle?.(request, response))
    })
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      // Whoever takes it over listens too; until then nobody does.
      socket.on('error', ignore)
      this.#whenOpen(() => this.#upgrade({ request, socket, head, remoteAddress: this.#addressOf(request) }))
    })
    this.#servers.add(server)
    server.on('close', () => this.#servers.delete(server))
    return server
  }

  /** A server of sockets, which are handed to one of HTTP when TLS is negotiated. */
  #overTls(): TcpServer {
    const http = this.#makeHttp()
    // It never listens itself, but this is when it starts to look after slow requests.
    http.emit('listening')
    const server = createTcpServer({ noDelay: true }, socket => {
      // Before TLS, which costs more than what comes after it
      if (!this.#admit(socket, 'tls')) return
      const secureContext = this.#parts.secureContext('')
      // It was there when the port was opened
      if (!secureContext) {
        this.#parts.log.error('there is no certificate for HTTPS any more')
        return socket.destroy()
      }
      const tls = new TLSSocket(socket, {
        isServer: true,
        requestCert: false,
        secureContext,
        SNICallback: (name, done) =>
          done(null, this.#parts.secureContext(preparedDomain(name)) ?? secureContext)
      })
      const late = setTimeout(() => tls.destroy(), HEADERS_TIMEOUT)
      tls.on('error', () => tls.destroy())
      tls.on('close', () => clearTimeout(late))
      tls.on('secure', () => {
        clearTimeout(late)
        http.emit('connection', tls)
      })
    })
    server.on('close', () => http.close())
    return server
  }

  #context(domain: string): SecureContext {
    const context = this.#parts.secureContext(domain)
    if (!context) throw new CodedError('ERR_LISTEN', 'HTTPS needs a certificate, and there is none')
    return context
  }

  #addressOf(request: IncomingMessage): string {
    const proxies = this.#parts.proxies?.()
    return proxies ? clientAddress(request, proxies) : (request.socket.remoteAddress ?? '')
  }

  /** False where it is not taken; then it has ended. */
  #admit(socket: Socket, transport: 'tcp' | 'tls' = 'tcp'): boolean {
    const { admit } = this.#parts
    if (!admit) return true
    const ticket = admit(socket, transport)
    if (!ticket) socket.destroy()
    else if (socket.destroyed) ticket.leave()
    else socket.once('close', () => ticket.leave())
    return ticket !== undefined
  }

  /** While modules are swapped, requests wait. */
  #whenOpen(step: () => void): void {
    const { gate } = this.#parts
    if (gate.open) step()
    else gate.whenOpen(step)
  }

  #upgrade(upgrade: HttpUpgradeRequest): void {
    const { request } = upgrade
    const path = pathOf(request.url)
    const at = this.#parts.items.list('http-upgrade').filter(item => item.path === path)
    if (at.length === 0) return refuseUpgrade(upgrade, 404, 'There is nothing here.')
    const wanted = (request.headers.upgrade ?? '').toLowerCase().split(/\s*,\s*/)
    const item = at.find(({ protocol }) => wanted.includes(protocol))
    if (!item)
      return refuseUpgrade(upgrade, 400, `Only ${at.map(each => each.protocol).join(', ')} is spoken here.`)
    try {
      item.accept(upgrade)
    } catch (error) {
      this.#parts.log.error({ err: error, path }, 'an upgrade failed')
      upgrade.socket.destroy()
    }
  }
}

function ignore(): void {}
