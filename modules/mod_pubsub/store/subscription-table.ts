import type { Database, Reader, Tx } from '#core'
import { bareOf, type Range, type SubscriptionState } from '../../lib_pubsub'
import type { Hashes } from './hashes'
import { bothWays, readRange } from '../../lib_keyset'
import { merged } from './merged'

export interface SubscriptionRow {
  id: number
  jid: string
  state: SubscriptionState
}

export interface NodeSubscriptionRow extends SubscriptionRow {
  affiliation: string | null
}

export interface OwnSubscriptionRow extends SubscriptionRow {
  node: string
}

type States = { node: number; states: readonly string[] }
type Person = { host: string; hash: Buffer }

/** The subscriptions to the nodes of one host. */
export class SubscriptionTable {
  readonly #host: string
  readonly #hashes: Hashes
  readonly #sql

  constructor(db: Database, host: string, hashes: Hashes) {
    this.#host = host
    this.#hashes = hashes
    const table = 'pubsub_subscriptions'
    this.#sql = {
      ofPerson: db.statement<{ node: number; hash: Buffer }, SubscriptionRow>((knex, p) =>
        knex(table)
          .select('id', 'jid', 'state')
          .where('node_id', p('node'))
          .where('bare_hash', p('hash'))
          .orderBy('id')
      ),
      ofNode: bothWays<{ node: number; state: string }, NodeSubscriptionRow>(db, 's.id', (knex, p) =>
        knex(`${table} as s`)
          .leftJoin('pubsub_affiliations as a', on =>
            on.on('a.node_id', 's.node_id').on('a.jid_hash', 's.bare_hash')
          )
          .select('s.id', 's.jid', 's.state', 'a.affiliation')
          .where('s.node_id', p('node'))
          .where('s.state', p('state'))
      ),
      own: bothWays<Person, OwnSubscriptionRow>(db, 's.id', (knex, p) =>
        knex(`${table} as s`)
          .join('pubsub_nodes as n', 'n.id', 's.node_id')
          .select('s.id', 's.jid', 's.state', 'n.name as node')
          .where('s.host', p('host'))
          .where('s.bare_hash', p('hash'))
      ),
      ownAt: bothWays<{ node: number; hash: Buffer }, SubscriptionRow>(db, 'id', (knex, p) =>
        knex(table).select('id', 'jid', 'state').where('node_id', p('node')).where('bare_hash', p('hash'))
      ),
      addresses: db.statement<States, { jid: string }>(
        (knex, p) =>
          knex(table)
            .select('jid')
            .where('node_id', p('node'))
            .whereIn('state', [p('states')] as never) // a list of placeholders, which Knex has no type for
      ),
      countOwn: db.statement<Person & { limit: number }, { n: number }>((knex, p) =>
        knex
          .count({ n: '*' })
          .from(
            knex(table)
              .select('id')
              .where('host', p('host'))
              .where('bare_hash', p('hash'))
              .limit(p('limit'))
              .as('own')
          )
      ),
      insert: db.statement<{
        host: string
        node: number
        jid: string
        hash: Buffer
        bareHash: Buffer
        state: string
      }>((knex, p) =>
        knex(table).insert({
          host: p('host'),
          node_id: p('node'),
          jid: p('jid'),
          jid_hash: p('hash'),
          bare_hash: p('bareHash'),
          state: p('state')
        })
      ),
      update: db.statement<{ id: number; state: string }>((knex, p) =>
        knex(table)
          .update({ state: p('state') })
          .where('id', p('id'))
      ),
      delete: db.statement<{ id: number }>((knex, p) => knex(table).delete().where('id', p('id')))
    }
  }

  ofPerson(reader: Reader, node: number, bare: string): Promise<SubscriptionRow[]> {
    return reader.all(this.#sql.ofPerson, { node, hash: this.#hashes.of(bare) })
  }

  async ofNode(
    reader: Reader,
    node: number,
    range: Range,
    states: readonly SubscriptionState[]
  ): Promise<NodeSubscriptionRow[]> {
    const lists = states.map(state => readRange(reader, this.#sql.ofNode, { node, state }, range))
    return merged(await Promise.all(lists), range)
  }

  own(reader: Reader, bare: string, range: Range): Promise<OwnSubscriptionRow[]> {
    return readRange(reader, this.#sql.own, this.#person(bare), range)
  }

  ownAt(reader: Reader, node: number, bare: string, range: Range): Promise<SubscriptionRow[]> {
    return readRange(reader, this.#sql.ownAt, { node, hash: this.#hashes.of(bare) }, range)
  }

  async addresses(reader: Reader, node: number, states: readonly SubscriptionState[]): Promise<string[]> {
    const rows = await reader.all(this.#sql.addresses, { node, states })
    return rows.map(row => row.jid)
  }

  async countOwn(reader: Reader, bare: string, limit: number): Promise<number> {
    const row = await reader.get(this.#sql.countOwn, { ...this.#person(bare), limit })
    return row?.n ?? 0
  }

  /** The new subscription's integer. */
  async insert(tx: Tx, node: number, jid: string, state: SubscriptionState): Promise<number> {
    const { lastId } = await tx.run(this.#sql.insert, {
      host: this.#host,
      node,
      jid,
      hash: this.#hashes.of(jid),
      bareHash: this.#hashes.of(bareOf(jid)),
      state
    })
    return lastId
  }

  async update(tx: Tx, id: number, state: SubscriptionState): Promise<void> {
    await tx.run(this.#sql.update, { id, state })
  }

  async delete(tx: Tx, id: number): Promise<void> {
    await tx.run(this.#sql.delete, { id })
  }

  #person(bare: string): Person {
    return { host: this.#host, hash: this.#hashes.of(bare) }
  }
}
