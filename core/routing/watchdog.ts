import { StanzaError } from '../errors'
import type { Log } from '../log'
import type { Counter, Labelled, Metrics } from '../metrics'
import type { Incoming } from './incoming'

/** Milliseconds after which a handler that has not ended is named and its iq answered (design §2). */
export const HANDLER_LIMIT = 30_000

interface Watched {
  readonly event: Incoming
  readonly since: number
  readonly giveUp: () => void
  /** Its index among those that run. */
  place: number
}

/** Looks after handlers that have not ended: each is named once, and its sender is not kept waiting. */
export class Watchdog {
  // No Map: one in which entries come and go is made anew every few stanzas, and the discarded ones, each holding
  // on to the next, carry what was under way into the old generation (measured: scavenges five times as long).
  readonly #running: Watched[] = []
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
      const watched: Watched = { event, since: Date.now(), giveUp: resolve, place: this.#running.length }
      this.#running.push(watched)
      const done = (): void => {
        this.#remove(watched)
        resolve()
      }
      promise.then(done, (error: unknown) => {
        event.fail(error)
        done()
      })
    })
  }

  #remove(watched: Watched): void {
    const { place } = watched
    if (this.#running[place] !== watched) return
    const last = this.#running.pop() as Watched
    if (last === watched) return
    this.#running[place] = last
    last.place = place
  }

  readonly #sweep = (): void => {
    const over = Date.now() - this.#limit
    for (const watched of this.#running.filter(({ since }) => since <= over)) {
      const { event, giveUp } = watched
      const module = event.owner?.module ?? 'core'
      this.#late.with(module).inc()
      this.#log.error(
        { module, host: event.host.name, stanza: event.stanza.name, id: event.stanza.attrs.id as string },
        `a handler has not ended after ${this.#limit / 1000} s`
      )
      event.refuse(
        new StanzaError('internal-server-error', { type: 'wait', text: 'the server took too long' })
      )
      this.#remove(watched)
      giveUp()
    }
    if (this.#running.length > 0) return
    this.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
