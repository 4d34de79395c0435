/** What was answered, and how long it holds. */
export interface Timed<T> {
  value: T
  /** Seconds. */
  ttl: number
}

interface Kept<T> {
  value: T
  until: number
}

/**
 * Answers by name, bounded in count and time. Who asks while the same question is under way shares its answer;
 * failures are not kept.
 */
export class AnswerCache<T> {
  readonly #kept = new Map<string, Kept<T>>()
  readonly #asked = new Map<string, Promise<T>>()

  /** @param maxTtl seconds */
  constructor(
    private readonly size: number,
    private readonly maxTtl: number,
    private readonly now: () => number = () => performance.now()
  ) {}

  get(key: string, ask: () => Promise<Timed<T>>): Promise<T> {
    const kept = this.#kept.get(key)
    if (kept && kept.until > this.now()) return Promise.resolve(kept.value)
    const asked = this.#asked.get(key)
    if (asked) return asked
    const answer = ask()
      .then(({ value, ttl }) => this.#keep(key, value, ttl))
      .finally(() => this.#asked.delete(key))
    this.#asked.set(key, answer)
    return answer
  }

  #keep(key: string, value: T, ttl: number): T {
    this.#kept.delete(key)
    const seconds = Math.min(ttl, this.maxTtl)
    if (seconds <= 0) return value
    if (this.#kept.size >= this.size) this.#makeRoom()
    this.#kept.set(key, { value, until: this.now() + seconds * 1000 })
    return value
  }

  /** What came first goes first. */
  #makeRoom(): void {
    for (const key of this.#kept.keys()) {
      this.#kept.delete(key)
      return
    }
  }
}
