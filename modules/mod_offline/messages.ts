import { nameHash, type Database, type StanzaEvent, type Tx } from '#core'

export interface Stored {
  id: number
  stanza: string
}

interface Owner {
  host: string
  hash: Buffer
}

/** The table of the kept messages of one host. */
export class OfflineMessages {
  readonly #db: Database
  readonly #host: string
  readonly #count
  readonly #insert
  readonly #page
  readonly #delete
  readonly #purge
  readonly #expire

  constructor(db: Database, host: string) {
    this.#db = db
    this.#host = host
    this.#count = db.statement<Owner, { n: number; bytes: number | string }>((knex, p) =>
      knex('offline_messages')
        .count({ n: '*' })
        .select(knex.raw('coalesce(sum(octet_length(stanza)), 0) as bytes'))
        .where('host', p('host'))
        .where('user_hash', p('hash'))
    )
    this.#insert = db.statement<Owner & { user: string; received: number; stanza: string }>((knex, p) =>
      knex('offline_messages').insert({
        host: p('host'),
        user: p('user'),
        user_hash: p('hash'),
        received: p('received'),
        stanza: p('stanza')
      })
    )
    this.#page = db.statement<Owner & { limit: number }, Stored>((knex, p) =>
      knex('offline_messages')
        .select('id', 'stanza')
        .where('host', p('host'))
        .where('user_hash', p('hash'))
        .orderBy('id')
        .limit(p('limit'))
    )
    this.#delete = db.statement<Owner & { last: number }>((knex, p) =>
      knex('offline_messages')
        .delete()
        .where('host', p('host'))
        .where('user_hash', p('hash'))
        .where('id', '<=', p('last'))
    )
    this.#purge = db.statement<Owner>((knex, p) =>
      knex('offline_messages').delete().where('host', p('host')).where('user_hash', p('hash'))
    )
    this.#expire = db.statement<{ before: number }>((knex, p) =>
      knex('offline_messages').delete().where('received', '<', p('before'))
    )
  }

  /** False when the account has as many, or as much, as it may. */
  add(
    user: string,
    message: { received: number; stanza: string },
    { limit, maxBytes }: { limit: number; maxBytes: number },
    event: StanzaEvent
  ): Promise<boolean> {
    const owner = this.#owner(user)
    return this.#db.write(async tx => {
      const row = await tx.get(this.#count, owner)
      if ((row?.n ?? 0) >= limit) return false
      // MySQL's sums are decimals, which come as text
      if (Number(row?.bytes ?? 0) + Buffer.byteLength(message.stanza) > maxBytes) return false
      await tx.run(this.#insert, { ...owner, user, ...message })
      return true
    }, event)
  }

  page(user: string, limit: number): Promise<Stored[]> {
    return this.#db.read.all(this.#page, { ...this.#owner(user), limit })
  }

  /** What was delivered: this one and all before it. */
  async delete(user: string, last: Stored): Promise<void> {
    await this.#db.write(tx => tx.run(this.#delete, { ...this.#owner(user), last: last.id }))
  }

  async purge(user: string, tx: Tx): Promise<void> {
    await tx.run(this.#purge, this.#owner(user))
  }

  async dropOlderThan(before: number): Promise<void> {
    await this.#db.write(tx => tx.run(this.#expire, { before }))
  }

  #owner(user: string): Owner {
    return { host: this.#host, hash: nameHash(user) }
  }
}
