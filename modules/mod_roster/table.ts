import { randomBytes } from 'node:crypto'
import { nameHash, type Database, type Tx } from '#core'
import type { RosterItem, Subscription } from './item'

interface Owner {
  host: string
  hash: Buffer
}

interface RosterRow {
  id: number
  epoch: string
  version: number
}

interface ItemRow {
  jid: string
  name: string | null
  item_groups: string
  subscription: Subscription
  ask: number
  approved: number
  listed: number
  request: string | null
  version: number
}

interface ItemParams extends ItemRow {
  roster: number
  hash: Buffer
}

/** A roster as it is stored. */
export interface StoredRoster {
  id: number
  epoch: string
  version: number
  items: RosterItem[]
}

/** The rosters of one host. */
export class RosterTable {
  readonly #db: Database
  readonly #host: string
  readonly #roster
  readonly #lock
  readonly #create
  readonly #bump
  readonly #items
  readonly #item
  readonly #put
  readonly #forget
  readonly #renew
  readonly #forgetRemovals
  readonly #purge

  constructor(db: Database, host: string) {
    this.#db = db
    this.#host = host
    this.#roster = db.statement<Owner, RosterRow>((knex, p) =>
      knex('rosters').select('id', 'epoch', 'version').where('host', p('host')).where('user_hash', p('hash'))
    )
    this.#lock = db.statement<Owner, RosterRow>((knex, p) =>
      knex('rosters')
        .select('id', 'epoch', 'version')
        .where('host', p('host'))
        .where('user_hash', p('hash'))
        .forUpdate()
    )
    this.#create = db.statement<Owner & { user: string; epoch: string }>((knex, p) =>
      knex('rosters').insert({
        host: p('host'),
        user: p('user'),
        user_hash: p('hash'),
        epoch: p('epoch'),
        version: 0
      })
    )
    this.#bump = db.statement<{ id: number; version: number }>((knex, p) =>
      knex('rosters')
        .update({ version: p('version') })
        .where('id', p('id'))
    )
    const columns = [
      'jid',
      'name',
      'item_groups',
      'subscription',
      'ask',
      'approved',
      'listed',
      'request',
      'version'
    ]
    this.#items = db.statement<{ roster: number }, ItemRow>((knex, p) =>
      knex('roster_items').select(columns).where('roster_id', p('roster')).orderBy('version')
    )
    this.#item = db.statement<{ roster: number; hash: Buffer }, ItemRow>((knex, p) =>
      knex('roster_items').select(columns).where('roster_id', p('roster')).where('jid_hash', p('hash'))
    )
    this.#put = db.statement<ItemParams>((knex, p) =>
      knex('roster_items')
        .insert({
          roster_id: p('roster'),
          jid: p('jid'),
          jid_hash: p('hash'),
          name: p('name'),
          item_groups: p('item_groups'),
          subscription: p('subscription'),
          ask: p('ask'),
          approved: p('approved'),
          listed: p('listed'),
          request: p('request'),
          version: p('version')
        })
        .onConflict(['roster_id', 'jid_hash'])
        .merge()
    )
    this.#forget = db.statement<{ roster: number; hash: Buffer }>((knex, p) =>
      knex('roster_items').delete().where('roster_id', p('roster')).where('jid_hash', p('hash'))
    )
    this.#renew = db.statement<{ id: number; epoch: string }>((knex, p) =>
      knex('rosters')
        .update({ epoch: p('epoch') })
        .where('id', p('id'))
    )
    this.#forgetRemovals = db.statement<{ roster: number }>((knex, p) =>
      knex('roster_items').delete().where('roster_id', p('roster')).where('listed', 0).whereNull('request')
    )
    this.#purge = db.statement<Owner>((knex, p) =>
      knex('rosters').delete().where('host', p('host')).where('user_hash', p('hash'))
    )
  }

  async load(user: string): Promise<StoredRoster | undefined> {
    const row = await this.#db.read.get(this.#roster, this.#owner(user))
    if (!row) return undefined
    const items = await this.#db.read.all(this.#items, { roster: row.id })
    return { ...row, items: items.map(toItem) }
  }

  /** The roster's row, made if it is missing; held against other writers until the unit ends. */
  async open(tx: Tx, user: string): Promise<RosterRow> {
    const owner = this.#owner(user)
    const row = await tx.get(this.#lock, owner)
    if (row) return row
    const epoch = newEpoch()
    const { lastId } = await tx.run(this.#create, { ...owner, user, epoch })
    return { id: lastId, epoch, version: 0 }
  }

  async item(tx: Tx, roster: number, jid: string): Promise<RosterItem | undefined> {
    const row = await tx.get(this.#item, { roster, hash: nameHash(jid) })
    return row && toItem(row)
  }

  async put(tx: Tx, roster: number, item: RosterItem): Promise<void> {
    await tx.run(this.#put, {
      roster,
      hash: nameHash(item.jid),
      jid: item.jid,
      name: item.name ?? null,
      item_groups: JSON.stringify(item.groups),
      subscription: item.subscription,
      ask: Number(item.ask),
      approved: Number(item.approved),
      listed: Number(item.listed),
      request: item.request ?? null,
      version: item.version
    })
  }

  /** Begins another epoch, without the removals of the one before. Returns its name. */
  async renew(tx: Tx, roster: number): Promise<string> {
    const epoch = newEpoch()
    await tx.run(this.#renew, { id: roster, epoch })
    await tx.run(this.#forgetRemovals, { roster })
    return epoch
  }

  async forget(tx: Tx, roster: number, jid: string): Promise<void> {
    await tx.run(this.#forget, { roster, hash: nameHash(jid) })
  }

  async setVersion(tx: Tx, id: number, version: number): Promise<void> {
    await tx.run(this.#bump, { id, version })
  }

  async purge(tx: Tx, user: string): Promise<void> {
    await tx.run(this.#purge, this.#owner(user))
  }

  #owner(user: string): Owner {
    return { host: this.#host, hash: nameHash(user) }
  }
}

function newEpoch(): string {
  return randomBytes(6).toString('base64url')
}

function toItem(row: ItemRow): RosterItem {
  return {
    jid: row.jid,
    name: row.name ?? undefined,
    groups: JSON.parse(row.item_groups) as string[],
    subscription: row.subscription,
    ask: row.ask === 1,
    approved: row.approved === 1,
    listed: row.listed === 1,
    request: row.request ?? undefined,
    version: row.version
  }
}
