import { isStanzaError, StanzaError } from '../errors'
import type { OutgoingStream } from '../streams/s2s/outgoing'
import type { Failure, Lane, Parcel, PeerStream, Question, Verdict } from '../streams/s2s/backend'
import { serialize } from '../xml/serialize'
import type { Element } from '../xml/element'
import type { WaitingLimits } from './settings'

/** What a destination needs of the federation. */
export interface DestinationOwner {
  readonly limits: WaitingLimits
  /**
   * Opens a stream for the pair, when both may federate: to where it was not tried when `after` was opened, if that
   * is given. Rejects with a StanzaError or with Unopened.
   */
  open(destination: Destination, signal: AbortSignal, after?: PeerStream): Promise<OutgoingStream>
  /** Whether there is somewhere else to connect to, when that stream came to nothing. */
  hasAlternative(stream: PeerStream): boolean
  /** It has something to do by the clock, or nothing any more. */
  active(destination: Destination, active: boolean): void
  /** Nothing is left of it. */
  forget(destination: Destination): void
  /** Answers to whoever sent it. */
  bounce(parcel: Pick<Parcel, 'stanza'>, error: StanzaError): void
  delivered(): void
  failed(destination: Destination, failure: Failure): void
}

/** There is no stream for a pair, and why. */
export class Unopened extends Error {
  constructor(readonly failure: Failure) {
    super(failure.reason)
    this.name = 'Unopened'
  }
}

/** Milliseconds until the second attempt; each further one waits twice as long. */
const FIRST_RETRY = 1000
const LAST_RETRY = 60_000
/** How long it is remembered that there is no such server. */
const REFUSED = 30_000
/** A stream that lasted so long has shown that the peer is well. */
const STABLE = 10_000
const NOT_FOUND = 'remote-server-not-found'
/**
 * How often a stanza may be the first that was not acknowledged when its stream ended: with an error of the peer, or
 * with the connection, for a network may fail for long.
 */
const MAX_REFUSALS = 3
const MAX_CUTS = 30

interface Asked extends Question {
  resolve(verdict: Verdict): void
}

/**
 * What one host of this server sends to one foreign domain: a queue, and the stream that it goes over. A stanza
 * leaves it when the peer has acknowledged it (XEP-0198), or when it is written where the peer does not do that.
 */
export class Destination implements Lane {
  readonly #owner: DestinationOwner
  #queue: Parcel[] = []
  #head = 0
  /** Of the queue, and of what was sent and may come back. */
  #count = 0
  #bytes = 0
  /** Where stanzas go, when there is one. */
  #stream: PeerStream | undefined
  #readySince = 0
  /** What we have opened, whether it is ready or not. */
  #out: OutgoingStream | undefined
  #attempt: AbortController | undefined
  readonly #asked: Asked[] = []
  /** From 0 to 1, where it is given up. */
  readonly #attempts = new WeakMap<Parcel, number>()
  #failures = 0
  #attemptedAt = 0
  #retryAt = 0
  #problem: string | undefined
  #lastCondition: Failure['condition'] = 'remote-server-timeout'
  /** There is no such server, or nobody may send to it. */
  #refusal: { error: StanzaError; until: number } | undefined
  #room: { promise: Promise<void>; resolve: () => void } | undefined
  #closed = false

  constructor(
    readonly local: string,
    readonly remote: string,
    owner: DestinationOwner
  ) {
    this.#owner = owner
  }

  /** Stanzas that were not sent, or may not have arrived. */
  get count(): number {
    return this.#count
  }
  get bytes(): number {
    return this.#bytes
  }
  get stream(): PeerStream | undefined {
    return this.#stream
  }
  get problem(): string | undefined {
    return this.#problem
  }
  get #waiting(): number {
    return this.#queue.length - this.#head
  }

  // --- stanzas

  send(stanza: Element): void {
    const now = Date.now()
    const refusal = this.#refusal
    if (refusal && now < refusal.until) return this.#owner.bounce({ stanza }, refusal.error)
    const { limits } = this.#owner
    if (this.#count >= limits.count || this.#bytes >= limits.bytes || this.#closed) {
      const text = `too much waits for ${this.remote}`
      return this.#owner.bounce({ stanza }, new StanzaError('resource-constraint', { type: 'wait', text }))
    }
    const parcel: Parcel = { stanza, xml: serialize(stanza), lane: this, since: now }
    this.#count++
    this.#bytes += parcel.xml.length
    const stream = this.#stream
    if (stream && this.#waiting === 0 && stream.hasRoom()) return stream.deliver(parcel)
    this.#queue.push(parcel)
    if (!stream) this.#open()
  }

  /**
   * For a sender that can wait: a promise while the stream is there and behind, which ends when it has caught up.
   */
  get congestion(): Promise<void> | undefined {
    if (!this.#stream || this.#waiting === 0) return undefined
    if (!this.#room) {
      let resolve = (): void => undefined
      const promise = new Promise<void>(done => (resolve = done))
      this.#room = { promise, resolve }
    }
    return this.#room.promise
  }

  #relieve(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  /** Sends what waits, as far as the stream takes it. */
  flush(): void {
    const stream = this.#stream
    if (!stream) return
    while (this.#head < this.#queue.length && stream.hasRoom()) stream.deliver(this.#shift())
    if (this.#waiting === 0) this.#relieve()
    this.#owner.active(this, this.#isActive)
  }

  #shift(): Parcel {
    const parcel = this.#queue[this.#head] as Parcel
    this.#queue[this.#head] = undefined as never // a long queue must not keep what it has handed on
    if (++this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return parcel
  }

  delivered(parcel: Parcel): void {
    this.#forgetParcel(parcel)
    this.#owner.delivered()
  }

  #forgetParcel(parcel: Parcel): void {
    this.#count--
    this.#bytes -= parcel.xml.length
  }

  returned(parcels: Parcel[], refused: boolean): void {
    const [first] = parcels
    const part = refused ? 1 / MAX_REFUSALS : 1 / MAX_CUTS
    const attempts = first ? (this.#attempts.get(first) ?? 0) + part : 0
    // A stanza that ends every stream must not do so for ever
    if (first && attempts > 0.999) {
      parcels.shift()
      this.#bounce(first, new StanzaError('remote-server-timeout', `${this.remote} does not take this`))
    } else if (first) this.#attempts.set(first, attempts)
    const now = Date.now()
    for (const parcel of parcels) parcel.since = now
    this.#queue = [...parcels, ...this.#queue.slice(this.#head)]
    this.#head = 0
    if (this.#closed) this.#bounceAll(new StanzaError('remote-server-timeout'))
    else if (this.#refusal && now < this.#refusal.until) this.#bounceAll(this.#refusal.error)
  }

  #bounce(parcel: Parcel, error: StanzaError): void {
    this.#forgetParcel(parcel)
    this.#owner.bounce(parcel, error)
  }

  #bounceAll(error: StanzaError): void {
    while (this.#head < this.#queue.length) this.#bounce(this.#shift(), error)
  }

  /** Takes out of the queue what may not leave any more; the others keep their order. */
  sift(verdict: (stanza: Element) => StanzaError | 'drop' | undefined): void {
    const waiting = this.#queue.slice(this.#head)
    const judged = waiting.map(parcel => ({ parcel, found: verdict(parcel.stanza) }))
    this.#queue = judged.filter(({ found }) => !found).map(({ parcel }) => parcel)
    this.#head = 0
    for (const { parcel, found } of judged) {
      if (found === 'drop') this.#forgetParcel(parcel)
      else if (found) this.#bounce(parcel, found)
    }
    this.#tidy()
  }

  // --- streams

  /** A stream that may be used for the pair from now on: our own, or one that the peer opened (XEP-0288). */
  use(stream: PeerStream): void {
    if (this.#closed || this.#stream) return
    this.#stream = stream
    this.#readySince = Date.now()
    this.#problem = undefined
    this.#lastCondition = 'remote-server-timeout'
    this.#refusal = undefined
    this.flush()
  }

  #open(): void {
    if (this.#closed || this.#attempt) return
    if (this.#out && !this.#out.closed) {
      if (this.#out.ready) this.use(this.#out)
      else if (this.#waiting > 0) this.#out.authenticate()
      return
    }
    if (Date.now() < this.#retryAt && this.#asked.length === 0) return this.#owner.active(this, true)
    this.#begin()
  }

  #begin(after?: PeerStream): void {
    const attempt = new AbortController()
    this.#attempt = attempt
    this.#attemptedAt = Date.now()
    this.#owner.active(this, true)
    this.#owner.open(this, attempt.signal, after).then(
      stream => this.#opened(stream, attempt),
      (error: unknown) => this.#notOpened(error, attempt)
    )
  }

  #opened(stream: OutgoingStream, attempt: AbortController): void {
    if (this.#attempt !== attempt) return stream.close()
    this.#attempt = undefined
    this.#out = stream
    for (const { id, key, resolve } of this.#asked.splice(0)) void stream.verify(id, key).then(resolve)
    if (this.#waiting > 0 && !this.#stream) stream.authenticate()
  }

  #notOpened(error: unknown, attempt: AbortController): void {
    if (this.#attempt !== attempt) return
    this.#attempt = undefined
    if (isStanzaError(error)) return this.refuse(error)
    const failure: Failure =
      error instanceof Unopened
        ? error.failure
        : { condition: 'remote-server-timeout', reason: String(error), temporary: true }
    this.#failed(failure)
  }

  /** A stream is gone that this may have used; `willing`: because we want it so. */
  lost(stream: PeerStream, failure?: Failure, willing = false): void {
    const used = this.#stream === stream
    if (used) this.#stream = undefined
    const own = this.#out === stream
    if (own) this.#out = undefined
    if (used) {
      // Now the queue is for everybody
      this.#relieve()
      if (Date.now() - this.#readySince >= STABLE) this.#failures = 0
      else if (!willing) this.#postpone()
      if (this.#waiting > 0) this.#open()
    } else if (own && failure) {
      if (this.#closed || !failure.temporary || !this.#owner.hasAlternative(stream))
        return this.#failed(failure)
      this.#begin(stream)
    }
    this.#tidy()
  }

  #postpone(): void {
    const wait = Math.min(FIRST_RETRY * 2 ** this.#failures++, LAST_RETRY)
    // Not all at once, where many wait for the same server
    this.#retryAt = Date.now() + wait * (0.75 + Math.random() / 2)
  }

  #failed(failure: Failure): void {
    this.#problem = failure.reason
    this.#lastCondition = failure.condition
    this.#owner.failed(this, failure)
    for (const { resolve } of this.#asked.splice(0))
      resolve({ condition: failure.condition, text: 'the authoritative server cannot be reached' })
    this.#postpone()
    if (!failure.temporary && !this.#stream) {
      const error = new StanzaError(failure.condition)
      this.#refusal = { error, until: Date.now() + REFUSED }
      this.#bounceAll(error)
    }
    this.#tidy()
  }

  /** Neither may stanzas be sent, nor is there any to be opened for now. */
  refuse(error: StanzaError): void {
    this.#problem = error.message
    this.#refusal = { error, until: Date.now() + REFUSED }
    for (const { resolve } of this.#asked.splice(0)) resolve({ condition: error.condition })
    this.#bounceAll(error)
    this.#attempt?.abort()
    this.#attempt = undefined
    const stream = this.#stream
    this.#stream = undefined
    if (stream && stream === this.#out) stream.close()
    this.#tidy()
  }

  /** The policy has changed: what was refused may be tried again. */
  permit(): void {
    this.#refusal = undefined
    this.#retryAt = 0
    this.#problem = undefined
  }

  /** The peer is there: it has just connected to us. */
  nudge(): void {
    this.#refusal = undefined
    this.#failures = 0
    this.#retryAt = 0
    if (this.#waiting > 0 && !this.#stream) this.#open()
  }

  /** Asks the server of the domain for a key that came in its name. Never rejects. */
  verify(question: Question): Promise<Verdict> {
    const out = this.#out
    if (out && !out.closed) return out.verify(question.id, question.key)
    const refusal = this.#refusal
    const now = Date.now()
    if (refusal?.error.condition === NOT_FOUND && now < refusal.until)
      return Promise.resolve({ condition: NOT_FOUND })
    // Whoever sends keys in the name of others must not have them called without end
    if (!this.#attempt && this.#failures > 0 && now - this.#attemptedAt < FIRST_RETRY)
      return Promise.resolve({ condition: 'remote-server-timeout', text: 'it could not be reached just now' })
    return new Promise(resolve => {
      this.#asked.push({ ...question, resolve })
      this.#open()
    })
  }

  // --- time and end

  get #isActive(): boolean {
    if (this.#waiting > 0 || this.#attempt !== undefined || this.#refusal !== undefined) return true
    // Until it may be forgotten
    return !this.#stream && !this.#out && Date.now() < this.#retryAt
  }

  /** Nothing is kept here but that it could not be reached lately. */
  get dispensable(): boolean {
    return (
      this.#count === 0 &&
      this.#asked.length === 0 &&
      this.#stream === undefined &&
      this.#out === undefined &&
      this.#attempt === undefined
    )
  }

  /** About twice a second, while it is active. */
  sweep(now: number): void {
    const { time } = this.#owner.limits
    while (this.#waiting > 0 && now - (this.#queue[this.#head] as Parcel).since >= time) {
      const text = `${this.remote} could not be reached in time`
      this.#bounce(this.#shift(), new StanzaError(this.#lastCondition, text))
    }
    if (this.#refusal && now >= this.#refusal.until) this.#refusal = undefined
    if (this.#waiting > 0 && !this.#stream) this.#open()
    this.#tidy()
  }

  #tidy(): void {
    if (this.#waiting === 0) this.#relieve()
    const active = this.#isActive
    this.#owner.active(this, active)
    if (!active && this.#count === 0 && !this.#stream && !this.#out) this.#owner.forget(this)
  }

  /** Whether nothing waits that may leave, or be acknowledged, in the next moment. */
  get settled(): boolean {
    return this.#count === 0 || (!this.#stream && this.#failures > 0)
  }

  /** Sends nothing more. What waits is answered with that error, what comes back too. */
  close(error: StanzaError): void {
    this.#closed = true
    this.#attempt?.abort()
    this.#attempt = undefined
    this.#bounceAll(error)
    this.#relieve()
    for (const { resolve } of this.#asked.splice(0)) resolve({ condition: error.condition })
  }
}
