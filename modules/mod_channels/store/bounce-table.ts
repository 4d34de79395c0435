import { nameHash, type Database, type Tx } from '#core'

/** How often notifications to an address came back. */
export interface BounceRow {
  id: number
  count: number
  /** Milliseconds UTC of the first and the last error of this series. */
  first: number
  last: number
  /** Number of the notification that came back last: each counts once. */
  stamp: number
}

type Person = { host: string; hash: Buffer }
type Counted = Omit<BounceRow, 'id'>

/** Addresses that do not take what is sent to them, one row for each. */
export class BounceTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    this.#sql = {
      find: db.statement<Person, BounceRow>((knex, p) =>
        knex('channel_bounces')
          .select('id', 'count', 'first', 'last', 'stamp')
          .where('host', p('host'))
          .where('jid_hash', p('hash'))
          .forUpdate()
      ),
      insert: db.statement<Person & Counted & { jid: string }>((knex, p) =>
        knex('channel_bounces').insert({
          host: p('host'),
          jid: p('jid'),
          jid_hash: p('hash'),
          count: p('count'),
          first: p('first'),
          last: p('last'),
          stamp: p('stamp')
        })
      ),
      update: db.statement<BounceRow>((knex, p) =>
        knex('channel_bounces')
          .update({ count: p('count'), first: p('first'), last: p('last'), stamp: p('stamp') })
          .where('id', p('id'))
      ),
      forget: db.statement<Person>((knex, p) =>
        knex('channel_bounces').delete().where('host', p('host')).where('jid_hash', p('hash'))
      ),
      old: db.statement<{ host: string; before: number; limit: number }, { id: number }>((knex, p) =>
        knex('channel_bounces')
          .select('id')
          .where('host', p('host'))
          .where('last', '<', p('before'))
          .limit(p('limit'))
      ),
      delete: db.statement<{ ids: readonly number[] }>((knex, p) =>
        knex('channel_bounces')
          .delete()
          .whereIn('id', [p('ids')])
      )
    }
  }

  find(tx: Tx, jid: string): Promise<BounceRow | undefined> {
    return tx.get(this.#sql.find, this.#person(jid))
  }

  async put(tx: Tx, jid: string, row: BounceRow | undefined, counted: Counted): Promise<void> {
    if (row) await tx.run(this.#sql.update, { ...counted, id: row.id })
    else await tx.run(this.#sql.insert, { ...counted, ...this.#person(jid), jid })
  }

  /** The address is heard of again, or is no longer there. */
  async forget(tx: Tx, jid: string): Promise<void> {
    await tx.run(this.#sql.forget, this.#person(jid))
  }

  /** Forgets series that ended long ago, so many at most; tells how many there were. */
  async expire(tx: Tx, before: number, limit: number): Promise<number> {
    const rows = await tx.all(this.#sql.old, { host: this.#host, before, limit })
    if (rows.length > 0) await tx.run(this.#sql.delete, { ids: rows.map(row => row.id) })
    return rows.length
  }

  #person(jid: string): Person {
    return { host: this.#host, hash: nameHash(jid) }
  }
}
