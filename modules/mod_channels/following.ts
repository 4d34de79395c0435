/** A node of a channel that somebody follows. */
export interface Followed {
  /** The node's integer. */
  readonly node: number
  /** The channel's bare JID. */
  readonly channel: string
}

/** People whose channels are kept in memory, at most. */
const CAPACITY = 10_000

/** Who follows what, in memory: read when it is asked for, forgotten when it changes. */
export class Following {
  readonly #lists = new Map<string, Promise<readonly Followed[]>>()
  readonly #load: (jid: string) => Promise<readonly Followed[]>

  constructor(load: (jid: string) => Promise<readonly Followed[]>) {
    this.#load = load
  }

  of(jid: string): Promise<readonly Followed[]> {
    const known = this.#lists.get(jid)
    const list = known ?? this.#load(jid)
    this.#lists.delete(jid)
    this.#lists.set(jid, list)
    if (known) return known
    // a list that could not be read is not kept; one that was forgotten meanwhile is not there any more
    list.catch(() => this.#lists.get(jid) === list && this.#lists.delete(jid))
    if (this.#lists.size > CAPACITY) {
      for (const oldest of this.#lists.keys()) {
        this.#lists.delete(oldest)
        break
      }
    }
    return list
  }

  forget(jid: string): void {
    this.#lists.delete(jid)
  }

  /** Nodes came or went. */
  clear(): void {
    this.#lists.clear()
  }
}
