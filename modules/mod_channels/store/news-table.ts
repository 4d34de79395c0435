import { nameHash, type Database, type Reader } from '#core'

/** When a node had its newest publication, its newest post, its newest comment; 0 for none. */
export interface NewsRow {
  id: number
  last_item: number
  last_root: number
  /** Not asked for where many nodes are read. */
  last_comment?: number
}

/** What nodes have that is new, without a look at more than one item of each. */
export class NewsTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    const newest = (knex: Database['knex'], kind?: string) => {
      const found = knex('channel_items as i').select('i.updated').whereRaw('?? = ??', ['i.node_id', 'n.id'])
      if (kind !== undefined) void found.where('i.kind', kind)
      return found.orderBy('i.seq', 'desc').limit(1)
    }
    this.#sql = {
      // By the keys alone: with the host, too, SQLite begins with all nodes there are. By the items: what the node
      // has in its columns is also of what was deleted since.
      of: db.statement<
        { keys: readonly number[] },
        { id: number; host: string } & Record<'last_item' | 'last_root' | 'last_comment', number | null>
      >((knex, p) =>
        knex('channel_nodes as n')
          .select('n.id', 'n.host')
          .select(newest(knex).as('last_item'))
          .select(newest(knex, 'post').as('last_root'))
          .select(newest(knex, 'comment').as('last_comment'))
          .whereIn('n.id', [p('keys')])
      ),
      ofPerson: db.statement<{ host: string; hash: Buffer; since: number }, NewsRow>((knex, p) =>
        knex('channel_nodes as n')
          .select('n.id', 'n.last_item', 'n.last_root')
          .join('channel_members as m', 'm.channel_id', 'n.channel_id')
          .join('channels as c', 'c.id', 'n.channel_id')
          .where('m.host', p('host'))
          .where('m.jid_hash', p('hash'))
          .where('m.subscription', 'subscribed')
          .whereNot('m.affiliation', 'outcast')
          .whereNot('c.kind', 'ephemeral')
          .where('n.last_item', '>=', p('since'))
      )
    }
  }

  /** Of these nodes of posts, as it is now; those that are gone are left out. */
  async of(reader: Reader, keys: readonly number[]): Promise<NewsRow[]> {
    const rows = await reader.all(this.#sql.of, { keys })
    return rows
      .filter(row => row.host === this.#host)
      .map(({ id, last_item, last_root, last_comment }) => ({
        id,
        last_item: last_item ?? 0,
        last_root: last_root ?? 0,
        last_comment: last_comment ?? 0
      }))
  }

  /** Of all nodes of the channels that somebody follows, where there is something since that moment. */
  ofPerson(reader: Reader, jid: string, since: number): Promise<NewsRow[]> {
    // nodes without an item have a time of 0
    return reader.all(this.#sql.ofPerson, {
      host: this.#host,
      hash: nameHash(jid),
      since: Math.max(since, 1)
    })
  }
}
