import { createServer, type Server, type Socket } from 'node:net'
import type { StreamError } from '../../errors'
import { OUTPUT_FULL } from '../connection'
import { Ports, type Port } from '../ports'
import { DEFAULT_SETTINGS, type StreamSettings } from '../settings'
import { SocketConnection } from '../socket-connection'
import { ComponentStream } from './accepted'
import type { ComponentBackend } from './backend'
import { COMPONENT_FRAMING } from './framing'

/** Milliseconds until the kernel asks whether a silent peer is there. */
const TCP_KEEPALIVE = 60_000

/** All ports for components have one owner: hosts share them. */
const OWNER = 'components'

/**
 * It is read also while it does not read: a component that reads nothing until it is read, as we do where we are one,
 * would wait for ever for us who wait for it. What its requests are answered meanwhile is bounded by `maxOutput`.
 */
class AcceptedConnection extends SocketConnection {
  override pause(reason: number): void {
    if (reason !== OUTPUT_FULL) super.pause(reason)
  }
}

/** The ports where external components connect, and the streams that came in there. */
export class ComponentListeners {
  readonly #backend: ComponentBackend
  readonly #settings: () => StreamSettings
  readonly #streams = new Set<ComponentStream>()
  readonly #ports = new Ports<Port>(
    port => this.#server(port),
    () => ''
  )
  /** While everything is being closed. */
  #emptied: (() => void) | undefined

  /** @param settings of a stream that comes in now */
  constructor(backend: ComponentBackend, settings: () => StreamSettings = () => ({ ...DEFAULT_SETTINGS })) {
    this.#backend = backend
    this.#settings = settings
  }

  /** Listens there and nowhere else. Throws CodedError `ERR_LISTEN`; then nothing has changed. */
  listen(ports: readonly Port[]): Promise<Port[]> {
    return this.#ports.claim(OWNER, ports)
  }

  /** Where components connect now. */
  ports(): Port[] {
    return this.#ports.list()
  }

  /** How many connections there are, with or without a handshake. */
  get size(): number {
    return this.#streams.size
  }

  /** Accepts nothing more. */
  stopAccepting(): void {
    this.#ports.close()
  }

  /** Ends all streams and resolves when their connections are gone: those that do not end in time are dropped. */
  async close(error: StreamError, within: number): Promise<void> {
    this.stopAccepting()
    for (const stream of this.#streams) stream.close(error)
    if (this.#streams.size === 0) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(() => {
        for (const stream of this.#streams) stream.abandon('the server stops')
      }, within)
      this.#emptied = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #server(port: Port): Server {
    const options = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEPALIVE
    }
    return createServer(options, socket => this.#accept(socket, port))
  }

  #accept(socket: Socket, port: Port): void {
    const { streamLimits } = this.#backend
    const ticket = streamLimits?.admission.accept('component', 'tcp', socket)
    if (streamLimits && !ticket) return
    const settings = this.#settings()
    const connection = new AcceptedConnection(socket, settings.limitsBeforeAuth, undefined, COMPONENT_FRAMING)
    connection.ticket = ticket
    const stream = new ComponentStream(connection, this.#backend, settings, port)
    this.#streams.add(stream)
    connection.keeper = {
      connectionGone: () => {
        this.#streams.delete(stream)
        if (this.#streams.size === 0) this.#emptied?.()
      }
    }
  }
}
