import type { Database, StanzaEvent } from '#core'
import { stranger, type RosterItem } from './item'
import type { RosterTable } from './table'

/** A roster in memory: what was committed last. */
export interface Roster {
  readonly epoch: string
  readonly version: number
  /** Listed items, requests that wait and removals, by bare JID. */
  readonly items: ReadonlyMap<string, RosterItem>
}

export interface Change {
  before: RosterItem
  after: RosterItem
  /** What clients see of the item has changed. */
  visible: boolean
  roster: Roster
}

const EMPTY: Roster = { epoch: '0', version: 0, items: new Map() }

/** Rosters that are kept in memory, at most. */
const CACHED = 10_000

/** Removals that a roster remembers for those who ask by version; with more, versions begin anew. */
const MAX_REMOVALS = 500

/** The rosters of a host: read through a bounded cache, written to the database first. */
export class Rosters {
  readonly #db: Database
  readonly #table: RosterTable
  readonly #cache = new Map<string, Roster>()
  readonly #loading = new Map<string, Promise<Roster>>()

  constructor(db: Database, table: RosterTable) {
    this.#db = db
    this.#table = table
  }

  /** At once where it is in memory. */
  get(user: string): Roster | Promise<Roster> {
    const cached = this.#cache.get(user)
    if (!cached) return this.#load(user)
    // The last that was asked for goes last: addresses that come once do not drive out those in use.
    this.#cache.delete(user)
    this.#cache.set(user, cached)
    return cached
  }

  #load(user: string): Promise<Roster> {
    const under = this.#loading.get(user)
    if (under) return under
    const loading = this.#read(user).then(roster => {
      // A write that was committed meanwhile has put a newer one there, or has thrown this load away.
      if (this.#loading.get(user) !== loading) return this.#cache.get(user) ?? roster
      this.#loading.delete(user)
      this.#keep(user, roster)
      return roster
    })
    this.#loading.set(user, loading)
    loading.catch(() => this.#loading.delete(user))
    return loading
  }

  async #read(user: string): Promise<Roster> {
    const stored = await this.#table.load(user)
    if (!stored) return EMPTY
    return { ...stored, items: new Map(stored.items.map(item => [item.jid, item])) }
  }

  #keep(user: string, roster: Roster): void {
    this.#cache.delete(user)
    this.#cache.set(user, roster)
    if (this.#cache.size <= CACHED) return
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest)
      return
    }
  }

  forget(user: string): void {
    this.#cache.delete(user)
    this.#loading.delete(user)
  }

  /** Forgets it all: another process may have written. */
  clear(): void {
    this.#cache.clear()
    this.#loading.clear()
  }

  /**
   * Changes one item, in the sender's turn; `fn` is pure and returns the same item where nothing changes.
   * Resolves after the commit, with nothing when nothing changed.
   */
  async change(
    user: string,
    jid: string,
    fn: (item: RosterItem, roster: { size: number }) => RosterItem,
    event?: StanzaEvent
  ): Promise<Change | undefined> {
    const cached = await this.get(user)
    const { size, removals } = countsOf(cached)
    const change = await this.#db.write(async tx => {
      const row = await this.#table.open(tx, user)
      const before = (await this.#table.item(tx, row.id, jid)) ?? stranger(jid)
      const wanted = fn(before, { size })
      if (wanted === before) return undefined
      const visible = isVisible(before, wanted)
      const renewed = visible && removals >= MAX_REMOVALS
      const epoch = renewed ? await this.#table.renew(tx, row.id) : row.epoch
      const version = visible ? row.version + 1 : row.version
      const after = { ...wanted, version: visible ? version : before.version }
      if (visible) await this.#table.setVersion(tx, row.id, version)
      const kept = after.listed || after.request !== undefined || before.listed || before.version > 0
      if (kept) await this.#table.put(tx, row.id, after)
      else await this.#table.forget(tx, row.id, jid)
      return { before, after, kept, visible, epoch, version, renewed }
    }, event)
    if (!change) return undefined
    const roster = this.#changed(user, cached, change)
    return { before: change.before, after: change.after, visible: change.visible, roster }
  }

  #changed(
    user: string,
    loaded: Roster,
    change: { after: RosterItem; kept: boolean; epoch: string; version: number; renewed: boolean }
  ): Roster {
    const base = this.#cache.get(user) ?? loaded
    const items = new Map(
      change.renewed ? [...base.items].filter(([, item]) => !isRemoval(item)) : base.items
    )
    if (change.kept) items.set(change.after.jid, change.after)
    else items.delete(change.after.jid)
    const roster = { epoch: change.epoch, version: Math.max(base.version, change.version), items }
    this.#loading.delete(user)
    this.#keep(user, roster)
    return roster
  }
}

/** Kept only so that those who ask by version are told. */
function isRemoval(item: RosterItem): boolean {
  return !item.listed && item.request === undefined
}

function countsOf({ items }: Roster): { size: number; removals: number } {
  let size = 0
  let removals = 0
  for (const item of items.values()) {
    if (item.listed) size++
    else if (isRemoval(item)) removals++
  }
  return { size, removals }
}

/** Whether clients would see a difference (RFC 6121 §2.1.6: only then a push). */
function isVisible(before: RosterItem, after: RosterItem): boolean {
  if (!before.listed && !after.listed) return false
  return (
    before.listed !== after.listed ||
    before.name !== after.name ||
    before.subscription !== after.subscription ||
    before.ask !== after.ask ||
    before.approved !== after.approved ||
    before.groups.length !== after.groups.length ||
    before.groups.some((group, i) => group !== after.groups[i])
  )
}
