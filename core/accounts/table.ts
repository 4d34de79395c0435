import { nameHash } from '../storage'
import type { Database, Tx } from '../storage'
import type { ListedAccount } from './api'

interface Key {
  host: string
  hash: Buffer
}

export interface AccountRow {
  id: number
  user: string
  credentials: string
  disabled: number
}

/** The accounts table: every row carries its host. */
export class AccountTable {
  readonly #find
  readonly #insert
  readonly #delete
  readonly #credentials
  readonly #disable
  readonly #count
  readonly #countDisabled
  readonly #list
  readonly #listDisabled

  constructor(private readonly db: Database) {
    this.#find = db.statement<Key, AccountRow>((knex, p) =>
      knex('accounts')
        .select('id', 'user', 'credentials', 'disabled')
        .where('host', p('host'))
        .where('user_hash', p('hash'))
    )
    this.#insert = db.statement<Key & { user: string; credentials: string; created: number }>((knex, p) =>
      knex('accounts').insert({
        host: p('host'),
        user: p('user'),
        user_hash: p('hash'),
        credentials: p('credentials'),
        disabled: 0,
        created: p('created')
      })
    )
    this.#delete = db.statement<Key>((knex, p) =>
      knex('accounts').delete().where('host', p('host')).where('user_hash', p('hash'))
    )
    this.#credentials = db.statement<Key & { credentials: string }>((knex, p) =>
      knex('accounts')
        .update({ credentials: p('credentials') })
        .where('host', p('host'))
        .where('user_hash', p('hash'))
    )
    this.#disable = db.statement<Key & { disabled: number }>((knex, p) =>
      knex('accounts')
        .update({ disabled: p('disabled') })
        .where('host', p('host'))
        .where('user_hash', p('hash'))
    )
    this.#count = db.statement<{ host: string }, { n: number }>((knex, p) =>
      knex('accounts').count({ n: '*' }).where('host', p('host'))
    )
    this.#countDisabled = db.statement<{ host: string }, { n: number }>((knex, p) =>
      knex('accounts').count({ n: '*' }).where('host', p('host')).where('disabled', 1)
    )
    this.#list = db.statement<{ host: string; after: number; limit: number }, ListedAccount>((knex, p) =>
      knex('accounts')
        .select('user', { place: 'id' })
        .where('host', p('host'))
        .where('id', '>', p('after'))
        .orderBy('id')
        .limit(p('limit'))
    )
    this.#listDisabled = db.statement<{ host: string; after: number; limit: number }, ListedAccount>(
      (knex, p) =>
        knex('accounts')
          .select('user', { place: 'id' })
          .where('host', p('host'))
          .where('disabled', 1)
          .where('id', '>', p('after'))
          .orderBy('id')
          .limit(p('limit'))
    )
  }

  find(host: string, user: string): Promise<AccountRow | undefined> {
    return this.db.read.get(this.#find, key(host, user))
  }

  findIn(tx: Tx, host: string, user: string): Promise<AccountRow | undefined> {
    return tx.get(this.#find, key(host, user))
  }

  async insert(tx: Tx, host: string, user: string, credentials: string): Promise<void> {
    await tx.run(this.#insert, { ...key(host, user), user, credentials, created: Date.now() })
  }

  async delete(tx: Tx, host: string, user: string): Promise<boolean> {
    return (await tx.run(this.#delete, key(host, user))).changes > 0
  }

  async setCredentials(tx: Tx, host: string, user: string, credentials: string): Promise<boolean> {
    return (await tx.run(this.#credentials, { ...key(host, user), credentials })).changes > 0
  }

  async setDisabled(tx: Tx, host: string, user: string, disabled: boolean): Promise<void> {
    await tx.run(this.#disable, { ...key(host, user), disabled: disabled ? 1 : 0 })
  }

  async count(host: string, disabled = false): Promise<number> {
    return (await this.db.read.get(disabled ? this.#countDisabled : this.#count, { host }))?.n ?? 0
  }

  /** In the order in which they were made; `after` is the place of the last one of the page before. */
  list(host: string, after: number, limit: number, disabled = false): Promise<ListedAccount[]> {
    return this.db.read.all(disabled ? this.#listDisabled : this.#list, { host, after, limit })
  }
}

function key(host: string, user: string): Key {
  return { host, hash: nameHash(user) }
}
