import type { Database, Reader, Tx } from '#core'
import type { Item, ItemDraft, ItemOrder, Range } from '../../lib_pubsub'
import type { Hashes } from './hashes'
import { bothWays, bounds, readRange } from '../../lib_keyset'

export interface ItemRow {
  /** Grows with each item that is new; one that is overwritten keeps it. */
  id: number
  item_id: string
  publisher: string
  payload: string | null
  created: number
  updated: number
  seq: number
}

type Written = {
  node: number
  publisher: string
  hash: Buffer
  payload: string | null
  created: number
  updated: number
  seq: number
}

const COLUMNS = ['id', 'item_id', 'publisher', 'payload', 'created', 'updated', 'seq'] as const

/** The items of all nodes. */
export class ItemTable {
  readonly #hashes: Hashes
  readonly #sql

  constructor(db: Database, hashes: Hashes) {
    this.#hashes = hashes
    const table = 'pubsub_items'
    const ordered = (column: 'id' | 'seq') => {
      const at = (direction: 'asc' | 'desc') =>
        db.statement<{ node: number; place: number }, ItemRow>((knex, p) =>
          knex(table)
            .select(...COLUMNS)
            .where('node_id', p('node'))
            .orderBy(column, direction)
            .limit(1)
            .offset(p('place'))
        )
      return {
        list: bothWays<{ node: number }, ItemRow>(db, column, (knex, p) =>
          knex(table)
            .select(...COLUMNS)
            .where('node_id', p('node'))
        ),
        count: db.statement<{ node: number; after: number; before: number; limit: number }, { n: number }>(
          (knex, p) =>
            knex
              .count({ n: '*' })
              .from(
                knex(table)
                  .select(column)
                  .where('node_id', p('node'))
                  .where(column, '>', p('after'))
                  .where(column, '<', p('before'))
                  .limit(p('limit'))
                  .as('some')
              )
        ),
        oldestAt: at('asc'),
        newestAt: at('desc')
      }
    }
    this.#sql = {
      one: db.statement<{ node: number; id: string }, ItemRow>((knex, p) =>
        knex(table)
          .select(...COLUMNS)
          .where('node_id', p('node'))
          .where('item_id', p('id'))
      ),
      // XEP-0413
      modification: ordered('seq'),
      creation: ordered('id'),
      insert: db.statement<Written & { id: string }>((knex, p) =>
        knex(table).insert({
          node_id: p('node'),
          item_id: p('id'),
          publisher: p('publisher'),
          publisher_hash: p('hash'),
          payload: p('payload'),
          created: p('created'),
          updated: p('updated'),
          seq: p('seq')
        })
      ),
      overwrite: db.statement<Written & { old: number }>((knex, p) =>
        knex(table)
          .update({
            publisher: p('publisher'),
            publisher_hash: p('hash'),
            payload: p('payload'),
            created: p('created'),
            updated: p('updated'),
            seq: p('seq')
          })
          .where('node_id', p('node'))
          .where('seq', p('old'))
      ),
      oldest: db.statement<{ node: number; limit: number }, { seq: number; item_id: string }>((knex, p) =>
        knex(table).select('seq', 'item_id').where('node_id', p('node')).orderBy('seq').limit(p('limit'))
      ),
      delete: db.statement<{ node: number; seq: number }>((knex, p) =>
        knex(table).delete().where('node_id', p('node')).where('seq', p('seq'))
      ),
      deleteUpTo: db.statement<{ node: number; seq: number }>((knex, p) =>
        knex(table).delete().where('node_id', p('node')).where('seq', '<=', p('seq'))
      )
    }
  }

  one(reader: Reader, node: number, id: string): Promise<ItemRow | undefined> {
    return reader.get(this.#sql.one, { node, id })
  }

  list(reader: Reader, node: number, range: Range, order: ItemOrder = 'modification'): Promise<ItemRow[]> {
    return readRange(reader, this.#sql[order].list, { node }, range)
  }

  async count(
    reader: Reader,
    node: number,
    range: Range,
    order: ItemOrder = 'modification'
  ): Promise<number> {
    const row = await reader.get(this.#sql[order].count, { node, ...bounds(range) })
    return row?.n ?? 0
  }

  at(
    reader: Reader,
    node: number,
    place: number,
    newest: boolean,
    order: ItemOrder = 'modification'
  ): Promise<ItemRow | undefined> {
    const { newestAt, oldestAt } = this.#sql[order]
    return reader.get(newest ? newestAt : oldestAt, { node, place })
  }

  async put(tx: Tx, node: number, draft: ItemDraft, seq: number, previous: Item | undefined): Promise<void> {
    const { publisher, payload, createdAt, updatedAt } = draft
    const written: Written = {
      node,
      publisher,
      hash: this.#hashes.of(publisher),
      payload: payload ?? null,
      created: createdAt,
      updated: updatedAt,
      seq
    }
    if (previous) await tx.run(this.#sql.overwrite, { ...written, old: previous.seq })
    else await tx.run(this.#sql.insert, { ...written, id: draft.id })
  }

  async delete(tx: Tx, node: number, seq: number): Promise<number> {
    const { changes } = await tx.run(this.#sql.delete, { node, seq })
    return changes
  }

  /** Gives the ids, oldest first. */
  async deleteOldest(tx: Tx, node: number, number: number): Promise<string[]> {
    const rows = await tx.all(this.#sql.oldest, { node, limit: number })
    const last = rows.at(-1)
    if (last) await tx.run(this.#sql.deleteUpTo, { node, seq: last.seq })
    return rows.map(row => row.item_id)
  }

  async deleteAll(tx: Tx, node: number): Promise<number> {
    const { changes } = await tx.run(this.#sql.deleteUpTo, { node, seq: Number.MAX_SAFE_INTEGER })
    return changes
  }
}
