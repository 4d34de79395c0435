import { Keyed } from './keyed'
import type { LoginPolicy } from './policy'

/** Milliseconds in which half of the failures are forgotten. */
const HALF_LIFE = 600_000

/** Milliseconds of the first delay: each further failure doubles it. */
const FIRST_DELAY = 500
const FIRST_DELAY_OF_ADDRESS = 100
const LONGEST_OF_ADDRESS = 5000

/** Attempts under way on one account from one address that are no sign of anything: several devices come back. */
const AT_ONCE = 5

/** Milliseconds: whoever would have to wait longer is refused. */
export const PATIENCE = 30_000

/** Of each kind. */
const MOST_REMEMBERED = 20_000

interface Failures {
  count: number
  /** Begun, and neither failed nor succeeded; those that were given up fade like failures. */
  open: number
  /** When the count was right. */
  at: number
  /** Before this no further attempt is checked. */
  next: number
}

/**
 * How long an attempt to log in has to wait before anything of it is checked. What a stranger does must not lock the
 * owner of an account out (XEP-0205 §3): the delay grows for the account from that address. What one address does to
 * many accounts slows that address down, but for those who have logged in from there; what many addresses do to one
 * account costs a new address a moment, never more, and an address that the account has used nothing.
 */
export class Pace {
  policy: LoginPolicy
  readonly #now: () => number
  readonly #pairs = new Keyed<Failures>(MOST_REMEMBERED)
  readonly #addresses = new Keyed<Failures>(MOST_REMEMBERED)
  readonly #accounts = new Keyed<Failures>(MOST_REMEMBERED)
  /** Accounts with addresses that they have logged in from. */
  readonly #known = new Keyed<true>(MOST_REMEMBERED)

  constructor(policy: LoginPolicy, now: () => number = Date.now) {
    this.policy = policy
    this.#now = now
  }

  /**
   * An attempt begins: milliseconds that it has to wait. Undefined: far too long, it is to be refused.
   * @param address undefined for one that stands for many, as a proxy does: it is not slowed down
   */
  begin(account: string, address: string, isOne: boolean): number | undefined {
    const now = this.#now()
    const { policy } = this
    const key = pairOf(account, address)
    const pair = look(this.#pairs, key, now)
    const known = this.#known.peek(key) !== undefined
    const tries = pair.count + Math.max(0, pair.open - AT_ONCE)
    const own = delayOf(tries, policy.freePerAccountAndAddress, FIRST_DELAY, policy.longestDelay)
    const waits = [Math.max(0, pair.next - now)]
    const line = known || !isOne ? undefined : look(this.#addresses, address, now)
    const ofAddress = line
      ? delayOf(line.count, policy.freePerAddress, FIRST_DELAY_OF_ADDRESS, LONGEST_OF_ADDRESS)
      : 0
    if (line) waits.push(Math.max(0, line.next - now))
    if (!known) {
      const { count } = look(this.#accounts, account, now)
      waits.push(delayOf(count, policy.freePerAccount, FIRST_DELAY, policy.longestDelayForOthers))
    }
    const wait = Math.max(...waits)
    if (wait > PATIENCE) return undefined
    // Those that come at once wait for each other.
    if (own > 0) pair.next = Math.max(now, pair.next) + own
    if (line && ofAddress > 0) line.next = Math.max(now, line.next) + ofAddress
    pair.open++
    return wait
  }

  failed(account: string, address: string, isOne: boolean): void {
    const now = this.#now()
    const pair = look(this.#pairs, pairOf(account, address), now)
    pair.open = Math.max(0, pair.open - 1)
    pair.count++
    look(this.#accounts, account, now).count++
    if (isOne) look(this.#addresses, address, now).count++
  }

  succeeded(account: string, address: string): void {
    const key = pairOf(account, address)
    this.#pairs.delete(key)
    this.#known.use(key, () => true)
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#pairs.size + this.#addresses.size + this.#accounts.size + this.#known.size
  }
}

function pairOf(account: string, address: string): string {
  return `${address} ${account}`
}

/** What is remembered, as it is now. */
function look(all: Keyed<Failures>, key: string, now: number): Failures {
  const found = all.use(key, () => ({ count: 0, open: 0, at: now, next: 0 }))
  const left = 0.5 ** (Math.max(0, now - found.at) / HALF_LIFE)
  found.count *= left
  found.open *= left
  found.at = now
  return found
}

function delayOf(count: number, free: number, first: number, longest: number): number {
  const over = Math.round(count) - free
  return over <= 0 ? 0 : Math.min(longest, first * 2 ** Math.min(over - 1, 20))
}
