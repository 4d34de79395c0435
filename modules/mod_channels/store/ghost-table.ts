import { createHash } from 'node:crypto'
import type { Database, Tx } from '#core'

/** Bans of accounts that were removed: they hold again when an account of that name is made. */
export class GhostTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    this.#sql = {
      add: db.statement<{ host: string; channel: number; ghost: Buffer }>((knex, p) =>
        knex('channel_ghosts')
          .insert({ host: p('host'), channel_id: p('channel'), ghost: p('ghost') })
          .onConflict(['channel_id', 'ghost'])
          .ignore()
      ),
      find: db.statement<{ host: string; ghost: Buffer }, { channel: number }>((knex, p) =>
        knex('channel_ghosts')
          .select('channel_id as channel')
          .where('host', p('host'))
          .where('ghost', p('ghost'))
      ),
      delete: db.statement<{ host: string; ghost: Buffer }>((knex, p) =>
        knex('channel_ghosts').delete().where('host', p('host')).where('ghost', p('ghost'))
      )
    }
  }

  async add(tx: Tx, channel: number, jid: string): Promise<void> {
    await tx.run(this.#sql.add, { host: this.#host, channel, ghost: ghostOf(jid) })
  }

  /** The channels in which that name was banned, and forgets that. */
  async take(tx: Tx, jid: string): Promise<number[]> {
    const key = { host: this.#host, ghost: ghostOf(jid) }
    const rows = await tx.all(this.#sql.find, key)
    if (rows.length > 0) await tx.run(this.#sql.delete, key)
    return rows.map(row => row.channel)
  }
}

/** Not the hash by which names are found elsewhere: nothing else leads to it. */
function ghostOf(jid: string): Buffer {
  return createHash('sha256').update(`banned\0${jid}`).digest()
}
