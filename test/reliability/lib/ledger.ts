/**
 * What a server has acknowledged, thing by thing: it must be there (or gone) from then on. Of a change that was
 * asked for and not acknowledged nobody knows, until somebody looks.
 */
export class Ledger {
  /** By key: whether it must be there; undefined where a change is under way. */
  readonly #things = new Map<string, boolean | undefined>()

  constructor(readonly name: string) {}

  /** A change is asked for. */
  asked(key: string): void {
    this.#things.set(key, undefined)
  }

  /** A change is acknowledged, or somebody was told of it. */
  acknowledged(key: string, there = true): void {
    this.#things.set(key, there)
  }

  /** Whether it must be there. */
  has(key: string): boolean {
    return this.#things.get(key) === true
  }

  /** Compares with what was found, and says what is wrong. From then on what was found must stay. */
  audit(found: readonly string[]): string[] {
    const there = new Set(found)
    const faults: string[] = []
    if (there.size < found.length)
      faults.push(`twice: ${found.filter((key, i) => found.indexOf(key) < i).join(' ')}`)
    const wrong = (what: string, test: (key: string, expected: boolean | undefined) => boolean): void => {
      const keys = [...this.#things].filter(([key, expected]) => test(key, expected)).map(([key]) => key)
      if (keys.length > 0) faults.push(`${what}: ${keys.join(' ')}`)
    }
    wrong('lost', (key, expected) => expected === true && !there.has(key))
    wrong('back again', (key, expected) => expected === false && there.has(key))
    const strange = [...there].filter(key => !this.#things.has(key))
    if (strange.length > 0) faults.push(`from nowhere: ${strange.join(' ')}`)
    for (const key of this.#things.keys()) this.#things.set(key, there.has(key))
    return faults.map(fault => `${this.name}: ${fault}`)
  }
}

/** A value that is overwritten by the next number again and again, in order. */
export class Counter {
  asked = 0
  acknowledged = 0

  constructor(readonly name: string) {}

  audit(found: number): string[] {
    const good = found >= this.acknowledged && found <= this.asked
    const fault = `${this.name}: is ${found}, of ${this.acknowledged} acknowledged and ${this.asked} asked for`
    this.acknowledged = this.asked = found
    return good ? [] : [fault]
  }
}
