import { StreamError } from '../../errors'
import { el } from '../../xml/element'
import { SM } from './names'
import { advance, distance } from './sequence'

/** How much may be sent without having been acknowledged. */
export interface AckLimits {
  /** Stanzas. */
  readonly count: number
  /** What the stanzas measure, as `push` was told. */
  readonly bytes: number
}

/** When the peer is asked what it has. Times are milliseconds. */
export interface AckRhythm {
  /** Stanzas after which a request goes out at once, unless one is under way. */
  readonly every: number
  /** After an answer that does not cover everything: how long until the rest is asked for. */
  readonly again: number
  /** How long an answer may take. */
  readonly timeout: number
}

/**
 * What was sent to a peer that acknowledges (XEP-0198 §4), oldest first, until it has. Made when stream management
 * is enabled; it outlives the connection when the stream is resumed. It knows no clock and sends nothing: whoever
 * owns it pushes every stanza (and nothing but stanzas) in the order of the wire, asks `due` behind each and about
 * twice a second, and sends `<r/>` where it says so.
 *
 *     queue.push(stanza, bytes)
 *     if (queue.full(limits)) …                   // end the session, or send no more
 *     if (queue.due(now, rhythm)) { send('<r/>'); queue.asked(now) }
 *     queue.ack(h)                                // for <a h/>, <resume h/>, <resumed h/>
 *     for (const stanza of queue.pending()) …     // after a resumption: send these again, in this order
 *     for (const stanza of queue.drain()) …       // after the end: deal with these
 */
export class AckQueue<T> {
  #items: T[] = []
  #sizes: number[] = []
  #head = 0
  #bytes = 0
  #acked: number
  /** Stanzas behind `#acked` that are taken for arrived, though the peer has not said so. */
  #forgiven = 0
  /** What had been sent when the peer was asked for its last answer. */
  #answered: number
  /** What had been sent when the peer was asked last, or what it has said without being asked. */
  #askedFor: number
  #askedAt = 0
  #waiting = false

  /** @param start what both sides have counted before: 0 but in tests */
  constructor(start = 0) {
    this.#acked = this.#askedFor = this.#answered = start
  }

  /** How many stanzas wait to be acknowledged. */
  get length(): number {
    return this.#items.length - this.#head
  }

  /** What they measure together. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many stanzas were sent, modulo 2^32. */
  get sent(): number {
    return advance(this.#acked, this.#forgiven + this.length)
  }

  /** The last `h` of the peer. */
  get acked(): number {
    return this.#acked
  }

  /** Notes a stanza that is sent now, or would be if there were a connection. */
  push(item: T, bytes: number): void {
    this.#items.push(item)
    this.#sizes.push(bytes)
    this.#bytes += bytes
  }

  /** Whether as much waits as may. */
  full(limits: AckLimits): boolean {
    return this.length >= limits.count || this.#bytes >= limits.bytes
  }

  /**
   * Takes an `h`: everything up to it has arrived and is forgotten; `arrived` hears of each. Returns how many there
   * were. Throws the stream error of XEP-0198 §6 where the peer says that it has what it was never sent, or has no
   * longer what it said it had.
   */
  ack(h: number, arrived?: (item: T) => void): number {
    const count = distance(this.#acked, h)
    if (count > this.#forgiven + this.length) throw tooHigh(h, this.#acked, this.sent)
    if (this.#waiting) this.#answered = this.#askedFor
    this.#waiting = false
    if (count > distance(this.#acked, this.#askedFor)) this.#askedFor = h
    const forgiven = Math.min(count, this.#forgiven)
    this.#forgiven -= forgiven
    this.#forget(count - forgiven, arrived)
    this.#acked = h
    return count
  }

  /**
   * Takes for arrived what lies before a request that the peer has answered: it reads, and counts wrongly
   * (@xmpp/client 0.14 leaves out the answers to its iqs). Returns how many stanzas there were.
   */
  forgive(arrived?: (item: T) => void): number {
    const answered = distance(this.#acked, this.#answered)
    // Beyond what was sent: that is before `#acked`
    if (answered > this.#forgiven + this.length) return 0
    const count = Math.max(0, answered - this.#forgiven)
    this.#forget(count, arrived)
    this.#forgiven += count
    return count
  }

  #forget(count: number, arrived: ((item: T) => void) | undefined): void {
    for (let n = 0; n < count; n++) {
      const item = this.#shift()
      arrived?.(item)
    }
  }

  #shift(): T {
    const item = this.#items[this.#head] as T
    this.#items[this.#head] = undefined as never // a long queue must not keep what it has handed on
    this.#bytes -= this.#sizes[this.#head] as number
    if (++this.#head === this.#items.length) {
      this.#items = []
      this.#sizes = []
      this.#head = 0
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#sizes = this.#sizes.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  // --- asking

  /**
   * Whether to send `<r/>` now. `tick`: nothing was sent just now, so a batch that is not complete is asked for too.
   */
  due(now: number, rhythm: AckRhythm, tick = false): boolean {
    if (this.#waiting || this.length === 0) return false
    const unasked = distance(this.#askedFor, this.sent)
    return unasked > 0 ? tick || unasked >= rhythm.every : now - this.#askedAt >= rhythm.again
  }

  /** `<r/>` was sent. */
  asked(now: number): void {
    this.#askedFor = this.sent
    this.#askedAt = now
    this.#waiting = true
  }

  /** Whether the peer owes an answer for longer than it may. */
  overdue(now: number, rhythm: AckRhythm): boolean {
    return this.#waiting && now - this.#askedAt >= rhythm.timeout
  }

  /** The connection is gone: no answer will come to what was asked on it. */
  cut(): void {
    this.#waiting = false
    this.#askedFor = this.#acked
  }

  // --- what has not arrived

  /** What waits, oldest first; it goes on waiting. */
  *pending(): IterableIterator<T> {
    for (let n = this.#head; n < this.#items.length; n++) yield this.#items[n] as T
  }

  /** What waits, oldest first; nothing waits any more. */
  drain(): T[] {
    const left = [...this.pending()]
    this.#acked = this.#askedFor = this.sent
    this.#forgiven = 0
    this.#items = []
    this.#sizes = []
    this.#head = 0
    this.#bytes = 0
    this.#waiting = false
    return left
  }
}

function tooHigh(h: number, acked: number, sent: number): StreamError {
  const text =
    distance(h, acked) < 0x80000000
      ? `you acknowledged ${h} stanzas, after ${acked} before`
      : `you acknowledged ${h} stanzas, but only ${sent} were sent to you`
  return new StreamError(
    'undefined-condition',
    text,
    el('handled-count-too-high', { xmlns: SM, h, 'send-count': sent })
  )
}
