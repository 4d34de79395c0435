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
    while (this.#closed === 0 && this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      for (const resume of waiting) resume()
    }
  }

  /** Calls back once, when the gate is open. Ask `open` first. */
  whenOpen(resume: () => void): void {
    this.#waiting.push(resume)
  }
}
