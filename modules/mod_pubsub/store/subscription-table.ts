import { randomUUID } from 'node:crypto'
import { nameHash, type Database, type Reader, type Tx } from '#core'
import {
  bareOf,
  DEFAULT_OPTIONS,
  type Range,
  type Subscription,
  type SubscriptionOptions,
  type SubscriptionState,
  type Terms
} from '../../lib_pubsub'
import type { Hashes } from './hashes'
import { bothWays, readRange } from '../../lib_keyset'
import { merged } from './merged'

export interface SubscriptionRow {
  id: number
  jid: string
  state: SubscriptionState
  deliver: number
  body: number
  /** Milliseconds UTC; 0: as long as the address is available; null: for ever. */
  expires: number | null
}

/** A subscription whose time has come. */
export interface DueRow {
  id: number
  jid: string
  node: string
}

const COLUMNS = ['id', 'jid', 'state', 'deliver', 'body', 'expires'] as const
const OF_SUBSCRIPTION = COLUMNS.map(column => `s.${column}`)

export interface NodeSubscriptionRow extends SubscriptionRow {
  affiliation: string | null
}

export interface OwnSubscriptionRow extends SubscriptionRow {
  node: string
}

type States = { node: number; states: readonly string[] }
type Person = { host: string; hash: Buffer }
type Written = { deliver: number; body: number; expires: number | null; due: number | null }

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
          .select(...COLUMNS)
          .where('node_id', p('node'))
          .where('bare_hash', p('hash'))
          .orderBy('id')
      ),
      ofNode: bothWays<{ node: number; state: string }, NodeSubscriptionRow>(db, 's.id', (knex, p) =>
        knex(`${table} as s`)
          .leftJoin('pubsub_affiliations as a', on =>
            on.on('a.node_id', 's.node_id').on('a.jid_hash', 's.bare_hash')
          )
          .select(...OF_SUBSCRIPTION, 'a.affiliation')
          .where('s.node_id', p('node'))
          .where('s.state', p('state'))
      ),
      own: bothWays<Person, OwnSubscriptionRow>(db, 's.id', (knex, p) =>
        knex(`${table} as s`)
          .join('pubsub_nodes as n', 'n.id', 's.node_id')
          .select(...OF_SUBSCRIPTION, 'n.name as node')
          .where('s.host', p('host'))
          .where('s.bare_hash', p('hash'))
      ),
      ownAt: bothWays<{ node: number; hash: Buffer }, SubscriptionRow>(db, 'id', (knex, p) =>
        knex(table)
          .select(...COLUMNS)
          .where('node_id', p('node'))
          .where('bare_hash', p('hash'))
      ),
      addresses: db.statement<States, { jid: string }>(
        (knex, p) =>
          knex(table)
            .select('jid')
            .where('node_id', p('node'))
            .whereIn('state', [p('states')] as never) // a list of placeholders, which Knex has no type for
      ),
      subscribed: db.statement<{ node: number }, SubscriptionRow>((knex, p) =>
        knex(table)
          .select(...COLUMNS)
          .where('node_id', p('node'))
          .where('state', 'subscribed')
          .orderBy('id')
      ),
      due: db.statement<{ host: string; now: number; limit: number }, DueRow>((knex, p) =>
        knex(`${table} as s`)
          .join('pubsub_nodes as n', 'n.id', 's.node_id')
          .select('s.id', 's.jid', 'n.name as node')
          .where('s.host', p('host'))
          .where('s.due', '<=', p('now'))
          .orderBy('s.due')
          .limit(p('limit'))
      ),
      nextDue: db.statement<{ host: string }, { due: number }>((knex, p) =>
        knex(table).select('due').where('host', p('host')).whereNotNull('due').orderBy('due').limit(1)
      ),
      temporary: bothWays<{ host: string }, DueRow>(db, 's.id', (knex, p) =>
        knex(`${table} as s`)
          .join('pubsub_nodes as n', 'n.id', 's.node_id')
          .select('s.id', 's.jid', 'n.name as node')
          .where('s.host', p('host'))
          .where('s.expires', 0)
      ),
      temporaryOf: db.statement<Person, DueRow>((knex, p) =>
        knex(`${table} as s`)
          .join('pubsub_nodes as n', 'n.id', 's.node_id')
          .select('s.id', 's.jid', 'n.name as node')
          .where('s.host', p('host'))
          .where('s.bare_hash', p('hash'))
          .where('s.expires', 0)
          .orderBy('s.id')
      ),
      waiting: db.statement<{ host: string; limit: number }, { node: string }>((knex, p) =>
        knex('pubsub_nodes')
          .select('name as node')
          .whereIn('id', knex(table).select('node_id').where('host', p('host')).where('state', 'pending'))
          .orderBy('id')
          .limit(p('limit'))
      ),
      waitingFor: db.statement<Person & { limit: number; owner: string }, { node: string }>((knex, p) =>
        knex('pubsub_affiliations as a')
          .join('pubsub_nodes as n', 'n.id', 'a.node_id')
          .select('n.name as node')
          .where('a.host', p('host'))
          .where('a.jid_hash', p('hash'))
          .where('a.affiliation', p('owner'))
          .whereExists(
            knex(`${table} as s`)
              .select(knex.raw('1'))
              .whereRaw('s.node_id = a.node_id')
              .where('s.state', 'pending')
          )
          .orderBy('a.id')
          .limit(p('limit'))
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
      insert: db.statement<
        {
          host: string
          node: number
          jid: string
          hash: Buffer
          bareHash: Buffer
          state: string
        } & Written
      >((knex, p) =>
        knex(table).insert({
          host: p('host'),
          node_id: p('node'),
          jid: p('jid'),
          jid_hash: p('hash'),
          bare_hash: p('bareHash'),
          state: p('state'),
          deliver: p('deliver'),
          body: p('body'),
          expires: p('expires'),
          due: p('due')
        })
      ),
      setTerms: db.statement<Written & { id: number }>((knex, p) =>
        knex(table)
          .update({ deliver: p('deliver'), body: p('body'), expires: p('expires'), due: p('due') })
          .where('id', p('id'))
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
    return [...new Set(rows.map(row => row.jid))]
  }

  subscribed(reader: Reader, node: number): Promise<SubscriptionRow[]> {
    return reader.all(this.#sql.subscribed, { node })
  }

  /** Those that are to be looked at. */
  due(reader: Reader, now: number, limit: number): Promise<DueRow[]> {
    return reader.all(this.#sql.due, { host: this.#host, now, limit })
  }

  async nextDue(reader: Reader): Promise<number | undefined> {
    return (await reader.get(this.#sql.nextDue, { host: this.#host }))?.due
  }

  /** Those that end when their subscriber goes. */
  temporary(reader: Reader, range: Range): Promise<DueRow[]> {
    return readRange(reader, this.#sql.temporary, { host: this.#host }, range)
  }

  temporaryOf(reader: Reader, bare: string): Promise<DueRow[]> {
    return reader.all(this.#sql.temporaryOf, this.#person(bare))
  }

  /** Names of the nodes at which somebody waits for approval: of all, or of those of an owner. */
  async waiting(reader: Reader, limit: number, owned?: { bare: string; owner: string }): Promise<string[]> {
    const rows = owned
      ? await reader.all(this.#sql.waitingFor, { ...this.#person(owned.bare), owner: owned.owner, limit })
      : await reader.all(this.#sql.waiting, { host: this.#host, limit })
    return rows.map(row => row.node)
  }

  async countOwn(reader: Reader, bare: string, limit: number): Promise<number> {
    const row = await reader.get(this.#sql.countOwn, { ...this.#person(bare), limit })
    return row?.n ?? 0
  }

  /**
   * The new subscription's integer.
   * @param several the address may have others with the node: the hash, which is unique, is then not of it alone
   */
  async insert(
    tx: Tx,
    node: number,
    { jid, state, terms, several }: { jid: string; state: SubscriptionState; terms: Terms; several: boolean }
  ): Promise<number> {
    const { lastId } = await tx.run(this.#sql.insert, {
      host: this.#host,
      node,
      jid,
      hash: several ? nameHash(`${jid} ${randomUUID()}`) : this.#hashes.of(jid),
      bareHash: this.#hashes.of(bareOf(jid)),
      state,
      ...columnsOf(terms)
    })
    return lastId
  }

  async setTerms(tx: Tx, id: number, terms: Terms): Promise<void> {
    await tx.run(this.#sql.setTerms, { id, ...columnsOf(terms) })
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

function columnsOf({ options = DEFAULT_OPTIONS, due }: Terms): Written {
  const { deliver, include_body, expire } = options
  return {
    deliver: deliver ? 1 : 0,
    body: include_body ? 1 : 0,
    expires: expire === 'never' ? null : expire === 'presence' ? 0 : expire,
    due: due ?? null
  }
}

/** A row as the engine knows it. */
export function toSubscription({ id, jid, state, ...row }: SubscriptionRow): Subscription {
  const options = optionsOf(row)
  return options ? { key: id, jid, state, options } : { key: id, jid, state }
}

function optionsOf({
  deliver,
  body,
  expires
}: Pick<SubscriptionRow, 'deliver' | 'body' | 'expires'>): SubscriptionOptions | undefined {
  if (deliver === 1 && body === 0 && expires === null) return undefined
  return {
    deliver: deliver === 1,
    include_body: body === 1,
    expire: expires === null ? 'never' : expires === 0 ? 'presence' : expires
  }
}
