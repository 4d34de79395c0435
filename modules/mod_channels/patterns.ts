import { StanzaError, type Store, type Tx } from '#core'

/** What an administrator has said of an account or a domain. */
export interface Said {
  /** Bare JID or `local:USER`; '' once that account is gone. */
  readonly by: string
  /** Milliseconds UTC. */
  readonly at: number
}

/** Accounts and domains of which something can be said, at most. */
const MOST = 10_000

/**
 * What is said of accounts (bare JIDs) and domains (`example.org`, or `*.example.org` for all below it), all of them
 * prepared: kept in the database, asked in memory. The narrowest one counts.
 */
export class Patterns<T extends Said> {
  readonly #store: Store<T>
  readonly #all = new Map<string, T>()
  /** Changes happen one after the other, so that memory follows the database in its order. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: Store<T>) {
    this.#store = store
  }

  async load(): Promise<void> {
    for (let after: string | undefined; ;) {
      const page = await this.#store.entries({ limit: 1000, ...(after !== undefined && { after }) })
      for (const { key, value } of page) this.#all.set(key, value)
      after = page.at(-1)?.key
      if (page.length < 1000) return
    }
  }

  get any(): boolean {
    return this.#all.size > 0
  }

  /** In the order of their names. */
  list(): [string, T][] {
    return [...this.#all].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** What is said of exactly that. */
  get(pattern: string): T | undefined {
    return this.#all.get(pattern)
  }

  /** What holds for an account, by its bare JID. */
  find(bare: string): T | undefined {
    if (this.#all.size === 0) return undefined
    const own = this.#all.get(bare)
    if (own) return own
    const domain = bare.slice(bare.indexOf('@') + 1)
    const found = this.#all.get(domain)
    if (found) return found
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      const above = this.#all.get(`*${domain.slice(dot)}`)
      if (above) return above
    }
    return undefined
  }

  /** Throws `resource-constraint` where there are too many. */
  set(pattern: string, said: T): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#all.has(pattern) && this.#all.size >= MOST) {
        throw new StanzaError('resource-constraint', `there are ${MOST} already: take some away first`)
      }
      await this.#store.set(pattern, said)
      this.#all.set(pattern, said)
    })
  }

  /** The same within a unit of somebody else's. */
  async setIn(tx: Tx, pattern: string, said: T): Promise<void> {
    await this.#store.set(pattern, said, tx)
    tx.afterCommit(() => this.#all.set(pattern, said))
  }

  /** False where nothing was said. */
  delete(pattern: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const was = await this.#store.delete(pattern)
      return this.#all.delete(pattern) || was
    })
  }

  /** An account is removed, and its name stays nowhere; gives what was said of it. */
  async purge(tx: Tx, jid: string): Promise<T | undefined> {
    const own = this.#all.get(jid)
    if (own) {
      await this.#store.delete(jid, tx)
      tx.afterCommit(() => this.#all.delete(jid))
    }
    for (const [pattern, said] of this.#all) {
      if (said.by === jid && pattern !== jid) await this.setIn(tx, pattern, { ...said, by: '' })
    }
    return own
  }

  #inTurn<R>(change: () => Promise<R>): Promise<R> {
    const done = this.#last.then(change)
    this.#last = done.catch(() => undefined)
    return done
  }
}
