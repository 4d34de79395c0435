import type { Database, Reader, Tx } from '#core'
import type { Range } from '../../lib_pubsub'
import type { ItemKind } from '../model'
import { bothWays, readRange } from './keyset'

export interface TombstoneRow {
  item_id: string
  kind: ItemKind
  parent_item: string | null
  created: number
  deleted: number
  seq: number
  thread: number | null
}

export interface NewTombstone extends TombstoneRow {
  node: number
}

const COLUMNS = ['item_id', 'kind', 'parent_item', 'created', 'deleted', 'seq', 'thread'] as const

/** What is remembered of deleted items. */
export class TombstoneTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    const rows = (knex: Database['knex']) => knex('channel_tombstones').select(...COLUMNS)
    this.#sql = {
      byId: db.statement<{ node: number; itemId: string }, TombstoneRow>((knex, p) =>
        rows(knex).where('node_id', p('node')).where('item_id', p('itemId'))
      ),
      bySeq: bothWays<{ node: number }, TombstoneRow>(db, 'seq', (knex, p) =>
        rows(knex).where('node_id', p('node'))
      ),
      byThread: bothWays<{ node: number }, TombstoneRow>(db, 'thread', (knex, p) =>
        rows(knex).where('node_id', p('node'))
      ),
      countAfter: db.statement<{ node: number; after: number; limit: number }, { n: number }>((knex, p) =>
        knex
          .count({ n: '*' })
          .from(
            knex('channel_tombstones')
              .select('id')
              .where('node_id', p('node'))
              .where('seq', '>', p('after'))
              .limit(p('limit'))
              .as('range')
          )
      ),
      insert: db.statement<NewTombstone>((knex, p) =>
        knex('channel_tombstones').insert({
          node_id: p('node'),
          item_id: p('item_id'),
          kind: p('kind'),
          parent_item: p('parent_item'),
          created: p('created'),
          deleted: p('deleted'),
          seq: p('seq'),
          thread: p('thread')
        })
      ),
      old: db.statement<{ host: string; before: number; limit: number }, { id: number; node_id: number }>(
        (knex, p) =>
          knex('channel_tombstones as t')
            .join('channel_nodes as n', 'n.id', 't.node_id')
            .select('t.id', 't.node_id')
            .where('n.host', p('host'))
            .where('t.deleted', '<', p('before'))
            .limit(p('limit'))
      ),
      delete: db.statement<{ ids: readonly number[] }>((knex, p) =>
        knex('channel_tombstones')
          .delete()
          .whereIn('id', [p('ids')])
      ),
      uncount: db.statement<{ id: number; n: number }>((knex, p) =>
        knex('channel_nodes').decrement('tombstone_count', p('n')).where('id', p('id'))
      )
    }
  }

  byId(reader: Reader, node: number, itemId: string): Promise<TombstoneRow | undefined> {
    return reader.get(this.#sql.byId, { node, itemId })
  }

  bySeq(reader: Reader, node: number, range: Range): Promise<TombstoneRow[]> {
    return readRange(reader, this.#sql.bySeq, { node }, range)
  }

  byThread(reader: Reader, node: number, range: Range): Promise<TombstoneRow[]> {
    return readRange(reader, this.#sql.byThread, { node }, range)
  }

  /** Those after a place, counted no further than the limit. */
  async countAfter(reader: Reader, node: number, after: number, limit: number): Promise<number> {
    return (await reader.get(this.#sql.countAfter, { node, after, limit }))?.n ?? 0
  }

  async insert(tx: Tx, tombstone: NewTombstone): Promise<void> {
    await tx.run(this.#sql.insert, tombstone)
  }

  /** Forgets the oldest ones, so many at most; tells how many there were. */
  async expire(tx: Tx, before: number, limit: number): Promise<number> {
    const rows = await tx.all(this.#sql.old, { host: this.#host, before, limit })
    if (rows.length === 0) return 0
    const counts = new Map<number, number>()
    for (const { node_id } of rows) counts.set(node_id, (counts.get(node_id) ?? 0) + 1)
    await tx.run(this.#sql.delete, { ids: rows.map(row => row.id) })
    for (const [id, n] of counts) await tx.run(this.#sql.uncount, { id, n })
    return rows.length
  }
}
