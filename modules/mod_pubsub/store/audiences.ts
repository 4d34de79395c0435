import type { Audience } from '../../lib_pubsub'

/** Addresses in all lists together. */
const KEPT = 200_000

interface Kept {
  readonly version: number
  readonly audience: Audience
}

/**
 * The addresses to which a node's events go. A list is of use for one version of the node's subscriptions, which is
 * read with the node, so nobody has to tell when it is out of date. Only what is committed may be kept here.
 */
export class Audiences {
  readonly #lists = new Map<number, Kept>()
  readonly #most: number
  #size = 0

  constructor(most = KEPT) {
    this.#most = most
  }

  get(node: number, version: number): Audience | undefined {
    const found = this.#lists.get(node)
    if (found?.version !== version) return undefined
    // the list that was used last goes last
    this.#lists.delete(node)
    this.#lists.set(node, found)
    return found.audience
  }

  keep(node: number, version: number, audience: Audience): void {
    this.#drop(node)
    const size = sizeOf(audience)
    if (size > this.#most) return
    this.#lists.set(node, { version, audience })
    this.#size += size
    for (const oldest of this.#lists.keys()) {
      if (this.#size <= this.#most) return
      this.#drop(oldest)
    }
  }

  /** What is kept was made for a service that is configured otherwise. */
  clear(): void {
    this.#lists.clear()
    this.#size = 0
  }

  #drop(node: number): void {
    const kept = this.#lists.get(node)
    if (kept === undefined) return
    this.#size -= sizeOf(kept.audience)
    this.#lists.delete(node)
  }
}

function sizeOf({ plain, special }: Audience): number {
  return plain.length + special.length
}
