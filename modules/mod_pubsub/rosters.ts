import type { Handle } from '#core'
import type { ContactList, ReadStore, Rosters } from '../lib_pubsub'
import type { RosterApi } from '../mod_roster'
import type { PubsubContext } from './service'

/** A unit of writing may not wait for a roster: it is done again when the roster is in memory. */
export class RosterNeeded extends Error {
  override readonly name = 'RosterNeeded'

  constructor(readonly loading: Promise<unknown>) {
    super('a roster is not in memory')
  }
}

/** Times that a unit is done again: a node has no more owners whose rosters count. */
export const ATTEMPTS = 25

/** Does something in units of writing, again where a roster had to be read before. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof RosterNeeded) || attempt === ATTEMPTS) throw error
      await error.loading
    }
  }
}

/** The rosters of the accounts of this server, where their host has mod_roster. */
export class LocalRosters implements Rosters {
  readonly #ctx: PubsubContext
  readonly #handles = new Map<string, Handle<RosterApi>>()

  constructor(ctx: PubsubContext) {
    this.#ctx = ctx
  }

  isAvailable(): boolean {
    return this.#ctx.server.hosts().some(({ name }) => this.#of(name) !== undefined)
  }

  isReachable(owner: string): boolean {
    const [user, domain] = partsOf(owner)
    return user !== '' && this.#of(domain) !== undefined
  }

  rosterOf(owner: string, store: ReadStore): Promise<ContactList> | ContactList | undefined {
    const [user, domain] = partsOf(owner)
    const roster = this.#of(domain)?.roster(user)
    if (!(roster instanceof Promise)) return roster?.items
    if ('lockNode' in store) throw new RosterNeeded(roster)
    return roster.then(({ items }) => items)
  }

  #of(domain: string): Handle<RosterApi> | undefined {
    const { server } = this.#ctx
    const host = server.host(domain)
    if (host?.type !== 'virtual' || host.name !== domain) return undefined
    let handle = this.#handles.get(domain)
    if (handle === undefined) {
      handle = this.#ctx.use('roster', { host: domain, optional: true })
      this.#handles.set(domain, handle)
    }
    return handle.available ? handle : undefined
  }
}

/** Local part and domain of a bare JID. */
function partsOf(bare: string): [user: string, domain: string] {
  const at = bare.indexOf('@')
  return at < 0 ? ['', bare] : [bare.slice(0, at), bare.slice(at + 1)]
}
