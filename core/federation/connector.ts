import type { SecureContext } from 'node:tls'
import { dial, findTargets, routeTarget, Unreachable, type Dialled, type Dns, type Target } from '../net'
import type { PeerStream } from '../streams/s2s/backend'
import { connectTls, SERVER_ALPN, ServerConnection } from '../streams/s2s/connection'
import { SERVER_FRAMING } from '../streams/s2s/names'
import type { OutgoingStream } from '../streams/s2s/outgoing'
import type { XmlLimits } from '../xml/limits'
import { Unopened } from './destination'
import { byDomain, type FederationSettings } from './settings'

export interface ConnectorOptions {
  dns: Dns
  secureContext(domain: string): SecureContext | undefined
  settings(): FederationSettings
  /** Of what comes before authentication. */
  limits(): XmlLimits
}

export interface Connected {
  connection: ServerConnection
  /** TLS from the first byte. */
  direct: boolean
  /** Where else the server may be. */
  later: Target[]
}

/** Finds other servers and connects to them. */
export class Connector {
  readonly #options: ConnectorOptions
  /** Where to go when a stream comes to nothing. */
  readonly #later = new WeakMap<PeerStream, Target[]>()

  constructor(options: ConnectorOptions) {
    this.#options = options
  }

  /** Connects to a domain, in the name of one of ours. Rejects with Unopened. */
  async connect(local: string, remote: string, signal: AbortSignal, after?: PeerStream): Promise<Connected> {
    const { socket, target, later } = await this.#dial(remote, signal, after && this.#later.get(after))
    const context = target.tls === 'direct' ? this.#options.secureContext(local) : undefined
    if (target.tls === 'direct' && !context) {
      socket.destroy()
      const reason = 'there is no certificate for TLS'
      throw new Unopened({ condition: 'remote-server-timeout', reason, temporary: true })
    }
    const direct = context && { ...connectTls(context, remote), alpn: SERVER_ALPN }
    const connection = new ServerConnection(socket, this.#options.limits(), direct, SERVER_FRAMING)
    return { connection, direct: direct !== undefined, later }
  }

  async #dial(remote: string, signal: AbortSignal, known: Target[] | undefined): Promise<Dialled> {
    const { dns, settings } = this.#options
    try {
      const targets = known ?? (await this.#targets(remote))
      return await dial(targets, { dns, signal, timeout: settings().connectTimeout })
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      const { condition, message: reason, temporary } = error
      throw new Unopened({ condition, reason, temporary })
    }
  }

  async #targets(remote: string): Promise<readonly Target[]> {
    const route = byDomain(this.#options.settings().routes, remote)
    if (!route) return findTargets(this.#options.dns, remote)
    const { host, port, tls } = route
    return [routeTarget({ host, port, ...(tls ? { tls } : {}) })]
  }

  /** What to try when that stream comes to nothing. */
  remember(stream: OutgoingStream, later: Target[]): void {
    if (later.length > 0) this.#later.set(stream, later)
  }

  /** Whether there is anything to try, now that it has. */
  hasAlternative(stream: PeerStream): boolean {
    return this.#later.has(stream) && !(stream as OutgoingStream).spoken // only outgoing ones are remembered
  }
}
