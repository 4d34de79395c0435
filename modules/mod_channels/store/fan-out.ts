import type { Channel } from '../model'

interface Entry {
  version: number
  jids: readonly string[]
}

/** Addresses that are kept in memory, at most. */
const CAPACITY = 200_000

/**
 * Who is notified of a channel's news, kept in memory. A list is valid for one version of the channel's members,
 * which every writer reads with the channel's row: whoever changes the members, in this process or another, need
 * tell nobody.
 */
export class FanOut {
  readonly #entries = new Map<number, Entry>()
  #size = 0

  get({ key, membersVersion }: Channel): readonly string[] | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.version !== membersVersion) {
      this.#drop(key, entry)
      return undefined
    }
    // what is asked for goes to the young end
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.jids
  }

  put({ key, membersVersion }: Channel, jids: readonly string[]): void {
    if (jids.length > CAPACITY / 2) return
    const old = this.#entries.get(key)
    if (old) this.#drop(key, old)
    this.#entries.set(key, { version: membersVersion, jids })
    this.#size += jids.length + 1
    for (const [oldest, entry] of this.#entries) {
      if (this.#size <= CAPACITY) return
      this.#drop(oldest, entry)
    }
  }

  #drop(key: number, entry: Entry): void {
    this.#entries.delete(key)
    this.#size -= entry.jids.length + 1
  }
}
