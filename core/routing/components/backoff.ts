/** Milliseconds before the second attempt, at most. */
const FIRST = 1000

/** How long a connection must hold so that the next failure counts as the first. */
const STABLE = 10_000

/** When to try again: after twice as long each time, and never at the same moment as all others. */
export class Backoff {
  #failures = 0
  #since: number | undefined

  /** @param longest milliseconds between two attempts, asked each time */
  constructor(
    private readonly longest: () => number,
    private readonly now: () => number = () => performance.now(),
    private readonly random: () => number = Math.random
  ) {}

  succeeded(): void {
    this.#since = this.now()
  }

  /** Milliseconds until the next attempt. */
  next(): number {
    if (this.#since !== undefined && this.now() - this.#since >= STABLE) this.#failures = 0
    this.#since = undefined
    const most = Math.min(this.longest(), FIRST * 2 ** Math.min(this.#failures++, 16))
    // Half of it is certain: whoever refuses is not asked again at once
    return most / 2 + (this.random() * most) / 2
  }
}
