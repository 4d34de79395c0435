import { StanzaError } from '../errors'
import type { Log } from '../log'
import type { Counter, Labelled, Metrics } from '../metrics'
import type { Incoming } from './incoming'

/** Milliseconds after which a handler that has not ended is named and its iq answered (design §2). */
export const HANDLER_LIMIT = 30_000

/** Looks after handlers that have not ended: each is named once, and its sender is not kept waiting. */
export class Watchdog {
  readonly #running = new Map<Incoming, { since: number; giveUp: () => void }>()
  readonly #log: Log
  readonly #late: Labelled<Counter>
  readonly #limit: number
  #timer: NodeJS.Timeout | undefined

  constructor(log: Log, metrics: Metrics, limit = HANDLER_LIMIT) {
    this.#log = log
    this.#limit = limit
    this.#late = metrics.counter('handlers_late_total', 'Handlers that did not end in time', ['module'])
  }

  /** The same promise, but it ends when the time is over. */
  watch(event: Incoming, promise: Promise<unknown>): Promise<unknown> {
    this.#timer ??= setInterval(this.#sweep, this.#limit / 10).unref()
    return new Promise<void>(resolve => {
      const done = (): void => {
        this.#running.delete(event)
        resolve()
      }
      this.#running.set(event, { since: Date.now(), giveUp: done })
      promise.then(done, (error: unknown) => {
        event.fail(error)
        done()
      })
    })
  }

  readonly #sweep = (): void => {
    const over = Date.now() - this.#limit
    for (const [event, { since, giveUp }] of this.#running) {
      if (since > over) continue
      const module = event.owner?.module ?? 'core'
      this.#late.with(module).inc()
      this.#log.error(
        { module, host: event.host.name, stanza: event.stanza.name, id: event.stanza.attrs.id as string },
        `a handler has not ended after ${this.#limit / 1000} s`
      )
      event.refuse(
        new StanzaError('internal-server-error', { type: 'wait', text: 'the server took too long' })
      )
      giveUp()
    }
    if (this.#running.size > 0) return
    this.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
