import { nameHash, type Database, type Reader, type Tx } from '#core'
import type { Range } from '../../lib_pubsub'
import type { Standing } from '../model'
import { bothWays, readRanges } from '../../lib_keyset'

export interface MemberRow {
  id: number
  channel_id: number
  jid: string
  affiliation: string
  subscription: Standing['subscription']
  /** Bare JID of who invited them; '' where nobody knows any more. */
  invited_by: string | null
}

/** A member's row with one of the channel's nodes. */
export interface PersonRow extends MemberRow {
  place: number
  type: string
  channel_jid: string
}

/** Nodes of a channel are numbered from 0 to 63, so a member and a node make one number. */
const PLACES = 64

export const LISTED: readonly string[] = ['owner', 'moderator', 'publisher', 'member', 'outcast']

type Person = { host: string; hash: Buffer }
type PersonPage = Person & { kinds: readonly string[]; id: number; place: number; limit: number }
/** What is written of somebody's standing. */
type Written = {
  affiliation: string
  subscription: string
  invitedBy: string | null
  inviter: Buffer | null
  now: number
}

/** Ephemeral channels are in a list of their own. */
export type Listed = 'lasting' | 'ephemeral'
export const LISTED_KINDS: Readonly<Record<Listed, readonly string[]>> = {
  lasting: ['personal', 'topic'],
  ephemeral: ['ephemeral']
}

/** Who is what to which channel of a host: one row for each, for all nodes of the channel. */
export class MemberTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    const columns = ['id', 'channel_id', 'jid', 'affiliation', 'subscription', 'invited_by'] as const
    const ofPerson = (column: 'subscription' | 'affiliation', newest: boolean) =>
      db.statement<PersonPage, PersonRow>((knex, p) => {
        const past = newest ? '<' : '>'
        const order = newest ? 'desc' : 'asc'
        return knex('channel_members as m')
          .join('channel_nodes as n', 'n.channel_id', 'm.channel_id')
          .join('channels as c', 'c.id', 'm.channel_id')
          .select('m.id', 'm.channel_id', 'm.jid', 'm.affiliation', 'm.subscription', 'm.invited_by')
          .select('n.place', 'n.type', 'c.jid as channel_jid')
          .where('m.host', p('host'))
          .where('m.jid_hash', p('hash'))
          .where(`m.${column}`, '<>', 'none')
          .whereIn('c.kind', [p('kinds')])
          .where('m.id', `${past}=`, p('id'))
          .where(either => void either.where('m.id', past, p('id')).orWhere('n.place', past, p('place')))
          .orderBy('m.id', order)
          .orderBy('n.place', order)
          .limit(p('limit'))
      })
    this.#sql = {
      find: db.statement<{ channel: number; hash: Buffer }, MemberRow>((knex, p) =>
        knex('channel_members')
          .select(...columns)
          .where('channel_id', p('channel'))
          .where('jid_hash', p('hash'))
      ),
      insert: db.statement<Written & { host: string; channel: number; jid: string; hash: Buffer }>(
        (knex, p) =>
          knex('channel_members').insert({
            host: p('host'),
            channel_id: p('channel'),
            jid: p('jid'),
            jid_hash: p('hash'),
            affiliation: p('affiliation'),
            subscription: p('subscription'),
            invited_by: p('invitedBy'),
            invited_by_hash: p('inviter'),
            created: p('now'),
            updated: p('now')
          })
      ),
      update: db.statement<Written & { id: number }>((knex, p) =>
        knex('channel_members')
          .update({
            affiliation: p('affiliation'),
            subscription: p('subscription'),
            invited_by: p('invitedBy'),
            invited_by_hash: p('inviter'),
            updated: p('now')
          })
          .where('id', p('id'))
      ),
      delete: db.statement<{ id: number }>((knex, p) =>
        knex('channel_members').delete().where('id', p('id'))
      ),
      byAffiliation: bothWays<{ channel: number; affiliation: string }, MemberRow>(db, 'id', (knex, p) =>
        knex('channel_members')
          .select(...columns)
          .where('channel_id', p('channel'))
          .where('affiliation', p('affiliation'))
      ),
      bySubscription: bothWays<{ channel: number; state: string }, MemberRow>(db, 'id', (knex, p) =>
        knex('channel_members')
          .select(...columns)
          .where('channel_id', p('channel'))
          .where('subscription', p('state'))
      ),
      fanOut: db.statement<{ channel: number; states: readonly string[] }, { jid: string }>((knex, p) =>
        knex('channel_members')
          .select('jid')
          .where('channel_id', p('channel'))
          .whereIn('subscription', [p('states')])
      ),
      countSubscribed: db.statement<{ channel: number }, { n: number }>((knex, p) =>
        knex('channel_members')
          .count({ n: '*' })
          .where('channel_id', p('channel'))
          .where('subscription', 'subscribed')
      ),
      countInvited: db.statement<{ channel: number; limit: number }, { n: number }>((knex, p) =>
        knex
          .count({ n: '*' })
          .from(
            knex('channel_members')
              .select('id')
              .where('channel_id', p('channel'))
              .where('subscription', 'invited')
              .limit(p('limit'))
              .as('invited')
          )
      ),
      countOfPerson: db.statement<Person & { states: readonly string[]; limit: number }, { n: number }>(
        (knex, p) =>
          knex.count({ n: '*' }).from(
            knex('channel_members')
              .select('id')
              .where('host', p('host'))
              .where('jid_hash', p('hash'))
              .whereIn('subscription', [p('states')])
              .limit(p('limit'))
              .as('counted')
          )
      ),
      subscriptionsUp: ofPerson('subscription', false),
      subscriptionsDown: ofPerson('subscription', true),
      affiliationsUp: ofPerson('affiliation', false),
      affiliationsDown: ofPerson('affiliation', true),
      following: db.statement<Person & { type: string }, { node: number; channel: string }>((knex, p) =>
        knex('channel_members as m')
          .join('channel_nodes as n', 'n.channel_id', 'm.channel_id')
          .join('channels as c', 'c.id', 'm.channel_id')
          .select('n.id as node', 'c.jid as channel')
          .where('m.host', p('host'))
          .where('m.jid_hash', p('hash'))
          .where('m.subscription', 'subscribed')
          .whereNot('m.affiliation', 'outcast')
          .where('n.type', p('type'))
          .whereNot('c.kind', 'ephemeral')
      ),
      followedBefore: db.statement<Person & { time: number }, { id: number }>((knex, p) =>
        knex('channel_members')
          .select('id')
          .where('host', p('host'))
          .where('jid_hash', p('hash'))
          .where('subscription', 'subscribed')
          .where('created', '<=', p('time'))
          .limit(1)
      ),
      forgetInviter: db.statement<Person & { nobody: Buffer }>((knex, p) =>
        knex('channel_members')
          .update({ invited_by: '', invited_by_hash: p('nobody') })
          .where('host', p('host'))
          .where('invited_by_hash', p('hash'))
      ),
      ofPerson: db.statement<Person, MemberRow>((knex, p) =>
        knex('channel_members')
          .select(...columns)
          .where('host', p('host'))
          .where('jid_hash', p('hash'))
      )
    }
  }

  find(reader: Reader, channel: number, jid: string): Promise<MemberRow | undefined> {
    return reader.get(this.#sql.find, { channel, hash: nameHash(jid) })
  }

  async insert(tx: Tx, channel: number, jid: string, standing: Standing, now: number): Promise<number> {
    const params = { ...written(standing, now), host: this.#host, channel, jid, hash: nameHash(jid) }
    return (await tx.run(this.#sql.insert, params)).lastId
  }

  async update(tx: Tx, id: number, standing: Standing, now: number): Promise<void> {
    await tx.run(this.#sql.update, { ...written(standing, now), id })
  }

  async delete(tx: Tx, id: number): Promise<void> {
    await tx.run(this.#sql.delete, { id })
  }

  byAffiliation(
    reader: Reader,
    channel: number,
    affiliations: readonly string[],
    range: Range
  ): Promise<MemberRow[]> {
    const params = affiliations.map(affiliation => ({ channel, affiliation }))
    return readRanges(reader, this.#sql.byAffiliation, params, range, row => row.id)
  }

  bySubscription(
    reader: Reader,
    channel: number,
    states: readonly string[],
    range: Range
  ): Promise<MemberRow[]> {
    const params = states.map(state => ({ channel, state }))
    return readRanges(reader, this.#sql.bySubscription, params, range, row => row.id)
  }

  async fanOut(reader: Reader, channel: number, states: readonly string[]): Promise<string[]> {
    return (await reader.all(this.#sql.fanOut, { channel, states })).map(row => row.jid)
  }

  async countSubscribed(reader: Reader, channel: number): Promise<number> {
    return (await reader.get(this.#sql.countSubscribed, { channel }))?.n ?? 0
  }

  /** Channels that somebody is in these states with, counted no further than the limit. */
  async countOfPerson(
    reader: Reader,
    jid: string,
    states: readonly Standing['subscription'][],
    limit: number
  ): Promise<number> {
    return (await reader.get(this.#sql.countOfPerson, { ...this.#person(jid), states, limit }))?.n ?? 0
  }

  /** Invitations to a channel that nobody has answered, counted no further than the limit. */
  async countInvited(reader: Reader, channel: number, limit: number): Promise<number> {
    return (await reader.get(this.#sql.countInvited, { channel, limit }))?.n ?? 0
  }

  /** The person's rows with all nodes of their channels, by `personKey`, ascending. */
  async ofPersonByNode(
    reader: Reader,
    jid: string,
    column: 'subscription' | 'affiliation',
    range: Range,
    listed: Listed = 'lasting'
  ): Promise<PersonRow[]> {
    const newest = range.newest === true
    const { before = Number.MAX_SAFE_INTEGER, after = -1 } = range
    const sql = this.#sql[`${column}s${newest ? 'Down' : 'Up'}`]
    const rows = await reader.all(sql, {
      ...this.#person(jid),
      kinds: LISTED_KINDS[listed],
      ...personPlace(newest ? before : after),
      limit: range.limit
    })
    const within = rows.filter(row => personKey(row) > after && personKey(row) < before)
    return newest ? within.reverse() : within
  }

  /** Whether somebody follows a channel that they have been known in since then (milliseconds UTC), or before. */
  async followedBefore(reader: Reader, jid: string, time: number): Promise<boolean> {
    return (await reader.get(this.#sql.followedBefore, { ...this.#person(jid), time })) !== undefined
  }

  /** An account is gone: its name does not stay with whom it invited. */
  async forgetInviter(tx: Tx, jid: string): Promise<void> {
    await tx.run(this.#sql.forgetInviter, { ...this.#person(jid), nobody: nameHash('') })
  }

  /** Nodes of that type in the channels that the person follows; ephemeral ones are in no list. */
  following(reader: Reader, jid: string, type: string): Promise<{ node: number; channel: string }[]> {
    return reader.all(this.#sql.following, { ...this.#person(jid), type })
  }

  /** All that is kept of the person. */
  ofPerson(reader: Reader, jid: string): Promise<MemberRow[]> {
    return reader.all(this.#sql.ofPerson, this.#person(jid))
  }

  #person(jid: string): Person {
    return { host: this.#host, hash: nameHash(jid) }
  }
}

function written({ affiliation, subscription, invitedBy }: Standing, now: number): Written {
  const by = subscription === 'invited' ? (invitedBy ?? '') : null
  return { affiliation, subscription, invitedBy: by, inviter: by === null ? null : nameHash(by), now }
}

/** The place of a row in the lists of a person. */
export function personKey({ id, place }: { id: number; place: number }): number {
  return id * PLACES + place
}

/** The row that a key belongs to. */
export function personPlace(key: number): { id: number; place: number } {
  const id = Math.floor(key / PLACES)
  return { id, place: key - id * PLACES }
}
