import { CollapsedLog } from '../../collapsed-log'
import type { Log } from '../../log'
import type { Counter, Labelled, Metrics } from '../../metrics'
import { Derivations } from './derivations'
import { Pace } from './pace'
import type { LoginPolicy } from './policy'
import { sourceOf, type Networks } from './source'

/** Attempts that wait for their time, in all. */
const MOST_WAITING = 1000

/** Longer names are no names of accounts. */
const MOST_NAME = 1023

/** The server does not look at the attempt, for now: `temporary-auth-failure` (RFC 6120 §6.5.11). */
export class LoginBusy extends Error {}

interface Counters {
  successes: Labelled<Counter>
  failures: Counter
  delayed: Counter
  refused: Counter
}

/** Slows down whoever tries passwords, and keeps what checking them costs within bounds (RFC 6120 §6.4.5). */
export class Logins {
  readonly pace: Pace
  readonly derivations: Derivations
  readonly counters: Counters
  /** Attempts that wait for their time. */
  waiting = 0
  readonly #log: CollapsedLog
  readonly #trusted: () => Networks

  constructor(policy: LoginPolicy, parts: { log: Log; metrics: Metrics; trusted(): Networks }) {
    const { metrics } = parts
    this.pace = new Pace(policy)
    this.derivations = new Derivations(policy.derivations)
    this.#log = new CollapsedLog(parts.log)
    this.#trusted = () => parts.trusted()
    this.counters = {
      successes: metrics.counter('logins_total', 'Attempts to log in that succeeded', [
        'mechanism',
        'profile'
      ]),
      failures: metrics.counter('login_failures_total', 'Attempts to log in that failed'),
      delayed: metrics.counter('login_delays_total', 'Attempts to log in that had to wait'),
      refused: metrics.counter('login_refused_total', 'Attempts to log in that were not looked at: too many')
    }
  }

  set policy(policy: LoginPolicy) {
    this.pace.policy = policy
    this.derivations.limit = policy.derivations
  }

  /** One run of a mechanism begins on a stream of that domain, from that address. */
  attempt(address: string, domain: string): LoginAttempt {
    return new LoginAttempt(this, sourceOf(address), domain, !this.#trusted().has(address))
  }

  refused(source: string, why: string): LoginBusy {
    this.counters.refused.inc()
    this.#log.warn(`refused ${source}`, { address: source }, `an attempt to log in was not looked at: ${why}`)
    return new LoginBusy(why)
  }

  failed(source: string, account: string): void {
    this.counters.failures.inc()
    this.#log.info(`failed ${source}`, { address: source, account }, 'an attempt to log in failed')
  }
}

/**
 * One run of a mechanism. The mechanism says whom it is about before it looks anything up (`named`), and derives
 * keys when it may (`derive`); whoever runs it says how it ended.
 */
export class LoginAttempt {
  #account = ''

  constructor(
    private readonly logins: Logins,
    private readonly source: string,
    private readonly domain: string,
    private readonly isOne: boolean
  ) {}

  /**
   * The local part that the client wants to log in as, which may be anything. What is returned is to be awaited
   * before anything is checked. Throws, or rejects with, LoginBusy where too many attempts wait.
   */
  named(user: string): void | Promise<void> {
    const { logins } = this
    this.#account = `${user.slice(0, MOST_NAME)}@${this.domain}`
    const wait = logins.pace.begin(this.#account, this.source, this.isOne)
    if (wait === 0) return
    if (wait === undefined) throw logins.refused(this.source, 'too many have failed')
    if (logins.waiting >= MOST_WAITING) throw logins.refused(this.source, 'too many wait')
    logins.waiting++
    logins.counters.delayed.inc()
    return new Promise(resolve => {
      setTimeout(() => {
        logins.waiting--
        resolve()
      }, wait).unref()
    })
  }

  /** Runs something that derives keys from a password, when it is its turn. Rejects with LoginBusy. */
  derive<T>(work: () => Promise<T>): Promise<T> {
    const { logins, source, isOne } = this
    return (
      logins.derivations.run(source, isOne, work) ??
      Promise.reject(logins.refused(source, 'too many passwords wait for being checked'))
    )
  }

  /** Not for exchanges that were given up or are malformed: only where something was proved wrong. */
  failed(): void {
    this.logins.failed(this.source, this.#account)
    this.logins.pace.failed(this.#account, this.source, this.isOne)
  }

  /** `profile`: `sasl2` (XEP-0388) or `old` (RFC 6120). */
  succeeded(mechanism: string, profile: 'old' | 'sasl2'): void {
    this.logins.counters.successes.with(mechanism, profile).inc()
    this.logins.pace.succeeded(this.#account, this.source)
  }
}
