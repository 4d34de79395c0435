/** A connection that does not take what it is sent. */
export interface Crowded {
  lose(reason: string): void
}

/**
 * What waits for all connections of the process that do not read. A bound on each one alone would not bound the
 * memory that many take together: above the sum, the one for which most waits is given up.
 */
export class Backlogs {
  /** UTF-16 units; 0 is no bound. */
  limit = 0
  #sum = 0
  readonly #waiting = new Map<Crowded, number>()

  get sum(): number {
    return this.#sum
  }

  /** So much waits for that connection now. */
  note(connection: Crowded, waiting: number): void {
    this.#sum += waiting - (this.#waiting.get(connection) ?? 0)
    this.#waiting.set(connection, waiting)
    if (this.limit > 0 && this.#sum > this.limit) this.#giveUp()
  }

  /** Nothing waits for it any more, or it is gone. */
  forget(connection: Crowded): void {
    const waited = this.#waiting.get(connection)
    if (waited === undefined) return
    this.#sum -= waited
    this.#waiting.delete(connection)
  }

  #giveUp(): void {
    let most: [Crowded, number] | undefined
    for (const entry of this.#waiting) if (!most || entry[1] > most[1]) most = entry
    if (!most) return
    this.forget(most[0])
    most[0].lose('too much waits for connections that do not read, most of it for this one')
  }
}

/** Memory is the process's, and so is this. */
export const backlogs = new Backlogs()
