/** How often something happened lately, by key. Plain data, so that it outlives a reload of the module. */
export type Counts = Map<string, { since: number; count: number }>

const HOUR = 3_600_000
/** Keys that are remembered; what is beyond that is forgotten, oldest first. */
const MAX_KEYS = 10_000

/** So many an hour for each key, at most. */
export class HourlyLimit {
  readonly counts: Counts
  readonly #limit: () => number

  constructor(limit: () => number, saved?: Counts) {
    this.#limit = limit
    this.counts = saved ?? new Map()
  }

  /** Counts one; false, and nothing is counted, where the limit is reached. */
  take(key: string, now: number): boolean {
    const known = this.counts.get(key)
    if (known && now - known.since < HOUR) {
      if (known.count >= this.#limit()) return false
      known.count++
      return true
    }
    this.counts.delete(key) // to the end: the map is in the order in which hours began
    this.counts.set(key, { since: now, count: 1 })
    this.#forget(now)
    return true
  }

  /** Takes one back: it came to nothing. */
  giveBack(key: string): void {
    const known = this.counts.get(key)
    if (known && known.count > 0) known.count--
  }

  #forget(now: number): void {
    for (const [key, { since }] of this.counts) {
      if (this.counts.size <= MAX_KEYS && now - since < HOUR) return
      this.counts.delete(key)
    }
  }
}
