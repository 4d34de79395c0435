import type { Database, Reader, Tx } from '#core'
import { ON_PRESENCE, type NewNode, type NodeConfig, type Range } from '../../lib_pubsub'
import type { Hashes } from './hashes'
import { bothWays, readRange } from '../../lib_keyset'

export interface NodeRow {
  id: number
  name: string
  creator: string
  created: number
  config: string
  item_count: number
  seq: number
  subscribers: number
  version: number
  /** When its oldest item ends. */
  due: number | null
}

/** What is found without reading the configuration. */
type Flags = { onPresence: number; byRoster: number }

type Named = { host: string; hash: Buffer }

const COLUMNS = [
  'id',
  'name',
  'creator',
  'created',
  'config',
  'item_count',
  'seq',
  'subscribers',
  'version',
  'due'
] as const

/** The nodes of one host, and where those have gone that have moved. */
export class NodeTable {
  readonly #host: string
  readonly #hashes: Hashes
  readonly #sql

  constructor(db: Database, host: string, hashes: Hashes) {
    this.#host = host
    this.#hashes = hashes
    const table = 'pubsub_nodes'
    this.#sql = {
      find: db.statement<Named, NodeRow>((knex, p) =>
        knex(table)
          .select(...COLUMNS)
          .where('host', p('host'))
          .where('name_hash', p('hash'))
      ),
      lock: db.statement<Named, NodeRow>((knex, p) =>
        knex(table)
          .select(...COLUMNS)
          .where('host', p('host'))
          .where('name_hash', p('hash'))
          .forUpdate()
      ),
      list: bothWays<{ host: string }, NodeRow>(db, 'id', (knex, p) =>
        knex(table)
          .select(...COLUMNS)
          .where('host', p('host'))
      ),
      insert: db.statement<
        Named &
          Flags & { name: string; creator: string; creatorHash: Buffer; created: number; config: string }
      >((knex, p) =>
        knex(table).insert({
          host: p('host'),
          name: p('name'),
          name_hash: p('hash'),
          creator: p('creator'),
          creator_hash: p('creatorHash'),
          created: p('created'),
          config: p('config'),
          on_presence: p('onPresence'),
          by_roster: p('byRoster'),
          item_count: 0,
          seq: 0,
          subscribers: 0,
          version: 0
        })
      ),
      configure: db.statement<Flags & { id: number; config: string }>((knex, p) =>
        knex(table)
          .update({ config: p('config'), on_presence: p('onPresence'), by_roster: p('byRoster') })
          .where('id', p('id'))
      ),
      setDue: db.statement<{ id: number; due: number | null }>((knex, p) =>
        knex(table)
          .update({ due: p('due') })
          .where('id', p('id'))
      ),
      due: db.statement<{ host: string; now: number; limit: number }, { name: string }>((knex, p) =>
        knex(table)
          .select('name')
          .where('host', p('host'))
          .where('due', '<=', p('now'))
          .orderBy('due')
          .limit(p('limit'))
      ),
      nextDue: db.statement<{ host: string }, { due: number }>((knex, p) =>
        knex(table).select('due').where('host', p('host')).whereNotNull('due').orderBy('due').limit(1)
      ),
      delete: db.statement<{ id: number }>((knex, p) => knex(table).delete().where('id', p('id'))),
      countItems: db.statement<{ id: number; by: number; seq: number }>((knex, p) =>
        knex(table)
          .update({ seq: p('seq'), item_count: knex.raw('item_count + ?', [p('by')]) })
          .where('id', p('id'))
      ),
      countSubscribers: db.statement<{ id: number; by: number }>((knex, p) =>
        knex(table)
          .update({
            version: knex.raw('version + 1'),
            subscribers: knex.raw('subscribers + ?', [p('by')])
          })
          .where('id', p('id'))
      ),
      redirect: db.statement<Named, { uri: string }>((knex, p) =>
        knex('pubsub_redirects').select('uri').where('host', p('host')).where('name_hash', p('hash'))
      ),
      addRedirect: db.statement<Named & { name: string; creatorHash: Buffer; uri: string; created: number }>(
        (knex, p) =>
          knex('pubsub_redirects').insert({
            host: p('host'),
            name: p('name'),
            name_hash: p('hash'),
            creator_hash: p('creatorHash'),
            uri: p('uri'),
            created: p('created')
          })
      ),
      dropRedirect: db.statement<Named>((knex, p) =>
        knex('pubsub_redirects').delete().where('host', p('host')).where('name_hash', p('hash'))
      ),
      expireRedirects: db.statement<{ host: string; before: number }>((knex, p) =>
        knex('pubsub_redirects').delete().where('host', p('host')).where('created', '<', p('before'))
      ),
      ...this.#counts(db)
    }
  }

  #counts(db: Database) {
    const count = (table: string) =>
      db.statement<Named & { limit: number }, { n: number }>((knex, p) =>
        knex
          .count({ n: '*' })
          .from(
            knex(table)
              .select('id')
              .where('host', p('host'))
              .where('creator_hash', p('hash'))
              .limit(p('limit'))
              .as('own')
          )
      )
    return { countNodes: count('pubsub_nodes'), countRedirects: count('pubsub_redirects') }
  }

  find(reader: Reader, name: string): Promise<NodeRow | undefined> {
    return reader.get(this.#sql.find, this.#named(name))
  }

  lock(tx: Tx, name: string): Promise<NodeRow | undefined> {
    return tx.get(this.#sql.lock, this.#named(name))
  }

  list(reader: Reader, range: Range): Promise<NodeRow[]> {
    return readRange(reader, this.#sql.list, { host: this.#host }, range)
  }

  /** The new node's integer. */
  async insert(tx: Tx, { name, creator, createdAt, config }: NewNode): Promise<number> {
    const { lastId } = await tx.run(this.#sql.insert, {
      ...this.#named(name),
      name,
      creator,
      creatorHash: this.#hashes.of(creator),
      created: createdAt,
      config: JSON.stringify(config),
      ...flagsOf(config)
    })
    return lastId
  }

  async configure(tx: Tx, id: number, config: NodeConfig): Promise<void> {
    await tx.run(this.#sql.configure, { id, config: JSON.stringify(config), ...flagsOf(config) })
  }

  async setDue(tx: Tx, id: number, due: number | undefined): Promise<void> {
    await tx.run(this.#sql.setDue, { id, due: due ?? null })
  }

  /** Names of nodes with items whose time is over. */
  async due(reader: Reader, now: number, limit: number): Promise<string[]> {
    const rows = await reader.all(this.#sql.due, { host: this.#host, now, limit })
    return rows.map(row => row.name)
  }

  async nextDue(reader: Reader): Promise<number | undefined> {
    return (await reader.get(this.#sql.nextDue, { host: this.#host }))?.due
  }

  /** With all that hangs on it. */
  async delete(tx: Tx, id: number): Promise<void> {
    await tx.run(this.#sql.delete, { id })
  }

  async countItems(tx: Tx, id: number, by: number, seq: number): Promise<void> {
    await tx.run(this.#sql.countItems, { id, by, seq })
  }

  /** What was kept of the node's subscribers is no longer valid. */
  async countSubscribers(tx: Tx, id: number, by: number): Promise<void> {
    await tx.run(this.#sql.countSubscribers, { id, by })
  }

  /** Nodes that somebody has made and that are there or have left a redirect, counted no further than `limit`. */
  async countOf(reader: Reader, creator: string, limit: number): Promise<number> {
    const params = { ...this.#named(creator), limit }
    const nodes = await reader.get(this.#sql.countNodes, params)
    const redirects = await reader.get(this.#sql.countRedirects, params)
    return (nodes?.n ?? 0) + (redirects?.n ?? 0)
  }

  redirect(reader: Reader, name: string): Promise<{ uri: string } | undefined> {
    return reader.get(this.#sql.redirect, this.#named(name))
  }

  async addRedirect(
    tx: Tx,
    redirect: { name: string; creator: string; uri: string; created: number }
  ): Promise<void> {
    const { name, creator, uri, created } = redirect
    const creatorHash = this.#hashes.of(creator)
    await tx.run(this.#sql.addRedirect, { ...this.#named(name), name, creatorHash, uri, created })
  }

  async dropRedirect(tx: Tx, name: string): Promise<void> {
    await tx.run(this.#sql.dropRedirect, this.#named(name))
  }

  async expireRedirects(tx: Tx, before: number): Promise<void> {
    await tx.run(this.#sql.expireRedirects, { host: this.#host, before })
  }

  #named(name: string): Named {
    return { host: this.#host, hash: this.#hashes.of(name) }
  }
}

function flagsOf({ send_last_published_item, access_model }: NodeConfig): Flags {
  return {
    onPresence: send_last_published_item === ON_PRESENCE ? 1 : 0,
    byRoster: access_model === 'presence' || access_model === 'roster' ? 1 : 0
  }
}
