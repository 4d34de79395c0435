import type { Counter, Gauge, Labelled, Metrics } from '../../metrics'
import { unwatch, watch, type Swept } from '../sweeper'
import type { Handled } from './handled'
import type { Management } from './management'

/** A session with stream management, as whoever keeps them all knows it. */
export interface ManagedStream {
  readonly user: string
  readonly domain: string
  readonly management: Management | undefined
  /** Ends a session that has no connection. */
  expire(reason: string): void
}

/** What is remembered of a session that can be resumed no more: how much of what it sent was handled. */
interface Remembered {
  readonly user: string
  readonly domain: string
  readonly handled: Handled
}

/** Ended sessions that are remembered, for the `h` of `<failed/>` (XEP-0198 §5). */
const REMEMBERED = 4096

/** What comes of asking for a session by its identifier. */
export type Found<S> = { session: S } | { session?: undefined; h: number | undefined }

/** The sessions of one server that can be resumed, by their identifiers, and those of them without a connection. */
export class ManagedSessions<S extends ManagedStream = ManagedStream> implements Swept {
  readonly #byId = new Map<string, S>()
  /** By host, the one that lost its connection first in front. */
  readonly #hibernating = new Map<string, Set<S>>()
  readonly #ended = new Map<string, Remembered>()
  readonly #count: Gauge
  readonly #ends: Labelled<Counter>
  /** Resumptions that were asked for, by what came of them. */
  readonly resumptions: Labelled<Counter>
  /** Acknowledgements that did not come in time. */
  readonly late: Counter
  /** Sessions that were ended because their clients acknowledged too little. */
  readonly overflows: Counter

  constructor(metrics: Metrics) {
    this.#count = metrics.gauge('sessions_hibernating', 'Sessions without a connection')
    this.#ends = metrics.counter('sessions_hibernating_ended_total', 'Hibernating sessions that ended', [
      'reason'
    ])
    this.resumptions = metrics.counter('session_resumptions_total', 'Resumptions asked for', ['result'])
    this.late = metrics.counter('session_acks_late_total', 'Clients that did not acknowledge in time')
    this.overflows = metrics.counter('session_acks_overflow_total', 'Sessions that ended with a full queue')
  }

  /** A session can be resumed from now on. */
  add(session: S, { id }: Management): void {
    this.#byId.set(id, session)
  }

  /** The session is over; what is known of it is kept for a while. */
  remove(session: S, { id, handled }: Management): void {
    if (!this.#byId.delete(id)) return
    this.woken(session)
    const { user, domain } = session
    this.#ended.set(id, { user, domain, handled })
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= REMEMBERED) break
      this.#ended.delete(oldest)
    }
  }

  /** Somebody else's identifier is like one that does not exist: whoever tries it learns nothing. */
  find(id: string, user: string, domain: string): Found<S> {
    const session = this.#byId.get(id)
    if (session?.user === user && session.domain === domain) return { session }
    const ended = this.#ended.get(id)
    const own = ended?.user === user && ended.domain === domain
    return { h: own ? ended.handled.h : undefined }
  }

  /** A session has lost its connection. Ends the oldest where there are too many, of its account or of its host. */
  hibernate(session: S, { policy }: Management): void {
    const here = this.#hibernating.get(session.domain) ?? new Set()
    if (this.#hibernating.size === 0) watch(this)
    this.#hibernating.set(session.domain, here)
    here.add(session)
    this.#count.inc()
    const { perAccount, perHost } = policy.hibernating
    this.#makeRoom(
      [...here].filter(other => other.user === session.user),
      perAccount
    )
    this.#makeRoom(here, perHost)
  }

  #makeRoom(sessions: Iterable<S>, limit: number): void {
    const excess = [...sessions]
    excess.length = Math.max(0, excess.length - limit)
    for (const session of excess) this.#end(session, 'crowded')
  }

  /** It has a connection again, or is over. */
  woken(session: S): void {
    const here = this.#hibernating.get(session.domain)
    if (!here?.delete(session)) return
    this.#count.dec()
    if (here.size > 0) return
    this.#hibernating.delete(session.domain)
    if (this.#hibernating.size === 0) unwatch(this)
  }

  #end(session: S, reason: keyof typeof REASONS): void {
    this.#ends.with(reason).inc()
    session.expire(REASONS[reason])
  }

  sweep(now: number): void {
    for (const sessions of this.#hibernating.values()) this.#lighten(sessions)
    for (const session of this.hibernating()) {
      const { management } = session
      if (!management || management.until > now) continue
      // Whoever waits for what it sent to be handled shall have it.
      if (management.claim?.closed === false) continue
      this.#end(session, 'expired')
    }
  }

  /** Ends those that hold most, where all of a host hold too much together. */
  #lighten(sessions: ReadonlySet<S>): void {
    const bytesOf = ({ management }: S): number => management?.queue.bytes ?? 0
    let bytes = 0
    let limit = 0
    for (const session of sessions) {
      bytes += bytesOf(session)
      limit = session.management?.policy.hibernating.bytes ?? limit
    }
    if (bytes <= limit) return
    for (const session of [...sessions].sort((a, b) => bytesOf(b) - bytesOf(a))) {
      if (bytes <= limit) return
      bytes -= bytesOf(session)
      this.#end(session, 'heavy')
    }
  }

  /** Those without a connection, on all hosts. */
  hibernating(): S[] {
    return [...this.#hibernating.values()].flatMap(sessions => [...sessions])
  }
}

const REASONS = {
  expired: 'it was not resumed in time',
  crowded: 'too many sessions without a connection',
  heavy: 'too much waits for sessions without a connection'
}
