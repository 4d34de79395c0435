interface Line {
  isOne: boolean
  active: number
  waiting: Array<() => void>
}

/** Derivations that wait, of one source and in all; further ones are refused. */
const MOST_OF_ONE = 200
const MOST = 2000

/**
 * Deriving keys from passwords keeps a thread of the process busy for milliseconds, and there are four: files, names
 * and everybody else's logins would wait behind whoever tries passwords. So there are few at a time, one of each
 * source, and the sources take turns.
 */
export class Derivations {
  /** At a time. */
  limit: number
  #active = 0
  #waiting = 0
  readonly #lines = new Map<string, Line>()

  constructor(limit: number) {
    this.limit = limit
  }

  get waiting(): number {
    return this.#waiting
  }

  /**
   * Runs the work when it is its turn; undefined, and nothing is run, where too many wait.
   * @param isOne false for a source that stands for many, as a proxy does: it may have several at a time
   */
  run<T>(source: string, isOne: boolean, work: () => Promise<T>): Promise<T> | undefined {
    const line = this.#lines.get(source) ?? { isOne, active: 0, waiting: [] }
    if (this.#waiting >= MOST || (isOne && line.waiting.length >= MOST_OF_ONE)) return undefined
    this.#lines.set(source, line)
    return new Promise((resolve, reject) => {
      line.waiting.push(() => {
        work()
          .then(resolve, reject)
          .finally(() => this.#ended(source, line))
          .catch(() => undefined) // told to whoever asked
      })
      this.#waiting++
      this.#next()
    })
  }

  #ended(source: string, line: Line): void {
    this.#active--
    line.active--
    // To the end of the sources, if there is more to do: those that came meanwhile are first
    this.#lines.delete(source)
    if (line.active > 0 || line.waiting.length > 0) this.#lines.set(source, line)
    this.#next()
  }

  #next(): void {
    for (const [source, line] of this.#lines) {
      if (this.#active >= this.limit) return
      if (line.waiting.length === 0 || (line.active > 0 && line.isOne)) continue
      this.#lines.delete(source)
      this.#lines.set(source, line)
      this.#active++
      this.#waiting--
      line.active++
      line.waiting.shift()?.()
    }
  }
}
