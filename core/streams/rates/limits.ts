import type { Log } from '../../log'
import { CollapsedLog } from '../../collapsed-log'
import type { Metrics } from '../../metrics'
import { DEFAULT_LIMITS, type XmlLimits } from '../../xml/limits'
import type { StreamSettings } from '../settings'
import { Admission, type ConnectionKind, type Refusal, type TransportName } from './admission'
import { backlogs } from './backlogs'
import { STREAM_KINDS, type StreamKind } from './kinds'
import { Logins } from './logins'
import { CORE_POLICY, type LimitsPolicy } from './policy'
import { Networks } from './source'
import { Traffic } from './traffic'

/** What the server's config says of streams of every kind; sizes in bytes, times in milliseconds. */
export interface BaseLimits {
  xml: XmlLimits
  xmlBeforeAuth: XmlLimits
  authTimeout: number
  maxOutput: number
  /** For all connections together. */
  maxOutputInAll: number
}

/** What modules may say of limits: one does. */
export interface LimitSetting {
  /**
   * These limits hold from now on, for connections that are there as well; undefined goes back to core's. Throws
   * RangeError where `trusted` names no network.
   */
  set(policy: LimitsPolicy | undefined): void
  /** What holds now. */
  readonly policy: LimitsPolicy
}

type Live<T> = { -readonly [K in keyof T]: T[K] }

/**
 * The limits of a server's streams. A stream gets them by naming its kind: `settings(kind)` are its settings, as far
 * as limits are concerned, and `traffic(kind)`, which `Stream` hands to its connection, its rates. Who takes
 * connections asks `admission` first. The objects stay the same, so streams that are there follow every change.
 */
export class StreamLimits implements LimitSetting {
  readonly admission: Admission
  readonly logins: Logins
  readonly #base: () => BaseLimits
  readonly #kinds = new Map<StreamKind, { traffic: Traffic; xml: Live<XmlLimits>; before: Live<XmlLimits> }>()
  #policy: LimitsPolicy = CORE_POLICY
  /** Told of a policy that has changed: whoever keeps settings makes them anew. */
  changed: (() => void) | undefined

  constructor(parts: { log: Log; metrics: Metrics; base: () => BaseLimits }) {
    const { log, metrics } = parts
    this.#base = parts.base
    const pauses = metrics.counter('rate_pauses_total', 'Streams not read for a while: above their rate', [
      'kind'
    ])
    const stalls = metrics.counter(
      'unread_closed_total',
      'Connections closed: they did not read for too long',
      ['kind']
    )
    metrics.measure(
      'unread_output',
      'UTF-16 units that wait for connections which do not read',
      () => backlogs.sum
    )
    for (const kind of STREAM_KINDS) {
      const counters = { pauses: pauses.with(kind), stalls: stalls.with(kind) }
      this.#kinds.set(kind, {
        traffic: new Traffic(kind, counters),
        xml: { ...DEFAULT_LIMITS },
        before: { ...DEFAULT_LIMITS }
      })
    }
    this.admission = new Admission(admissionOf(CORE_POLICY), watcher(new CollapsedLog(log), metrics))
    metrics.measure(
      'unauthenticated_connections',
      'Connections on which nobody has logged in',
      () => this.admission.unauthenticated
    )
    this.logins = new Logins(CORE_POLICY.logins, {
      log,
      metrics,
      trusted: () => this.admission.policy.trusted
    })
    this.refresh()
  }

  get policy(): LimitsPolicy {
    return this.#policy
  }

  set(policy: LimitsPolicy = CORE_POLICY): void {
    this.admission.policy = admissionOf(policy)
    this.#policy = policy
    this.refresh()
    this.changed?.()
  }

  /** The server's config has changed. */
  refresh(): void {
    const { kinds, unreadTime, logins } = this.#policy
    const base = this.#base()
    backlogs.limit = base.maxOutputInAll
    this.logins.policy = logins
    for (const [kind, { traffic, xml, before }] of this.#kinds) {
      const { rates, stanzaBytes = base.xml.stanzaBytes } = kinds[kind]
      traffic.rates = rates
      traffic.unreadTime = unreadTime
      Object.assign(xml, base.xml, { stanzaBytes })
      Object.assign(before, base.xmlBeforeAuth)
    }
  }

  /** What holds for the connections of a kind. */
  traffic(kind: StreamKind): Traffic {
    return this.#of(kind).traffic
  }

  /** The settings of streams of a kind, as far as limits are concerned. */
  settings(kind: StreamKind): Partial<StreamSettings> & Pick<StreamSettings, 'limits'> {
    const { xml, before } = this.#of(kind)
    const { authTimeout, maxOutput } = this.#base()
    const { announce } = this.#policy
    return { kind, limits: xml, limitsBeforeAuth: before, authTimeout, maxOutput, announce }
  }

  #of(kind: StreamKind) {
    const found = this.#kinds.get(kind)
    if (!found) throw new Error(`no streams of the kind ${kind}`)
    return found
  }
}

function admissionOf({ kinds, http, unauthenticated, unauthenticatedPerAddress, trusted }: LimitsPolicy) {
  return {
    kinds: { ...kinds, http },
    unauthenticated,
    unauthenticatedPerAddress,
    trusted: new Networks(trusted)
  }
}

const WHY: Record<Refusal, string> = {
  address: 'a connection was refused: there are too many of that address',
  rate: 'a connection was refused: too many come from that address',
  unauthenticated: 'a connection was refused or given up: too many have not logged in'
}

function watcher(log: CollapsedLog, metrics: Metrics) {
  const connections = metrics.gauge('connections', 'Connections of streams', ['kind', 'transport'])
  const refusals = metrics.counter('connections_refused_total', 'Connections that were not taken', [
    'kind',
    'reason'
  ])
  return {
    changed: (kind: ConnectionKind, transport: TransportName, by: 1 | -1) =>
      connections.with(kind, transport).inc(by),
    refused: (kind: ConnectionKind, why: Refusal, address: string) => {
      refusals.with(kind, why).inc()
      log.warn(`${why} ${kind}`, { kind, address }, WHY[why])
    }
  }
}
