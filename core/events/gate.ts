/**
 * While a module is swapped, stanzas wait: every queue asks the gate before it hands one on. Closings nest.
 */
export class Gate {
  #closed = 0
  #waiting: Array<() => void> = []

  get open(): boolean {
    return this.#closed === 0
  }

  close(): void {
    this.#closed++
  }

  /** Lets what waited run, in the order in which it came. */
  reopen(): void {
    if (this.#closed > 0) this.#closed--
    const faults: unknown[] = []
    while (this.#closed === 0 && this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      for (const resume of waiting) {
        try {
          resume()
        } catch (error) {
          // One that fails must not keep the others waiting for ever
          faults.push(error)
        }
      }
    }
    if (faults.length > 0) throw new AggregateError(faults, 'what waited at the gate failed')
  }

  /** Calls back once, when the gate is open. Ask `open` first. */
  whenOpen(resume: () => void): void {
    this.#waiting.push(resume)
  }
}
