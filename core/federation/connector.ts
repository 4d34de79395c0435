import { isIP } from 'node:net'
import type { SecureContext } from 'node:tls'
import {
  dial,
  findTargets,
  parsePlace,
  routeTarget,
  Unreachable,
  type Dialled,
  type Dns,
  type Target
} from '../net'
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
  target: Target
  /** How often it was sent on to get there. */
  redirects: number
}

/** RFC 6120 §4.9.3.19: redirects that are followed, one after the other. */
const MAX_REDIRECTS = 3

/** Finds other servers and connects to them. */
export class Connector {
  readonly #options: ConnectorOptions
  /** Where a stream has led to, and where to go when it comes to nothing. */
  readonly #known = new WeakMap<PeerStream, Omit<Connected, 'connection'>>()

  constructor(options: ConnectorOptions) {
    this.#options = options
  }

  /** Connects to a domain, in the name of one of ours. Rejects with Unopened. */
  async connect(local: string, remote: string, signal: AbortSignal, after?: PeerStream): Promise<Connected> {
    const known = after && this.#known.get(after)
    const elsewhere = after && known && (await this.#elsewhere(after, known))
    const { socket, target, later } = await this.#dial(remote, signal, elsewhere ?? known?.later)
    const context = target.tls === 'direct' ? this.#options.secureContext(local) : undefined
    if (target.tls === 'direct' && !context) {
      socket.destroy()
      throw unopened('there is no certificate for TLS')
    }
    const direct = context && { ...connectTls(context, remote), alpn: SERVER_ALPN }
    const connection = new ServerConnection(socket, this.#options.limits(), direct, SERVER_FRAMING)
    const redirects = (known?.redirects ?? 0) + (elsewhere ? 1 : 0)
    return { connection, direct: direct !== undefined, later, target, redirects }
  }

  /** Where the server has sent us, in the name of the same domain (RFC 6120 §4.9.3.19). */
  async #elsewhere(
    after: PeerStream,
    { target }: Pick<Connected, 'target'>
  ): Promise<readonly Target[] | undefined> {
    const text = elsewhereOf(after)
    if (text === undefined) return undefined
    const { tls } = target
    const place = parsePlace(text)
    if (place) return [routeTarget({ ...place, tls })]
    const named = parsePlace(text, target.port)
    if (!named) throw unopened(`it sends us to ${JSON.stringify(text.slice(0, 100))}, which is no place`)
    return isIP(named.host) === 0
      ? this.#found(() => findTargets(this.#options.dns, named.host))
      : [routeTarget({ ...named, tls })]
  }

  async #dial(remote: string, signal: AbortSignal, known: readonly Target[] | undefined): Promise<Dialled> {
    const { dns, settings } = this.#options
    return this.#found(async () => {
      const targets = known ?? (await this.#targets(remote))
      return dial(targets, { dns, signal, timeout: settings().connectTimeout })
    })
  }

  async #found<T>(search: () => Promise<T>): Promise<T> {
    try {
      return await search()
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
  remember(stream: OutgoingStream, { connection: _, ...known }: Connected): void {
    this.#known.set(stream, known)
  }

  /** Whether there is anything to try, now that it has. */
  hasAlternative(stream: PeerStream): boolean {
    const known = this.#known.get(stream)
    if (!known) return false
    if (elsewhereOf(stream) !== undefined) return known.redirects < MAX_REDIRECTS
    return known.later.length > 0 && !(stream as OutgoingStream).spoken // only outgoing ones are remembered
  }
}

function elsewhereOf(stream: PeerStream): string | undefined {
  return (stream as OutgoingStream).elsewhere // only outgoing ones are remembered
}

function unopened(reason: string): Unopened {
  return new Unopened({ condition: 'remote-server-timeout', reason, temporary: true })
}
