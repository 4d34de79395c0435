import { StreamError } from '../../errors'
import type { Element } from '../../xml/element'
import { AckQueue, Handled, readCount, SM, type AckRhythm } from '../smacks'
import type { Parcel } from './backend'

const REQUEST = `<r xmlns='${SM}'/>`

/** An answer waits so long for the handlers of what has come (milliseconds): it would ask for the next question. */
const PATIENCE = 1000

export interface AcksOptions {
  send(xml: string): void
  /** Milliseconds that the peer may take. */
  timeout: number
  now(): number
}

/** Both directions of stream management on one stream between servers (XEP-0198 §4). */
export class Acks {
  readonly queue = new AckQueue<Parcel>()
  readonly handled = new Handled()
  readonly #options: AcksOptions
  readonly #rhythm: AckRhythm
  /** When an answer was asked for that has not been given; 0 for none. */
  #owedSince = 0
  #owedAgain = false

  constructor(options: AcksOptions) {
    this.#options = options
    // One request is under way at any time, so it covers as much as was sent while the one before was.
    this.#rhythm = { every: 1, again: PATIENCE, timeout: options.timeout }
  }

  /** A stanza that is being sent. */
  push(parcel: Parcel): void {
    this.queue.push(parcel, parcel.xml.length)
    this.#ask(false)
  }

  /** Asks for what was not acknowledged, whatever was asked before. */
  ask(): void {
    this.queue.asked(this.#options.now())
    this.#options.send(REQUEST)
  }

  #ask(tick: boolean): void {
    const now = this.#options.now()
    if (!this.queue.due(now, this.#rhythm, tick)) return
    this.queue.asked(now)
    this.#options.send(REQUEST)
  }

  /** The peer's `<a/>`. Throws StreamError where its `h` cannot be. */
  acknowledged({ attrs }: Element): void {
    const h = readCount(attrs.h)
    if (h === undefined) throw new StreamError('invalid-xml', '`h` is no number')
    this.queue.ack(h, arrived)
    this.#ask(false)
  }

  /** The peer's `<r/>`: answered as soon as everything before it is handled, or after a moment. */
  requested(): void {
    if (this.#owedSince !== 0) {
      this.#owedAgain = true
      return
    }
    this.#owedSince = this.#options.now()
    // What handlers wrote to other connections leaves before it is acknowledged
    this.handled.whenHandled(() => setImmediate(() => this.#answer()))
  }

  #answer(): void {
    if (this.#owedSince === 0) return
    this.#owedSince = 0
    this.acknowledge()
    if (!this.#owedAgain) return
    this.#owedAgain = false
    this.requested()
  }

  /** Tells the peer how far its stanzas are handled. */
  acknowledge(): void {
    this.#options.send(`<a xmlns='${SM}' h='${this.handled.h}'/>`)
  }

  /** False when the peer takes too long. */
  tick(now: number): boolean {
    if (this.#owedSince !== 0 && now - this.#owedSince >= PATIENCE) this.#answer()
    if (this.queue.overdue(now, this.#rhythm)) return false
    this.#ask(true)
    return true
  }
}

function arrived(parcel: Parcel): void {
  parcel.lane.delivered(parcel)
}
