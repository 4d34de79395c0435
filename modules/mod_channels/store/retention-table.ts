import { nameHash, type Database, type Reader } from '#core'

/** A node that holds items, and how old the first of them is. */
export interface NodePlace {
  id: number
  channel_id: number
  type: string
  jid: string
  item_count: number
  /** Milliseconds UTC; null where there is none. */
  oldest: number | null
}

/** What starts a thread, with what goes along with it. Sums of MariaDB are texts. */
export interface ThreadRow {
  id: number
  thread: number
  created: number
  answers: number
  bytes: number | string
  answer_bytes: number | string | null
}

/** What retention looks at: nodes by their keys, the threads of a node from the one that was quiet for longest. */
export class RetentionTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    const nodes = (knex: Database['knex']) =>
      knex('channel_nodes as n')
        .join('channels as c', 'c.id', 'n.channel_id')
        .select('n.id', 'n.channel_id', 'n.type', 'c.jid', 'n.item_count')
        .select({
          oldest: knex('channel_items as i')
            .select('i.updated')
            .whereRaw('?? = ??', ['i.node_id', 'n.id'])
            .orderBy('i.seq')
            .limit(1)
        })
        .where('n.item_count', '>', 0)
    const answers = (knex: Database['knex']) =>
      knex('channel_items as a').whereRaw('?? = ??', ['a.parent_id', 'r.id'])
    const threads = (withBytes: boolean) =>
      db.statement<{ node: number; after: number; limit: number }, ThreadRow>((knex, p) => {
        const found = knex('channel_items as r')
          .select('r.id', 'r.thread', 'r.created')
          .select({ answers: answers(knex).count('*') })
          .where('r.node_id', p('node'))
          .where('r.thread', '>', p('after'))
          .orderBy('r.thread')
          .limit(p('limit'))
        if (withBytes) {
          void found
            .select(knex.raw('coalesce(octet_length(??), 0) as ??', ['r.payload', 'bytes']))
            .select({ answer_bytes: answers(knex).select(knex.raw('sum(octet_length(??))', ['a.payload'])) })
        }
        return found
      })
    this.#sql = {
      nodes: db.statement<{ host: string; after: number; limit: number }, NodePlace>((knex, p) =>
        nodes(knex)
          .where('n.host', p('host'))
          .where('n.id', '>', p('after'))
          .orderBy('n.id')
          .limit(p('limit'))
      ),
      ofChannel: db.statement<{ host: string; hash: Buffer }, NodePlace>((knex, p) =>
        nodes(knex).where('c.host', p('host')).where('c.jid_hash', p('hash')).orderBy('n.place')
      ),
      first: db.statement<{ node: number; from: number }, { seq: number; updated: number }>((knex, p) =>
        knex('channel_items')
          .select('seq', 'updated')
          .where('node_id', p('node'))
          .where('seq', '>=', p('from'))
          .orderBy('seq')
          .limit(1)
      ),
      last: db.statement<{ node: number }, { seq: number }>((knex, p) =>
        knex('channel_items').select('seq').where('node_id', p('node')).orderBy('seq', 'desc').limit(1)
      ),
      threads: threads(true),
      threadsOnly: threads(false)
    }
  }

  /** Nodes behind a key, by their keys. */
  nodes(reader: Reader, after: number, limit: number): Promise<NodePlace[]> {
    return reader.all(this.#sql.nodes, { host: this.#host, after, limit })
  }

  ofChannel(reader: Reader, jid: string): Promise<NodePlace[]> {
    return reader.all(this.#sql.ofChannel, { host: this.#host, hash: nameHash(jid) })
  }

  /**
   * The place before which all publications of a node are older than a moment: those come in order of time, so it is
   * found by halves, and no index by time is needed.
   */
  async placeOf(reader: Reader, node: number, before: number): Promise<number> {
    const last = await reader.get(this.#sql.last, { node })
    if (last === undefined) return 0
    let old = -1
    let young = last.seq + 1
    while (old + 1 < young) {
      const middle = Math.floor((old + young + 1) / 2)
      const row = await reader.get(this.#sql.first, { node, from: middle })
      if (row === undefined || row.seq >= young) young = middle
      else if (row.updated < before) old = row.seq
      else young = middle
    }
    // news that was deleted since counts as old where all that is left before the next item is
    return (await reader.get(this.#sql.first, { node, from: young }))?.seq ?? Number.MAX_SAFE_INTEGER
  }

  /** With the bytes of what goes along. */
  threads(reader: Reader, node: number, after: number, limit: number): Promise<ThreadRow[]> {
    return reader.all(this.#sql.threads, { node, after, limit })
  }

  /** Without. */
  threadsOnly(reader: Reader, node: number, limit: number): Promise<Omit<ThreadRow, 'bytes'>[]> {
    return reader.all(this.#sql.threadsOnly, { node, after: -1, limit })
  }
}
