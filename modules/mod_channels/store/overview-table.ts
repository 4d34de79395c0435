import { nameHash, type Database, type Reader } from '#core'
import type { ChannelKind } from '../model'

/** A channel as administrators see it in a list. */
export interface ListedRow {
  id: number
  jid: string
  kind: ChannelKind
  title: string
  created: number
}

export interface DescribedRow extends ListedRow {
  description: string
  access_model: string
  default_affiliation: string
  creator: string
  updated: number
}

/** What the nodes of a channel hold together. Sums of MariaDB are texts. */
interface SumRow {
  channel_id: number
  items: number | string
  tombstones: number | string
  last_item: number
}

export interface Sums {
  items: number
  tombstones: number
  /** Milliseconds UTC; 0 for never. */
  lastItem: number
}

/** How many have that role and subscription. */
export interface StandingCount {
  affiliation: string
  subscription: string
  n: number
}

const LISTED = ['id', 'jid', 'kind', 'title', 'created'] as const

type Page = { host: string; after: number; limit: number }

/** Channels of a host for those who administer it: by the order in which they were made. */
export class OverviewTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    const page = (knex: Database['knex']) => knex('channels').select(...LISTED)
    this.#sql = {
      all: db.statement<Page, ListedRow>((knex, p) =>
        page(knex).where('host', p('host')).where('id', '>', p('after')).orderBy('id').limit(p('limit'))
      ),
      ofKind: db.statement<Page & { kind: string }, ListedRow>((knex, p) =>
        page(knex)
          .where('host', p('host'))
          .where('kind', p('kind'))
          .where('id', '>', p('after'))
          .orderBy('id')
          .limit(p('limit'))
      ),
      // in the order of the person's rows, behind that for one of the channels
      ofOwner: db.statement<Page & { hash: Buffer }, ListedRow>((knex, p) =>
        knex('channel_members as m')
          .join('channels as c', 'c.id', 'm.channel_id')
          .select('c.id', 'c.jid', 'c.kind', 'c.title', 'c.created')
          .where('m.host', p('host'))
          .where('m.jid_hash', p('hash'))
          .where('m.affiliation', 'owner')
          .where(
            'm.id',
            '>',
            knex.raw('coalesce((?), -1)', [
              knex('channel_members')
                .select('id')
                .where('channel_id', p('after'))
                .where('jid_hash', p('hash'))
            ])
          )
          .orderBy('m.id')
          .limit(p('limit'))
      ),
      one: db.statement<{ host: string; hash: Buffer }, DescribedRow>((knex, p) =>
        page(knex)
          .select('description', 'access_model', 'default_affiliation', 'creator', 'updated')
          .where('host', p('host'))
          .where('jid_hash', p('hash'))
      ),
      count: db.statement<{ host: string }, { n: number }>((knex, p) =>
        knex('channels').count({ n: '*' }).where('host', p('host'))
      ),
      sums: db.statement<{ ids: readonly number[] }, SumRow>((knex, p) =>
        knex('channel_nodes')
          .select('channel_id')
          .sum({ items: 'item_count', tombstones: 'tombstone_count' })
          .max({ last_item: 'last_item' })
          .whereIn('channel_id', [p('ids')])
          .groupBy('channel_id')
      ),
      standings: db.statement<{ channel: number }, StandingCount>((knex, p) =>
        knex('channel_members')
          .select('affiliation', 'subscription')
          .count({ n: '*' })
          .where('channel_id', p('channel'))
          .groupBy('affiliation', 'subscription')
      ),
      bytes: db.statement<{ node: number; after: number; limit: number }, { seq: number; bytes: number }>(
        (knex, p) =>
          knex('channel_items')
            .select('seq', knex.raw('coalesce(octet_length(??), 0) as ??', ['payload', 'bytes']))
            .where('node_id', p('node'))
            .where('seq', '>', p('after'))
            .orderBy('seq')
            .limit(p('limit'))
      )
    }
  }

  /** In the order in which they were made, or in which somebody had to do with them; `after` is a channel's id. */
  list(
    reader: Reader,
    { kind, owner, after, limit }: { kind?: string; owner?: string; after: number; limit: number }
  ): Promise<ListedRow[]> {
    const range = { host: this.#host, after, limit }
    if (owner !== undefined) return reader.all(this.#sql.ofOwner, { ...range, hash: nameHash(owner) })
    if (kind !== undefined) return reader.all(this.#sql.ofKind, { ...range, kind })
    return reader.all(this.#sql.all, range)
  }

  one(reader: Reader, jid: string): Promise<DescribedRow | undefined> {
    return reader.get(this.#sql.one, { host: this.#host, hash: nameHash(jid) })
  }

  async count(reader: Reader): Promise<number> {
    return (await reader.get(this.#sql.count, { host: this.#host }))?.n ?? 0
  }

  /** By the channels' keys, at most as many as a page has. */
  async sums(reader: Reader, ids: readonly number[]): Promise<Map<number, Sums>> {
    if (ids.length === 0) return new Map()
    const rows = await reader.all(this.#sql.sums, { ids })
    return new Map(
      rows.map(({ channel_id, items, tombstones, last_item }) => [
        channel_id,
        { items: Number(items), tombstones: Number(tombstones), lastItem: Number(last_item) }
      ])
    )
  }

  standings(reader: Reader, channel: number): Promise<StandingCount[]> {
    return reader.all(this.#sql.standings, { channel })
  }

  /** Bytes of the payloads behind a place, in pages. */
  bytes(
    reader: Reader,
    node: number,
    after: number,
    limit: number
  ): Promise<{ seq: number; bytes: number }[]> {
    return reader.all(this.#sql.bytes, { node, after, limit })
  }
}
