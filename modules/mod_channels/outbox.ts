import { el, type Element } from '#core'
import type { Delivery } from './announce'
import type { Stamps } from './stamps'

/** Messages that are sent before the rest of the server gets its turn. */
const SLICE = 500

/** Sends deliveries in the order in which they were given; those to many recipients in slices. */
export class Outbox {
  readonly #from: string
  readonly #send: (message: Element) => void
  readonly #jobs: Delivery[] = []
  /** How many recipients of the first job have been served. */
  #served = 0
  #turn: NodeJS.Immediate | undefined

  readonly #stamps: Stamps
  /** Id of the messages of the first job. */
  #id = ''

  constructor(from: string, stamps: Stamps, send: (message: Element) => void) {
    this.#from = from
    this.#stamps = stamps
    this.#send = send
  }

  send(deliveries: readonly Delivery[]): void {
    for (const one of deliveries) if (one.recipients.length > 0) this.#jobs.push(one)
    if (this.#turn === undefined) this.#some()
  }

  /** Sends all that is left. */
  flush(): void {
    while (this.#jobs.length > 0) this.#some()
    clearImmediate(this.#turn)
    this.#turn = undefined
  }

  #some(): void {
    this.#turn = undefined
    let left = SLICE
    while (left > 0) {
      const job = this.#jobs[0]
      if (job === undefined) return
      if (this.#served === 0) this.#id = this.#stamps.next()
      const until = Math.min(this.#served + left, job.recipients.length)
      left -= until - this.#served
      for (; this.#served < until; this.#served++) this.#one(job, this.#served)
      if (this.#served < job.recipients.length) break
      this.#jobs.shift()
      this.#served = 0
    }
    if (this.#jobs.length > 0) this.#turn = setImmediate(() => this.#some())
  }

  #one({ recipients, type, content }: Delivery, number: number): void {
    this.#send(el('message', { from: this.#from, to: recipients[number], type, id: this.#id }, content))
  }
}
