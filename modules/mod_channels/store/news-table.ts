import { nameHash, type Database, type Reader } from '#core'

/** When a node had its newest publication, its newest post, its newest comment; 0 or null for none. */
export interface NewsRow {
  id: number
  last_item: number
  last_root: number
  /** Not asked for where many nodes are read. */
  last_comment?: number | null
}

/** What nodes have that is new, without a look at more than one item of each. */
export class NewsTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    const news = (knex: Database['knex']) => {
      const comment = knex('channel_items as i')
        .select('i.updated')
        .whereRaw('?? = ??', ['i.node_id', 'n.id'])
        .where('i.kind', 'comment')
        .orderBy('i.seq', 'desc')
        .limit(1)
      return knex('channel_nodes as n').select(
        'n.id',
        'n.last_item',
        'n.last_root',
        comment.as('last_comment')
      )
    }
    this.#sql = {
      // by the keys alone: with the host, too, SQLite begins with all nodes there are
      of: db.statement<{ keys: readonly number[] }, NewsRow & { host: string }>((knex, p) =>
        news(knex)
          .select('n.host')
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

  /** Of these nodes; those that are gone are left out. */
  async of(reader: Reader, keys: readonly number[]): Promise<NewsRow[]> {
    return (await reader.all(this.#sql.of, { keys })).filter(row => row.host === this.#host)
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
