import type { Gate } from '../events/gate'
import { isPromise } from '../events/hooks'
import type { JID } from '../jid'
import type { Element } from '../xml/element'
import type { Origin } from './origin'
import { SenderQueue, type QueueLimits, type QueueOwner } from './queue'
import type { Router } from './router'

/** The stream that brings the stanzas. */
export interface CarrierStream {
  /** Too much is under way: read nothing more until `resume`. */
  pause(): void
  resume(): void
  /**
   * The handlers of that stanza have ended, and what they wrote is committed: from now on it may be acknowledged
   * (XEP-0198 §4). Stanzas of different senders do not end in the order in which they came.
   */
  settled?(ticket: number): void
}

export interface CarrierOptions {
  router: Router
  gate: Gate
  /** What may be under way of everything that the stream carries, and wait of one sender. */
  limits: QueueLimits
  stream: CarrierStream
}

interface Carried {
  stanza: Element
  from: JID
  origin: Origin
  bytes: number
  ticket: number
}

/** Senders whose queues are kept while nothing of theirs is under way. */
const KEPT = 256

/**
 * Takes in what one stream carries for others (s2s, component, upstream). Order is kept per bare `from`, so that one
 * waiting handler never holds up another user of that server; answers to requests of ours pass everything (design
 * §2). What is under way is bounded for the stream as a whole: above that it is not read.
 */
export class Carrier {
  readonly #options: CarrierOptions
  readonly #lanes = new Map<string, Lane>()
  #count = 0
  #bytes = 0
  #full = false

  constructor(options: CarrierOptions) {
    this.#options = options
  }

  /** How many stanzas wait or are being handled. */
  get underWay(): number {
    return this.#count
  }

  /** Takes a stanza whose `from` and `to` the stream has checked. `ticket` names it for `settled`. */
  stanza(stanza: Element, from: JID, bytes: number, origin: Origin, ticket = 0): void {
    const { router, stream } = this.#options
    if (!router.mayCarry(from, origin) || router.takesAnswer(stanza, from)) return stream.settled?.(ticket)
    this.#count++
    this.#bytes += bytes
    const lane = this.#lane(from.bare)
    lane.underWay++
    lane.queue.push({ stanza, from, origin, bytes, ticket }, bytes)
    const { limits } = this.#options
    if (this.#full || (this.#count < limits.count && this.#bytes < limits.bytes)) return
    this.#full = true
    stream.pause()
  }

  #lane(sender: string): Lane {
    const known = this.#lanes.get(sender)
    if (known) return known
    if (this.#lanes.size >= KEPT) this.#forgetIdle()
    const lane = new Lane(this.#options, bytes => this.#settled(bytes))
    this.#lanes.set(sender, lane)
    return lane
  }

  #forgetIdle(): void {
    for (const [sender, lane] of this.#lanes) if (lane.underWay === 0) this.#lanes.delete(sender)
  }

  #settled(bytes: number): void {
    this.#count--
    this.#bytes -= bytes
    const { limits, stream } = this.#options
    if (!this.#full || this.#count > limits.count / 2 || this.#bytes > limits.bytes / 2) return
    this.#full = false
    stream.resume()
  }
}

/** What one sender sent over the stream. */
class Lane implements QueueOwner<Carried> {
  readonly queue: SenderQueue<Carried>
  /** Stanzas that wait or are being handled. */
  underWay = 0

  constructor(
    private readonly options: CarrierOptions,
    private readonly left: (bytes: number) => void
  ) {
    this.queue = new SenderQueue(this, options.gate, options.limits)
  }

  handle(carried: Carried, turn: number): void | Promise<unknown> {
    const { stanza, from, origin } = carried
    const result = this.options.router.carried(stanza, from, origin, this.queue, turn)
    if (!isPromise(result)) return this.#settled(carried)
    return result.then(
      () => this.#settled(carried),
      () => this.#settled(carried)
    )
  }

  #settled({ bytes, ticket }: Carried): void {
    this.underWay--
    this.left(bytes)
    this.options.stream.settled?.(ticket)
  }

  /** Sets of iqs join the writes under way; whatever else reads what they write. */
  joins({ stanza }: Carried): boolean {
    return stanza.name === 'iq' && stanza.attrs.type === 'set'
  }

  /** The stream as a whole is bounded, which comes first. */
  full(): void {
    return undefined
  }
}
