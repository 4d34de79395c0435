import { createServer, type Server, type Socket } from 'node:net'
import { CodedError, StreamError } from '../errors'
import { refuseUpgrade } from '../http/upgrade'
import type { StreamBackend } from './backend'
import { ClientStream } from './client'
import {
  tcpEntrance,
  webSocketEntrance,
  type AcceptedWebSocket,
  type Entrance,
  type Upgrade
} from './library'
import { Ports, type Port } from './ports'
import type { Ticket } from './rates/admission'
import type { StreamLimits } from './rates/limits'
import { DEFAULT_SETTINGS, type StreamSettings } from './settings'
import { SocketConnection, type DirectTls } from './socket-connection'
import { preparedDomain } from './sni'
import { WebSocketConnection } from './websocket-connection'
import { checkUpgrade, type WebSocketPolicy } from './websocket-upgrade'

/** Where clients connect: `tcp` begins in plain text, `tls` with TLS (XEP-0368). */
export interface ClientPort extends Port {
  transport: 'tcp' | 'tls'
}

/** What a module may ask for. Its name stands for it: it may ask again with other settings. */
export interface ClientListening {
  /**
   * Takes clients at these addresses, and no longer at others that it asked for before. Connections stay in
   * any case. Throws CodedError `ERR_LISTEN`; then nothing has changed.
   */
  listen(
    owner: string,
    ports: readonly ClientPort[],
    settings: Partial<StreamSettings>
  ): Promise<ClientPort[]>
  /** Takes upgrade requests to WebSocket (RFC 7395). */
  webSocket(
    owner: string,
    settings: Partial<StreamSettings>,
    policy: WebSocketPolicy
  ): (upgrade: Upgrade) => void
}

/** What core keeps for a module that takes clients, beyond its reloads. */
interface Gateway {
  settings: StreamSettings
  given: Partial<StreamSettings>
  policy: WebSocketPolicy
  tcp: Entrance<Socket>
  tls: Entrance<Socket>
  webSockets: Entrance<Upgrade>
}

/** Bytes that a WebSocket message may have beyond the limit for stanzas, so that it is refused by a stream error. */
const PAYLOAD_MARGIN = 65536

/** XEP-0368 §3, as it is sent: with its length (RFC 7301 §3.1). */
const ALPN = Buffer.from('\x0bxmpp-client')

/** Milliseconds until the kernel asks whether a silent peer is there. */
const TCP_KEEPALIVE = 120_000

/** The ports where clients connect, and the streams that came in there. */
export class ClientListeners implements ClientListening {
  readonly #backend: StreamBackend
  readonly #base: () => Partial<StreamSettings>
  readonly #limits: StreamLimits | undefined
  readonly #gateways = new Map<string, Gateway>()
  readonly #ports = new Ports<ClientPort>(
    (port, owner) => this.#server(port, owner),
    port => port.transport
  )
  /** Of sockets, until they are connections. */
  readonly #tickets = new WeakMap<Socket, Ticket>()
  readonly #addresses = new WeakMap<Socket, string>()
  /** While everything is being closed. */
  #emptied: (() => void) | undefined

  /** @param base what holds for all of its streams, in place of what their kind may; modules may say more */
  constructor(
    backend: StreamBackend,
    base: () => Partial<StreamSettings> = () => backend.streamLimits?.settings('c2s') ?? {}
  ) {
    this.#backend = backend
    this.#base = base
    this.#limits = backend.streamLimits
  }

  async listen(
    owner: string,
    ports: readonly ClientPort[],
    settings: Partial<StreamSettings>
  ): Promise<ClientPort[]> {
    if (ports.some(port => port.transport === 'tls')) this.#directTls()
    const gateway = this.#gateway(owner)
    const bound = await this.#ports.claim(owner, ports)
    gateway.given = settings
    this.#settle(gateway)
    return bound
  }

  webSocket(
    owner: string,
    settings: Partial<StreamSettings>,
    policy: WebSocketPolicy
  ): (upgrade: Upgrade) => void {
    const gateway = this.#gateway(owner)
    gateway.given = settings
    gateway.policy = policy
    this.#settle(gateway)
    return upgrade => {
      if (!checkUpgrade(upgrade, gateway.policy) || !this.#admits(upgrade)) return
      if (upgrade.remoteAddress !== undefined) this.#addresses.set(upgrade.socket, upgrade.remoteAddress)
      gateway.webSockets.accept(upgrade)
    }
  }

  /** Whether there may be one more connection; it is answered where not. */
  #admits(upgrade: Upgrade): boolean {
    if (!this.#limits) return true
    const { socket } = upgrade
    const address = upgrade.remoteAddress ?? socket.remoteAddress ?? ''
    const ticket = this.#limits.admission.enter('c2s', 'websocket', address)
    if (!ticket) {
      refuseUpgrade(upgrade, 429, 'There are too many connections of your address.', { 'Retry-After': '60' })
      return false
    }
    this.#tickets.set(socket, ticket)
    // The handshake may fail still, and then there is no connection that would leave
    socket.once('close', () => ticket.leave())
    return true
  }

  /** Where clients connect now. */
  ports(): ClientPort[] {
    return this.#ports.list()
  }

  /** The server's config has changed. */
  refresh(): void {
    for (const gateway of this.#gateways.values()) this.#settle(gateway)
  }

  /** How many connections there are. */
  get size(): number {
    let size = 0
    for (const entrance of this.#entrances()) size += entrance.size
    return size
  }

  /** All streams, also those that nobody has logged in on. */
  streams(): ClientStream[] {
    return this.#entrances().flatMap(entrance => entrance.streams())
  }

  #entrances(): Entrance<never>[] {
    return [...this.#gateways.values()].flatMap(({ tcp, tls, webSockets }) => [tcp, tls, webSockets])
  }

  /** Accepts nothing more. */
  stopAccepting(): void {
    this.#ports.close()
  }

  /** Ends all streams and resolves when their connections are gone: those that do not end in time are dropped. */
  async close(error = new StreamError('system-shutdown'), within = 5000): Promise<void> {
    this.stopAccepting()
    for (const stream of this.streams()) stream.close(error)
    if (this.size === 0) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(() => {
        for (const stream of this.streams()) stream.abandon('the server stops')
      }, within)
      this.#emptied = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #gateway(owner: string): Gateway {
    const known = this.#gateways.get(owner)
    if (known) return known
    const gateway = this.#newGateway()
    this.#gateways.set(owner, gateway)
    this.#settle(gateway)
    return gateway
  }

  #settle(gateway: Gateway): void {
    // The streams hold this very object, so that they follow.
    Object.assign(gateway.settings, DEFAULT_SETTINGS, this.#base(), gateway.given)
  }

  #newGateway(): Gateway {
    const settings = { ...DEFAULT_SETTINGS }
    const gone = (): void => {
      if (this.#emptied && this.size === 0) this.#emptied()
    }
    const gateway: Gateway = {
      settings,
      given: {},
      policy: { origins: [], assumeSecure: false },
      tcp: tcpEntrance(socket => this.#overSocket(socket, settings), gone),
      tls: tcpEntrance(socket => this.#overSocket(socket, settings, this.#directTls()), gone),
      webSockets: webSocketEntrance(accepted => this.#overWebSocket(accepted, settings), gone, {
        isSecure: socket => 'encrypted' in socket || gateway.policy.assumeSecure,
        maxPayload: () => settings.limits.stanzaBytes + PAYLOAD_MARGIN
      })
    }
    return gateway
  }

  #server({ transport }: ClientPort, owner: string): Server {
    const options = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEPALIVE
    }
    return createServer(options, socket => {
      const ticket = this.#limits?.admission.accept('c2s', transport, socket)
      if (!ticket && this.#limits) return
      if (ticket) this.#tickets.set(socket, ticket)
      this.#gateways.get(owner)?.[transport].accept(socket)
    })
  }

  #overSocket(socket: Socket, settings: StreamSettings, tls?: DirectTls) {
    const connection = new SocketConnection(socket, settings.limitsBeforeAuth, tls)
    connection.ticket = this.#tickets.get(socket)
    return { connection, stream: new ClientStream(connection, this.#backend, settings) }
  }

  #overWebSocket({ webSocket, socket, secure }: AcceptedWebSocket, settings: StreamSettings) {
    const connection = new WebSocketConnection(
      webSocket,
      socket,
      secure,
      settings.limitsBeforeAuth,
      this.#addresses.get(socket)
    )
    connection.ticket = this.#tickets.get(socket)
    return { connection, stream: new ClientStream(connection, this.#backend, settings) }
  }

  #directTls(): DirectTls {
    const backend = this.#backend
    const secureContext = backend.secureContext(backend.defaultDomain())
    if (!secureContext)
      throw new CodedError('ERR_LISTEN', 'direct TLS needs a certificate, and there is none')
    return {
      secureContext,
      ALPNProtocols: ALPN,
      SNICallback: (name, done) => done(null, backend.secureContext(preparedDomain(name)) ?? secureContext)
    }
  }
}
