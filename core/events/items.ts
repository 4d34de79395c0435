import EventEmitter from 'eventemitter3'

/**
 * The kinds of items that modules offer to each other, and what each is. A module adds its own kinds by
 * declaration merging. An item is withdrawn when its module is unloaded and replayed to whoever watches,
 * so the order in which modules are loaded does not matter (design §3).
 */
export interface ItemTypes {
  /** A feature of the host in disco#info (XEP-0030). */
  'disco-feature': string
  /** An identity of the host in disco#info (XEP-0030). */
  'disco-identity': { category: string; type: string; name?: string }
}

export interface Watcher<T> {
  added?(item: T, module: string): void
  removed?(item: T, module: string): void
}

interface Entry {
  item: unknown
  module: string
}

/** The items of one host. */
export class Items {
  readonly #entries = new Map<string, Entry[]>()
  readonly #changes = new EventEmitter()

  /** Returns the function that withdraws the item. */
  add<K extends keyof ItemTypes>(kind: K, item: ItemTypes[K], module: string): () => void {
    const entry: Entry = { item, module }
    const entries = this.#entries.get(kind)
    if (entries) entries.push(entry)
    else this.#entries.set(kind, [entry])
    this.#changes.emit(`added/${kind}`, item, module)
    return () => this.#withdraw(kind, entry)
  }

  #withdraw(kind: string, entry: Entry): void {
    const entries = this.#entries.get(kind)
    // Modules take back what they offer newest first
    const at = entries?.lastIndexOf(entry) ?? -1
    if (at === -1) return
    entries?.splice(at, 1)
    this.#changes.emit(`removed/${kind}`, entry.item, entry.module)
  }

  /** The items there now, in order of registration. */
  list<K extends keyof ItemTypes>(kind: K): ItemTypes[K][] {
    return (this.#entries.get(kind) ?? []).map(entry => entry.item as ItemTypes[K])
  }

  /** Calls back for each item there is and for each that comes or goes. Returns the function that ends it. */
  watch<K extends keyof ItemTypes>(kind: K, watcher: Watcher<ItemTypes[K]>): () => void {
    const added = (item: ItemTypes[K], module: string): void => watcher.added?.(item, module)
    const removed = (item: ItemTypes[K], module: string): void => watcher.removed?.(item, module)
    for (const { item, module } of this.#entries.get(kind) ?? []) added(item as ItemTypes[K], module)
    this.#changes.on(`added/${kind}`, added)
    this.#changes.on(`removed/${kind}`, removed)
    return () => {
      this.#changes.off(`added/${kind}`, added)
      this.#changes.off(`removed/${kind}`, removed)
    }
  }
}
