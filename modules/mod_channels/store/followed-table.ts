import { nameHash, type Database, type Reader } from '#core'
import type { Range } from '../../lib_pubsub'
import type { Standing } from '../model'
import { LISTED_KINDS, personPlace, type Listed } from './member-table'
import { NODE_COLUMNS, type NodeRow } from './node-table'

/** A node of a channel that somebody has to do with, and how. */
export interface FollowedRow extends NodeRow {
  member: number
  member_jid: string
  subscription: Standing['subscription']
  invited_by: string | null
}

/** Whole nodes of the channels that somebody follows, in the order of their other lists. */
export class FollowedTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    type Page = {
      host: string
      hash: Buffer
      kinds: readonly string[]
      id: number
      place: number
      limit: number
    }
    const list = (newest: boolean) =>
      db.statement<Page, FollowedRow>((knex, p) => {
        const past = newest ? '<' : '>'
        const order = newest ? 'desc' : 'asc'
        return knex('channel_members as m')
          .join('channel_nodes as n', 'n.channel_id', 'm.channel_id')
          .join('channels as c', 'c.id', 'm.channel_id')
          .select(...NODE_COLUMNS)
          .select('m.id as member', 'm.jid as member_jid', 'm.subscription', 'm.invited_by')
          .where('m.host', p('host'))
          .where('m.jid_hash', p('hash'))
          .where('m.subscription', '<>', 'none')
          .whereIn('c.kind', [p('kinds')])
          .where('m.id', `${past}=`, p('id'))
          .where(either => void either.where('m.id', past, p('id')).orWhere('n.place', past, p('place')))
          .orderBy('m.id', order)
          .orderBy('n.place', order)
          .limit(p('limit'))
      })
    this.#sql = {
      up: list(false),
      down: list(true),
      owners: db.statement<
        { channels: readonly number[]; limit: number },
        { channel_id: number; jid: string }
      >((knex, p) =>
        knex('channel_members')
          .select('channel_id', 'jid')
          .whereIn('channel_id', [p('channels')])
          .where('affiliation', 'owner')
          .limit(p('limit'))
      )
    }
  }

  /** From the end of the range that is asked for. */
  async list(reader: Reader, jid: string, range: Range, listed: Listed): Promise<FollowedRow[]> {
    const { newest = false, limit, before = Number.MAX_SAFE_INTEGER, after = -1 } = range
    const rows = await reader.all(newest ? this.#sql.down : this.#sql.up, {
      host: this.#host,
      hash: nameHash(jid),
      kinds: LISTED_KINDS[listed],
      limit,
      ...personPlace(newest ? before : after)
    })
    return rows
  }

  /** The owners of these channels. */
  async owners(reader: Reader, channels: readonly number[], limit: number): Promise<Map<number, string[]>> {
    const owners = new Map<number, string[]>()
    if (channels.length === 0) return owners
    for (const { channel_id, jid } of await reader.all(this.#sql.owners, { channels, limit })) {
      const known = owners.get(channel_id)
      if (known) known.push(jid)
      else owners.set(channel_id, [jid])
    }
    return owners
  }
}
