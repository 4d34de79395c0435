import { Keyed } from './keyed'

interface Allowance {
  left: number
  at: number
}

/**
 * So many within a time for each key, and as many at once: a bucket of tokens for each, refilled by the clock. Keys
 * may be strangers': those that were used longest ago are forgotten beyond `most`.
 */
export class Allowances {
  readonly #all: Keyed<Allowance>

  constructor(most = 10_000) {
    this.#all = new Keyed(most)
  }

  get size(): number {
    return this.#all.size
  }

  /**
   * Takes one of `count` within `time` milliseconds. False, and nothing is taken, where none is left.
   * @param now milliseconds, of any clock that goes forward
   */
  take(key: string, count: number, time: number, now: number): boolean {
    const allowance = this.#look(key, count, time, now)
    if (allowance.left < 1) return false
    allowance.left--
    return true
  }

  /** Takes one in any case, and returns how many milliseconds it comes too early: for whoever makes it wait. */
  owe(key: string, count: number, time: number, now: number): number {
    const allowance = this.#look(key, count, time, now)
    // Whoever does not wait all of its time does not owe more and more
    allowance.left = Math.max(-count, allowance.left - 1)
    return allowance.left >= 0 ? 0 : (-allowance.left * time) / count
  }

  #look(key: string, count: number, time: number, now: number): Allowance {
    const allowance = this.#all.use(key, () => ({ left: count, at: now }))
    const more = (Math.max(0, now - allowance.at) * count) / time
    allowance.left = Math.min(count, allowance.left + more)
    allowance.at = now
    return allowance
  }
}
