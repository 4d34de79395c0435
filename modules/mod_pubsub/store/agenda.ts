/** When something of the host's tables is due next, as far as this process knows. */
export class Agenda {
  #next = 0

  /** Something is due at that moment (milliseconds UTC). */
  expect(at: number): void {
    if (at < this.#next) this.#next = at
  }

  isDue(now: number): boolean {
    return this.#next <= now
  }

  /** All has been looked at: nothing is due before. */
  clear(until: number): void {
    this.#next = until
  }
}
