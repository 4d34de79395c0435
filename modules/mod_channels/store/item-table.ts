import { nameHash, type Database, type Reader, type Tx } from '#core'
import type { Range } from '../../lib_pubsub'
import type { ItemKind } from '../model'
import { bothWays, readRange } from '../../lib_keyset'

/** An item as the table has it. */
export interface ItemRow extends LightRow {
  author: string
  target_id: number | null
  rating: number | null
  updated: number
  payload: string | null
}

/** An item without what is long. */
export interface LightRow {
  id: number
  item_id: string
  kind: ItemKind
  parent_id: number | null
  created: number
  seq: number
  thread: number | null
}

export interface NewItem {
  node: number
  itemId: string
  kind: ItemKind
  author: string
  parent: number | undefined
  target: number | undefined
  rated: number | undefined
  rating: number | undefined
  created: number
  updated: number
  seq: number
  payload: string | undefined
}

/** Where an item stands among a node's publications. */
export interface PlaceRow {
  id: number
  seq: number
  updated: number
}

/** An item with the name of its node. */
export interface WireRow {
  id: number
  item_id: string
  kind: ItemKind
  payload: string | null
  type: string
  jid: string
}

type Insert = {
  node: number
  itemId: string
  kind: string
  author: string
  authorHash: Buffer
  parent: number | null
  target: number | null
  rated: number | null
  rating: number | null
  created: number
  updated: number
  seq: number
  thread: number | null
  payload: string | null
}

interface Update {
  id: number
  target: number | null
  updated: number
  seq: number
  thread: number | null
  payload: string | null
}

const LIGHT = ['id', 'item_id', 'kind', 'parent_id', 'created', 'seq', 'thread'] as const
const WHOLE = [...LIGHT, 'author', 'target_id', 'rating', 'updated', 'payload'] as const

/** The items of all nodes. */
export class ItemTable {
  readonly #sql

  constructor(db: Database) {
    const items = (columns: readonly string[]) => (knex: Database['knex']) =>
      knex('channel_items').select(...columns)
    const whole = items(WHOLE)
    const light = items(LIGHT)
    const at = (direction: 'asc' | 'desc') =>
      db.statement<{ node: number; place: number }, ItemRow>((knex, p) =>
        whole(knex).where('node_id', p('node')).orderBy('seq', direction).limit(1).offset(p('place'))
      )
    const newest = (ofKind: boolean) =>
      db.statement<{ node: number; upTo: number; limit: number; kind: string }, PlaceRow>((knex, p) => {
        const found = knex('channel_items')
          .select('id', 'seq', 'updated')
          .where('node_id', p('node'))
          .where('seq', '<=', p('upTo'))
        if (ofKind) void found.where('kind', p('kind'))
        return found.orderBy('seq', 'desc').limit(p('limit'))
      })
    this.#sql = {
      byId: db.statement<{ node: number; itemId: string }, ItemRow>((knex, p) =>
        whole(knex).where('node_id', p('node')).where('item_id', p('itemId'))
      ),
      byKey: db.statement<{ id: number }, LightRow>((knex, p) => light(knex).where('id', p('id'))),
      bySeq: bothWays<{ node: number }, ItemRow>(db, 'seq', (knex, p) =>
        whole(knex).where('node_id', p('node'))
      ),
      byThread: bothWays<{ node: number }, ItemRow>(db, 'thread', (knex, p) =>
        whole(knex).where('node_id', p('node'))
      ),
      byKind: bothWays<{ node: number; kind: string }, ItemRow>(db, 'seq', (knex, p) =>
        whole(knex).where('node_id', p('node')).where('kind', p('kind'))
      ),
      answers: bothWays<{ node: number; parent: number }, ItemRow>(db, 'seq', (knex, p) =>
        whole(knex).where('parent_id', p('parent')).where('node_id', p('node'))
      ),
      answersOfKind: bothWays<{ parent: number; kind: string }, ItemRow>(db, 'seq', (knex, p) =>
        whole(knex).where('parent_id', p('parent')).where('kind', p('kind'))
      ),
      wholeByKey: db.statement<{ id: number }, ItemRow>((knex, p) => whole(knex).where('id', p('id'))),
      countRange: db.statement<{ node: number; after: number; before: number; limit: number }, { n: number }>(
        (knex, p) =>
          knex
            .count({ n: '*' })
            .from(
              knex('channel_items')
                .select('id')
                .where('node_id', p('node'))
                .where('seq', '>', p('after'))
                .where('seq', '<', p('before'))
                .limit(p('limit'))
                .as('range')
            )
      ),
      oldestAt: at('asc'),
      newestAt: at('desc'),
      newest: newest(false),
      newestOfKind: newest(true),
      // by the keys alone: with the host, too, SQLite begins with all nodes there are
      onWire: db.statement<{ keys: readonly number[] }, WireRow & { host: string }>((knex, p) =>
        knex('channel_items as i')
          .join('channel_nodes as n', 'n.id', 'i.node_id')
          .join('channels as c', 'c.id', 'n.channel_id')
          .select('i.id', 'i.item_id', 'i.kind', 'i.payload', 'n.type', 'n.host', 'c.jid')
          .whereIn('i.id', [p('keys')])
      ),
      insert: db.statement<Insert>((knex, p) =>
        knex('channel_items').insert({
          node_id: p('node'),
          item_id: p('itemId'),
          kind: p('kind'),
          author: p('author'),
          author_hash: p('authorHash'),
          parent_id: p('parent'),
          target_id: p('target'),
          rated_id: p('rated'),
          rating: p('rating'),
          created: p('created'),
          updated: p('updated'),
          seq: p('seq'),
          thread: p('thread'),
          payload: p('payload')
        })
      ),
      update: db.statement<Update>((knex, p) =>
        knex('channel_items')
          .update({
            target_id: p('target'),
            updated: p('updated'),
            seq: p('seq'),
            thread: p('thread'),
            payload: p('payload')
          })
          .where('id', p('id'))
      ),
      bump: db.statement<{ id: number; thread: number }>((knex, p) =>
        knex('channel_items')
          .update({ thread: p('thread') })
          .where('id', p('id'))
      ),
      answersTo: db.statement<{ id: number }, LightRow>((knex, p) => light(knex).where('parent_id', p('id'))),
      ratingsOf: db.statement<{ id: number }, LightRow>((knex, p) => light(knex).where('rated_id', p('id'))),
      quietest: db.statement<{ node: number; limit: number }, LightRow>((knex, p) =>
        light(knex).where('node_id', p('node')).whereNotNull('thread').orderBy('thread').limit(p('limit'))
      ),
      countAnswers: db.statement<{ ids: readonly number[] }, { n: number }>((knex, p) =>
        knex('channel_items')
          .count({ n: '*' })
          .whereIn('parent_id', [p('ids')])
      ),
      delete: db.statement<{ ids: readonly number[] }>((knex, p) =>
        knex('channel_items')
          .delete()
          .whereIn('id', [p('ids')])
      ),
      deleteAll: db.statement<{ node: number }>((knex, p) =>
        knex('channel_items').delete().where('node_id', p('node'))
      ),
      nodesOfAuthor: db.statement<{ host: string; hash: Buffer }, { node_id: number }>((knex, p) =>
        knex('channel_items as i')
          .join('channel_nodes as n', 'n.id', 'i.node_id')
          .distinct('i.node_id')
          .where('i.author_hash', p('hash'))
          .where('n.host', p('host'))
      ),
      ofAuthor: db.statement<{ hash: Buffer; node: number; limit: number }, LightRow>((knex, p) =>
        light(knex).where('author_hash', p('hash')).where('node_id', p('node')).limit(p('limit'))
      )
    }
  }

  byId(reader: Reader, node: number, itemId: string): Promise<ItemRow | undefined> {
    return reader.get(this.#sql.byId, { node, itemId })
  }

  byKey(reader: Reader, id: number): Promise<LightRow | undefined> {
    return reader.get(this.#sql.byKey, { id })
  }

  wholeByKey(reader: Reader, id: number): Promise<ItemRow | undefined> {
    return reader.get(this.#sql.wholeByKey, { id })
  }

  /** By order of publication. */
  bySeq(reader: Reader, node: number, range: Range): Promise<ItemRow[]> {
    return readRange(reader, this.#sql.bySeq, { node }, range)
  }

  /** What starts threads, by their newest activity. */
  byThread(reader: Reader, node: number, range: Range): Promise<ItemRow[]> {
    return readRange(reader, this.#sql.byThread, { node }, range)
  }

  /** Of one kind, by order of publication. */
  byKind(reader: Reader, node: number, kind: ItemKind, range: Range): Promise<ItemRow[]> {
    return readRange(reader, this.#sql.byKind, { node, kind }, range)
  }

  /** What answers a post, comments and ratings or one of them, by order of publication. */
  answers(
    reader: Reader,
    { node, parent, kind }: { node: number; parent: number; kind?: ItemKind },
    range: Range
  ): Promise<ItemRow[]> {
    if (kind === undefined) return readRange(reader, this.#sql.answers, { node, parent }, range)
    return readRange(reader, this.#sql.answersOfKind, { parent, kind }, range)
  }

  /** Counted no further than the range's limit. */
  async countRange(reader: Reader, node: number, range: Range): Promise<number> {
    const { after = -1, before = Number.MAX_SAFE_INTEGER, limit } = range
    return (await reader.get(this.#sql.countRange, { node, after, before, limit }))?.n ?? 0
  }

  at(reader: Reader, node: number, place: number, newest: boolean): Promise<ItemRow | undefined> {
    return reader.get(newest ? this.#sql.newestAt : this.#sql.oldestAt, { node, place })
  }

  /** The newest publications up to one, newest first; of some kinds alone, if so wished. */
  async newest(
    reader: Reader,
    node: number,
    query: { upTo: number; limit: number; kinds?: readonly ItemKind[] }
  ): Promise<PlaceRow[]> {
    const { upTo, limit, kinds = [''] } = query
    const sql = query.kinds ? this.#sql.newestOfKind : this.#sql.newest
    const lists = await Promise.all(kinds.map(kind => reader.all(sql, { node, upTo, limit, kind })))
    const [only] = lists
    if (only && lists.length === 1) return only
    return lists
      .flat()
      .sort((a, b) => b.seq - a.seq)
      .slice(0, limit)
  }

  /** Items by their keys, with what names them on the wire. */
  async onWire(reader: Reader, host: string, keys: readonly number[]): Promise<WireRow[]> {
    return (await reader.all(this.#sql.onWire, { keys })).filter(row => row.host === host)
  }

  async insert(tx: Tx, item: NewItem): Promise<number> {
    const { parent, target, rated, rating, payload, author, seq } = item
    const { lastId } = await tx.run(this.#sql.insert, {
      ...item,
      authorHash: nameHash(author),
      parent: parent ?? null,
      target: target ?? null,
      rated: rated ?? null,
      rating: rating ?? null,
      thread: parent === undefined ? seq : null,
      payload: payload ?? null
    })
    return lastId
  }

  async update(tx: Tx, item: Update): Promise<void> {
    await tx.run(this.#sql.update, item)
  }

  /** There is news in a thread. */
  async bump(tx: Tx, id: number, thread: number): Promise<void> {
    await tx.run(this.#sql.bump, { id, thread })
  }

  /** What goes with an item: the answers in its thread, or its ratings. */
  async dependents(reader: Reader, row: LightRow): Promise<LightRow[]> {
    const { id } = row
    return await reader.all(row.parent_id === null ? this.#sql.answersTo : this.#sql.ratingsOf, { id })
  }

  quietest(reader: Reader, node: number, limit: number): Promise<LightRow[]> {
    return reader.all(this.#sql.quietest, { node, limit })
  }

  async countAnswers(reader: Reader, ids: readonly number[]): Promise<number> {
    return (await reader.get(this.#sql.countAnswers, { ids }))?.n ?? 0
  }

  async delete(tx: Tx, ids: readonly number[]): Promise<void> {
    await tx.run(this.#sql.delete, { ids })
  }

  async deleteAll(tx: Tx, node: number): Promise<void> {
    await tx.run(this.#sql.deleteAll, { node })
  }

  async nodesOfAuthor(reader: Reader, host: string, author: string): Promise<number[]> {
    const rows = await reader.all(this.#sql.nodesOfAuthor, { host, hash: nameHash(author) })
    return rows.map(row => row.node_id)
  }

  ofAuthor(reader: Reader, author: string, node: number, limit: number): Promise<LightRow[]> {
    return reader.all(this.#sql.ofAuthor, { hash: nameHash(author), node, limit })
  }
}
