import type { Database, Reader, Tx } from '#core'
import type { Range } from '../../lib_pubsub'
import type { ItemKind } from '../model'
import { bothWays, readRange } from '../../lib_keyset'

export interface TombstoneRow {
  item_id: string
  kind: ItemKind
  parent_item: string | null
  created: number
  deleted: number
  seq: number
  thread: number | null
}

const COLUMNS = ['item_id', 'kind', 'parent_item', 'created', 'deleted', 'seq', 'thread'] as const

/** What is remembered of deleted items. */
export class TombstoneTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    const rows = (knex: Database['knex']) => knex('channel_tombstones').select(...COLUMNS)
    // all that one key names, in one statement: a thread may be long
    const bury = (column: 'id' | 'parent_id' | 'rated_id') =>
      db.statement<{ id: number; parentItem: string | null; deleted: number }>((knex, p) => {
        const found = knex('channel_items')
          .select('node_id', 'item_id', 'kind', p('parentItem'), 'created', p('deleted'), 'seq', 'thread')
          .where(column, p('id'))
        const into = knex.raw('?? (??, ??, ??, ??, ??, ??, ??, ??)', [
          'channel_tombstones',
          'node_id',
          ...COLUMNS
        ])
        return knex(into).insert(found)
      })
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
      byKind: bothWays<{ node: number; kind: string }, TombstoneRow>(db, 'seq', (knex, p) =>
        rows(knex).where('node_id', p('node')).where('kind', p('kind'))
      ),
      answers: bothWays<{ node: number; parentItem: string; kind: string }, TombstoneRow>(
        db,
        'seq',
        (knex, p) =>
          rows(knex)
            .where('node_id', p('node'))
            .where('parent_item', p('parentItem'))
            .where('kind', p('kind'))
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
      buryOne: bury('id'),
      buryAnswers: bury('parent_id'),
      buryRatings: bury('rated_id'),
      old: db.statement<{ host: string; before: number; limit: number }, { id: number; node_id: number }>(
        (knex, p) =>
          knex('channel_tombstones as t')
            // along the index of dates: SQLite keeps this order of the tables
            .crossJoin(knex.raw('?? as ??', ['channel_nodes', 'n']))
            .select('t.id', 't.node_id')
            .whereRaw('?? = ??', ['n.id', 't.node_id'])
            .where('n.host', p('host'))
            .where('t.deleted', '<', p('before'))
            .orderBy('t.deleted')
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

  /** Of one kind, by order of publication. */
  byKind(reader: Reader, node: number, kind: ItemKind, range: Range): Promise<TombstoneRow[]> {
    return readRange(reader, this.#sql.byKind, { node, kind }, range)
  }

  /** What answered a post and was of that kind, by order of publication. */
  answers(
    reader: Reader,
    answer: { node: number; parentItem: string; kind: ItemKind },
    range: Range
  ): Promise<TombstoneRow[]> {
    return readRange(reader, this.#sql.answers, answer, range)
  }

  /** Those after a place, counted no further than the limit. */
  async countAfter(reader: Reader, node: number, after: number, limit: number): Promise<number> {
    return (await reader.get(this.#sql.countAfter, { node, after, limit }))?.n ?? 0
  }

  /** Remembers an item that is about to go, and what goes with it: the answers in its thread, or its ratings. */
  async bury(
    tx: Tx,
    item: { id: number; startsThread: boolean; itemId: string; parentItem: string | null; deleted: number }
  ): Promise<void> {
    const { id, startsThread, itemId, parentItem, deleted } = item
    await tx.run(this.#sql.buryOne, { id, parentItem, deleted })
    if (startsThread) await tx.run(this.#sql.buryAnswers, { id, parentItem: itemId, deleted })
    else await tx.run(this.#sql.buryRatings, { id, parentItem, deleted })
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
