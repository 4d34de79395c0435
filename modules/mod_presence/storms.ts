import { Allowances, StanzaError, type Context, type StanzaEvent } from '#core'

const MINUTE = 60_000
const HOUR = 3_600_000

/** Milliseconds that a presence waits at most: what a reload of the module waits for its handlers is more. */
const LONGEST = 4000

interface Bounds {
  presencesPerMinute: number
  subscribesPerHour: number
}

/**
 * What one account may do to all its contacts: every broadcast goes to each of them, every request to somebody who has
 * not asked for it (XEP-0205 §4.8, §4.9).
 */
export class Storms {
  readonly #ctx: Context<Bounds>
  readonly #presences = new Allowances()
  readonly #subscribes = new Allowances()
  /** What lets those go on that wait. */
  readonly #waiting = new Set<() => void>()
  readonly #late
  readonly #refused
  readonly #dropped

  constructor(ctx: Context<Bounds>) {
    this.#ctx = ctx
    ctx.signal.addEventListener('abort', () => {
      for (const goOn of this.#waiting) goOn()
    })
    this.#late = ctx.metrics.counter(
      'presence_waits_total',
      'Presence that had to wait: too much of an account'
    )
    this.#refused = ctx.metrics.counter(
      'subscribes_refused_total',
      'Requests to subscribe that were refused: too many of an account'
    )
    this.#dropped = ctx.metrics.counter(
      'subscription_requests_dropped_total',
      'Requests of strangers that were dropped: too many wait for the account'
    )
  }

  /** A request of a stranger that nobody will see: too many wait for the account already. */
  dropped(): void {
    this.#dropped.inc()
  }

  /** A promise where the broadcast has to wait: the sender's stanzas behind it do so too, and nothing is lost. */
  broadcast({ from }: StanzaEvent): Promise<void> | undefined {
    const { presencesPerMinute } = this.#ctx.config
    const early = this.#presences.owe(from.local, presencesPerMinute, MINUTE, Date.now())
    if (early === 0) return undefined
    this.#late.inc()
    return new Promise(resolve => {
      const goOn = (): void => {
        this.#waiting.delete(goOn)
        resolve()
      }
      this.#waiting.add(goOn)
      this.#ctx.after(Math.min(LONGEST, early), goOn)
    })
  }

  /** Throws `resource-constraint` where the account has asked too many. */
  subscribe({ from }: StanzaEvent): void {
    const { subscribesPerHour } = this.#ctx.config
    if (!this.#subscribes.take(from.local, subscribesPerHour, HOUR, Date.now()))
      throw this.refuse('you have asked many for their presence within an hour: try again later')
  }

  refuse(text: string): StanzaError {
    this.#refused.inc()
    return new StanzaError('resource-constraint', text)
  }
}
