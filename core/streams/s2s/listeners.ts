import { createServer, type Server, type Socket } from 'node:net'
import { CodedError } from '../../errors'
import { Ports, type Port } from '../ports'
import { preparedDomain } from '../sni'
import type { DirectTls } from '../socket-connection'
import type { ServerStreamBackend } from './backend'
import { SERVER_ALPN, ServerConnection } from './connection'
import { IncomingStream } from './incoming'
import { SERVER_FRAMING } from './names'
import type { ServerStreamSettings } from './settings'

/** Where other servers connect: `tcp` begins in plain text, `tls` with TLS (XEP-0368). */
export interface ServerPort extends Port {
  transport: 'tcp' | 'tls'
}

/** As it is sent: with its length (RFC 7301 §3.1). */
const ALPN = Buffer.from(`${String.fromCharCode(SERVER_ALPN.length)}${SERVER_ALPN}`)

/** Milliseconds until the kernel asks whether a silent peer is there. */
const TCP_KEEPALIVE = 120_000

/** The ports where other servers connect. */
export class ServerListeners {
  readonly #backend: ServerStreamBackend
  readonly #settings: ServerStreamSettings
  readonly #accepted: (stream: IncomingStream, connection: ServerConnection) => void
  readonly #ports = new Ports<ServerPort>(
    port => this.#server(port),
    port => port.transport
  )

  /** @param settings held by the streams: it may change */
  constructor(
    backend: ServerStreamBackend,
    settings: ServerStreamSettings,
    accepted: (stream: IncomingStream, connection: ServerConnection) => void
  ) {
    this.#backend = backend
    this.#settings = settings
    this.#accepted = accepted
  }

  /** Makes these the addresses; throws CodedError `ERR_LISTEN`, then nothing has changed. */
  async listen(owner: string, ports: readonly ServerPort[]): Promise<ServerPort[]> {
    if (ports.some(port => port.transport === 'tls')) this.#directTls()
    return this.#ports.claim(owner, ports)
  }

  ports(): ServerPort[] {
    return this.#ports.list()
  }

  /** Accepts nothing more. */
  close(): void {
    this.#ports.close()
  }

  #server({ transport }: ServerPort): Server {
    const options = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEPALIVE
    }
    return createServer(options, socket => this.#accept(socket, transport))
  }

  #accept(socket: Socket, transport: ServerPort['transport']): void {
    const { streamLimits } = this.#backend
    const ticket = streamLimits?.admission.accept('s2s', transport, socket)
    if (streamLimits && !ticket) return
    const direct = transport === 'tls' ? this.#directTls() : undefined
    const { limitsBeforeAuth } = this.#settings
    const connection = new ServerConnection(socket, limitsBeforeAuth, direct, SERVER_FRAMING)
    connection.ticket = ticket
    this.#accepted(new IncomingStream(connection, this.#backend, this.#settings), connection)
  }

  #directTls(): DirectTls {
    const backend = this.#backend
    const secureContext = backend.secureContext(backend.defaultDomain())
    if (!secureContext)
      throw new CodedError('ERR_LISTEN', 'direct TLS needs a certificate, and there is none')
    return {
      secureContext,
      ALPNProtocols: ALPN,
      SNICallback: (name, done) => done(null, backend.secureContext(preparedDomain(name)) ?? secureContext),
      // XEP-0178 §3
      requestCert: true
    }
  }
}
