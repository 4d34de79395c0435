import type { ClientSession } from '../streams/session'

const NONE: ReadonlyMap<string, ClientSession> = new Map()

/** Where the resources of a host's accounts are. Nothing else says whether a JID is connected (design §9). */
export class SessionRegistry {
  readonly #users = new Map<string, Map<string, ClientSession>>()
  #count = 0

  /** The sessions of an account, by resource. */
  of(user: string): ReadonlyMap<string, ClientSession> {
    return this.#users.get(user) ?? NONE
  }

  get(user: string, resource: string): ClientSession | undefined {
    return this.#users.get(user)?.get(resource)
  }

  add(user: string, resource: string, session: ClientSession): void {
    const resources = this.#users.get(user)
    if (resources) resources.set(resource, session)
    else this.#users.set(user, new Map([[resource, session]]))
    this.#count++
  }

  /** Only removes that very session: its place may have been taken. */
  remove(user: string, resource: string, session: ClientSession): void {
    const resources = this.#users.get(user)
    if (resources?.get(resource) !== session) return
    resources.delete(resource)
    if (resources.size === 0) this.#users.delete(user)
    this.#count--
  }

  /** How many sessions are bound. */
  get count(): number {
    return this.#count
  }

  /** The accounts with at least one session. */
  users(): IterableIterator<string> {
    return this.#users.keys()
  }

  *all(): IterableIterator<ClientSession> {
    for (const resources of this.#users.values()) yield* resources.values()
  }
}
