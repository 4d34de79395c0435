import type { ItemKind, Newest } from '../mod_channels'

/** Nodes whose times are kept in memory, at most. */
const CAPACITY = 200_000

/**
 * When each channel had its newest publication, in memory: whoever asks what is new looks at a number for each
 * channel, and into those alone that have something. After a deletion the numbers are read again.
 */
export class Pulse {
  readonly #times = new Map<number, Newest>()
  /** What was published while times were being read, perhaps from before it. */
  readonly #early = new Map<number, Newest>()
  #underway = 0
  readonly #load: (nodes: readonly number[]) => Promise<Map<number, Newest>>

  constructor(load: (nodes: readonly number[]) => Promise<Map<number, Newest>>) {
    this.#load = load
  }

  /** Something was published; after its commit. */
  beat(node: number, { time, kind }: { time: number; kind: ItemKind }): void {
    const known = this.#times.get(node)
    // one that is not known is read when it is asked for; it may be on its way
    const table = known ? this.#times : this.#underway > 0 ? this.#early : undefined
    if (table === undefined) return
    const root = kind === 'post' || kind === 'data' ? time : 0
    const written = kind === 'rating' ? 0 : time
    table.set(node, later(known ?? this.#early.get(node) ?? NOTHING, { item: time, root, written }))
  }

  forget(node: number): void {
    this.#times.delete(node)
  }

  /** The times of these nodes; 0 for one that is gone. */
  async of(nodes: readonly number[]): Promise<(node: number) => Newest> {
    const missing = nodes.filter(node => !this.#times.has(node))
    const loaded = missing.length > 0 ? await this.#read(missing) : undefined
    return node => this.#times.get(node) ?? loaded?.get(node) ?? NOTHING
  }

  async #read(nodes: readonly number[]): Promise<Map<number, Newest>> {
    this.#underway++
    try {
      const loaded = await this.#load(nodes)
      for (const [node, newest] of loaded) {
        const early = this.#early.get(node)
        this.#keep(node, early ? later(newest, early) : newest)
      }
      return loaded
    } finally {
      if (--this.#underway === 0) this.#early.clear()
    }
  }

  #keep(node: number, newest: Newest): void {
    this.#times.set(node, newest)
    if (this.#times.size <= CAPACITY) return
    for (const oldest of this.#times.keys()) {
      this.#times.delete(oldest)
      return
    }
  }
}

const NOTHING: Newest = Object.freeze({ item: 0, root: 0, written: 0 })

function later(a: Newest, b: Newest): Newest {
  return {
    item: Math.max(a.item, b.item),
    root: Math.max(a.root, b.root),
    written: Math.max(a.written, b.written)
  }
}
