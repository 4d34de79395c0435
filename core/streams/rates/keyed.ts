/**
 * Something for each of many keys that strangers choose, bounded: beyond `most` the ones that were used longest ago
 * are forgotten.
 */
export class Keyed<V> {
  readonly #values = new Map<string, V>()

  constructor(readonly most: number) {}

  get size(): number {
    return this.#values.size
  }

  /** Does not count as use. */
  peek(key: string): V | undefined {
    return this.#values.get(key)
  }

  /** The value of a key, made where there is none. */
  use(key: string, make: () => V): V {
    const known = this.#values.get(key)
    const value = known ?? make()
    if (known !== undefined) this.#values.delete(key) // to the end: the map is in the order of use
    this.#values.set(key, value)
    if (this.#values.size > this.most) this.#forgetOldest()
    return value
  }

  delete(key: string): void {
    this.#values.delete(key)
  }

  #forgetOldest(): void {
    const [oldest] = this.#values.keys()
    if (oldest !== undefined) this.#values.delete(oldest)
  }
}
