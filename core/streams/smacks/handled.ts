import { advance } from './sequence'

/**
 * The other direction: what the peer sent, and how much of it has been handled (XEP-0198 §4). Stanzas get numbers as
 * they come; they may end in another order, and `h` is the last before which nothing is missing. So it never covers a
 * stanza whose handlers are at work or whose write is not committed.
 */
export class Handled {
  #h: number
  #received: number
  /** How far handled ones lie beyond `h`. */
  #ended: Set<number> | undefined
  #waiting: Array<{ until: number; then: () => void }> | undefined

  /** @param start what was counted before: 0 but in tests */
  constructor(start = 0) {
    this.#h = this.#received = start
  }

  /** What the peer may forget, modulo 2^32. */
  get h(): number {
    return this.#h
  }

  /** What has come, modulo 2^32. */
  get received(): number {
    return this.#received
  }

  /** Everything that has come is handled. */
  get complete(): boolean {
    return this.#h === this.#received
  }

  /** A stanza has come. Returns its number, for `done`. */
  take(): number {
    return (this.#received = advance(this.#received))
  }

  /** The stanza of that number is handled; a second time changes nothing. */
  done(number: number): void {
    if (number !== advance(this.#h)) {
      if (this.#isOpen(number)) (this.#ended ??= new Set()).add(number)
      return
    }
    this.#h = number
    while (this.#ended?.delete(advance(this.#h))) this.#h = advance(this.#h)
    if (this.#ended?.size === 0) this.#ended = undefined
    if (this.#waiting) this.#tell()
  }

  #isOpen(number: number): boolean {
    return (number - this.#h) >>> 0 <= (this.#received - this.#h) >>> 0 && number !== this.#h
  }

  /** Calls back once, when everything that has come by now is handled; at once if it is. */
  whenHandled(then: () => void): void {
    if (this.complete) return then()
    ;(this.#waiting ??= []).push({ until: this.#received, then })
  }

  #tell(): void {
    const waiting = this.#waiting ?? []
    const reached = waiting.filter(({ until }) => !this.#isOpen(until))
    if (reached.length === 0) return
    const left = waiting.filter(each => !reached.includes(each))
    this.#waiting = left.length > 0 ? left : undefined
    for (const { then } of reached) then()
  }

  /** Takes responsibility for everything that has come, whether its handlers have ended or not. */
  assume(): void {
    this.#h = this.#received
    this.#ended = undefined
    if (this.#waiting) this.#tell()
  }
}
