/** Addresses in all lists together. */
const KEPT = 200_000

interface Audience {
  readonly version: number
  readonly jids: readonly string[]
}

/**
 * The addresses to which a node's events go. A list is of use for one version of the node's subscriptions, which is
 * read with the node, so nobody has to tell when it is out of date. Only what is committed may be kept here.
 */
export class Audiences {
  readonly #lists = new Map<number, Audience>()
  readonly #most: number
  #size = 0

  constructor(most = KEPT) {
    this.#most = most
  }

  get(node: number, version: number): readonly string[] | undefined {
    const found = this.#lists.get(node)
    if (found?.version !== version) return undefined
    // the list that was used last goes last
    this.#lists.delete(node)
    this.#lists.set(node, found)
    return found.jids
  }

  keep(node: number, version: number, jids: readonly string[]): void {
    this.#drop(node)
    if (jids.length > this.#most) return
    this.#lists.set(node, { version, jids })
    this.#size += jids.length
    for (const oldest of this.#lists.keys()) {
      if (this.#size <= this.#most) return
      this.#drop(oldest)
    }
  }

  #drop(node: number): void {
    this.#size -= this.#lists.get(node)?.jids.length ?? 0
    this.#lists.delete(node)
  }
}
