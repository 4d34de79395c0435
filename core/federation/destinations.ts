import { CollapsedLog } from '../collapsed-log'
import { errorReply, StanzaError } from '../errors'
import { isPromise } from '../events/hooks'
import type { Host } from '../hosts/host'
import type { Log } from '../log'
import type { Router } from '../routing/router'
import type { Failure, Parcel, PeerStream } from '../streams/s2s/backend'
import type { OutgoingStream } from '../streams/s2s/outgoing'
import { unwatch, watch } from '../streams/sweeper'
import type { FederationQueue } from './api'
import { Destination, type DestinationOwner } from './destination'
import type { FederationMetrics } from './metrics'
import type { WaitingLimits } from './settings'

export interface DestinationsOptions {
  log: Log
  metrics: FederationMetrics
  router: Router
  limits(): WaitingLimits
  /** Whoever answers for a domain. */
  host(domain: string): Host | undefined
  open: DestinationOwner['open']
  hasAlternative: DestinationOwner['hasAlternative']
  /** A stanza has arrived. */
  changed(): void
}

/** How many full destinations may take as much together as all may. */
const FULL_AT_ONCE = 4
/** Milliseconds between two attempts to make room, each of which looks at all of them. */
const PAUSE = 500

/** All pairs of a host of this server and a foreign domain that have anything to say to each other. */
export class Destinations implements DestinationOwner {
  readonly #options: DestinationsOptions
  readonly #all = new Map<string, Destination>()
  readonly #active = new Set<Destination>()
  /** Strangers can name as many domains as they like. */
  readonly #repeated: CollapsedLog
  #madeRoomAt = 0

  constructor(options: DestinationsOptions) {
    this.#options = options
    this.#repeated = new CollapsedLog(options.log)
  }

  get limits(): WaitingLimits {
    return this.#options.limits()
  }

  /** @param most at once, above which there is no new one */
  get(local: string, remote: string, most: number): Destination | undefined {
    const pair = `${local} ${remote}`
    const known = this.#all.get(pair)
    if (known) return known
    if (this.#all.size >= most) this.#makeRoom()
    if (this.#all.size >= most) return undefined
    const destination = new Destination(local, remote, this)
    this.#all.set(pair, destination)
    watch(this)
    return destination
  }

  /** Whoever names a thousand domains that do not exist must not keep others from being reached. */
  #makeRoom(): void {
    const now = Date.now()
    if (now - this.#madeRoomAt < PAUSE) return
    this.#madeRoomAt = now
    for (const destination of this.list()) {
      if (!destination.dispensable) continue
      this.active(destination, false)
      this.forget(destination)
    }
  }

  find(local: string, remote: string): Destination | undefined {
    return this.#all.get(`${local} ${remote}`)
  }

  list(): Destination[] {
    return [...this.#all.values()]
  }

  /** Stanzas that wait, or may not have arrived. */
  get count(): number {
    let sum = 0
    for (const { count } of this.#all.values()) sum += count
    return sum
  }

  /** Whether nothing waits that may leave in the next moment. */
  get settled(): boolean {
    for (const { settled } of this.#all.values()) if (!settled) return false
    return true
  }

  describe(): FederationQueue[] {
    return this.list().map(({ local, remote, count, bytes, stream, problem }) => ({
      local,
      remote,
      stanzas: count,
      bytes,
      connected: stream !== undefined,
      ...(problem === undefined ? {} : { problem })
    }))
  }

  open(destination: Destination, signal: AbortSignal, after?: PeerStream): Promise<OutgoingStream> {
    return this.#options.open(destination, signal, after)
  }

  hasAlternative(stream: PeerStream): boolean {
    return this.#options.hasAlternative(stream)
  }

  /** To whoever sent it; never for an error or a result (RFC 6120 §8.3.1). */
  bounce({ stanza }: Pick<Parcel, 'stanza'>, error: StanzaError): void {
    const { router, host, metrics, log } = this.#options
    const reply = errorReply(stanza, error)
    const local = reply && host(domainIn(reply.attrs.to))
    if (!local) return
    metrics.bounced(error.condition)
    const failed = (err: unknown): void => log.error({ err }, 'an error could not be delivered')
    try {
      const result = router.route(reply, { kind: 'local', name: local.name })
      if (isPromise(result)) result.catch(failed)
    } catch (err) {
      failed(err)
    }
  }

  delivered(): void {
    this.#options.metrics.delivered.inc()
    this.#options.changed()
  }

  failed({ local, remote }: Destination, { condition, reason }: Failure): void {
    const data = { local, remote, condition }
    this.#repeated.info(`${local} ${remote}`, data, `no stream to ${remote}: ${reason}`)
  }

  active(destination: Destination, active: boolean): void {
    if (active === this.#active.has(destination)) return
    if (active) this.#active.add(destination)
    else this.#active.delete(destination)
  }

  sweep(now: number): void {
    for (const destination of [...this.#active]) destination.sweep(now)
    this.#lighten()
  }

  /** Memory is for all: where too much waits, those for whom most of it does get no more for a while. */
  #lighten(): void {
    const most = this.limits.bytes * FULL_AT_ONCE
    let sum = 0
    for (const { bytes } of this.#all.values()) sum += bytes
    if (sum <= most) return
    for (const destination of this.list().sort((a, b) => b.bytes - a.bytes)) {
      sum -= destination.bytes
      const { local, remote } = destination
      this.#repeated.warn(
        `heavy ${remote}`,
        { local, remote },
        `too much waits for other servers, most of it for ${remote}`
      )
      destination.refuse(
        new StanzaError('resource-constraint', { type: 'wait', text: `too much waits for ${remote}` })
      )
      if (sum <= most) return
    }
  }

  forget(destination: Destination): void {
    const pair = `${destination.local} ${destination.remote}`
    if (this.#all.get(pair) === destination) this.#all.delete(pair)
    if (this.#all.size === 0) unwatch(this)
  }

  /** Nothing more is sent; what waits is answered with that error. */
  close(error: StanzaError): void {
    for (const destination of this.list()) destination.close(error)
  }

  /** Ends what runs by the clock. */
  stop(): void {
    this.#active.clear()
    this.#repeated.flush()
    unwatch(this)
  }
}

/** The domain of an address that is known to be one. */
export function domainIn(address: string | undefined): string {
  const [bare = ''] = (address ?? '').split('/', 1)
  return bare.slice(bare.lastIndexOf('@') + 1)
}
