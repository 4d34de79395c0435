import type { StanzaError } from '../../errors'
import type { Relayed } from '../../hosts/host'

/** What may wait for a component or server that is away. */
export interface WaitingLimits {
  /** How long; 0: nothing waits. */
  seconds: number
  stanzas: number
  bytes: number
}

/** What is said of a stanza that waits: an error that answers it, that it vanishes, or nothing. */
export type Verdict = (event: Relayed) => StanzaError | 'drop' | undefined

/** Why a stanza does not wait any longer. */
export type GivenUp = 'full' | 'late' | 'closed'

export interface WaitingOptions {
  /** Asked whenever one comes. */
  limits(): WaitingLimits
  /** Answers a stanza that cannot be delivered. */
  giveUp(event: Relayed, why: GivenUp): void
}

interface Waiting {
  event: Relayed
  xml: string
  /** Milliseconds since the epoch. */
  until: number
}

/** Stanzas for somebody who is away, in their order: bounded in number, bytes and time. */
export class WaitingRoom {
  readonly #options: WaitingOptions
  #waiting: Waiting[] = []
  /** UTF-16 units. */
  #size = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: WaitingOptions) {
    this.#options = options
  }

  get length(): number {
    return this.#waiting.length
  }

  add(event: Relayed, xml: string): void {
    const { seconds, stanzas, bytes } = this.#options.limits()
    if (seconds === 0) return this.#options.giveUp(event, 'late')
    if (this.#waiting.length >= stanzas || this.#size + xml.length > bytes)
      return this.#options.giveUp(event, 'full')
    this.#waiting.push({ event, xml, until: Date.now() + seconds * 1000 })
    this.#size += xml.length
    this.#timer ??= setTimeout(this.#expire, seconds * 1000)
  }

  /** Whoever was away is there. */
  leave(send: (xml: string) => void): void {
    for (const { xml } of this.#empty()) send(xml)
  }

  /** Nobody will come. */
  close(): void {
    for (const { event } of this.#empty()) this.#options.giveUp(event, 'closed')
  }

  /** Takes out what may not leave any more; the others keep their order. */
  sift(verdict: Verdict): void {
    const judged = this.#waiting.map(one => ({ one, found: verdict(one.event) }))
    this.#waiting = judged.filter(({ found }) => found === undefined).map(({ one }) => one)
    for (const { one, found } of judged) {
      if (found === undefined) continue
      this.#size -= one.xml.length
      if (found !== 'drop') one.event.fail(found)
    }
  }

  #empty(): Waiting[] {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = []
    this.#size = 0
    return waiting
  }

  readonly #expire = (): void => {
    const now = Date.now()
    // Limits may have been changed meanwhile: the oldest is not always the first that is late
    const late = this.#waiting.filter(({ until }) => until <= now)
    this.#waiting = this.#waiting.filter(({ until }) => until > now)
    for (const { xml } of late) this.#size -= xml.length
    const next = Math.min(...this.#waiting.map(({ until }) => until))
    this.#timer = this.#waiting.length > 0 ? setTimeout(this.#expire, next - now) : undefined
    for (const { event } of late) this.#options.giveUp(event, 'late')
  }
}
