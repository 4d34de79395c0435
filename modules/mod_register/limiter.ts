import { isIPv6 } from 'node:net'

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

/** Who is counted as one: an IPv4 address, or an IPv6 network of 64 bits, of which one party has all addresses. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  return isIPv6(address) ? `${firstGroups(address)}::/64` : address
}

function firstGroups(address: string): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return groups
    .slice(0, 4)
    .map(group => parseInt(group, 16).toString(16))
    .join(':')
}
