/** What is counted: every number of a series must arrive once and in order. */
export class Numbers {
  readonly faults: string[] = []
  readonly #last = new Map<string, number>()
  #awaited = 0
  #wake: (() => void) | undefined

  /** How many numbers are on their way. */
  get awaited(): number {
    return this.#awaited
  }

  /** `count` more numbers will have to arrive. */
  expect(count: number): void {
    this.#awaited += count
  }

  arrived(series: string, number: number): void {
    const last = this.#last.get(series) ?? 0
    if (number !== last + 1) this.fault(`${series}: ${number} came after ${last}`)
    this.#last.set(series, number)
    this.#awaited--
    this.#changed()
  }

  fault(what: string): void {
    // The first ones tell what went wrong
    if (this.faults.length < 20) this.faults.push(what)
    this.#changed()
  }

  /** Waits until no more than `left` numbers are on their way. Throws with the faults, or when it takes too long. */
  async caughtUp(left: number, limit: number): Promise<void> {
    const done = (): boolean => this.#awaited <= left || this.faults.length > 0
    if (!done())
      await new Promise<void>(resolve => {
        const timer = setTimeout(() => {
          this.faults.push(`${this.#awaited} numbers have not arrived after ${limit / 1000} s`)
          this.#changed()
        }, limit)
        this.#wake = () => {
          if (!done()) return
          clearTimeout(timer)
          this.#wake = undefined
          resolve()
        }
      })
    if (this.faults.length > 0) throw new Error(this.faults.join('\n'))
  }

  #changed(): void {
    this.#wake?.()
  }
}
