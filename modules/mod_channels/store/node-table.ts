import { nameHash, type Database, type Reader, type Tx } from '#core'
import type { NodeName } from '../../lib_channels'
import type { Range } from '../../lib_pubsub'
import type { ChannelKind } from '../model'
import { bothWays, readRange } from '../../lib_keyset'

/** A node with its channel, as the tables have them. */
export interface NodeRow {
  id: number
  type: string
  place: number
  advertise: number
  created: number
  item_count: number
  tombstone_count: number
  seq: number
  last_item: number
  last_root: number
  channel_id: number
  jid: string
  kind: ChannelKind
  access_model: string
  title: string
  description: string
  default_affiliation: string
  creator: string
  channel_created: number
  channel_updated: number
  members_version: number
}

export interface ChannelRow {
  id: number
  jid: string
  kind: ChannelKind
  creator: string
  members_version: number
}

/** What a channel is described by. */
export interface ChannelText {
  title: string
  description: string
  access_model: string
  default_affiliation: string
}

/** Counters of a node after a write. */
export interface Counters {
  seq: number
  items: number
  tombstones: number
  lastItem: number
  lastRoot: number
}

type Named = { host: string; hash: Buffer; type: string }

export const NODE_COLUMNS = [
  'n.id',
  'n.type',
  'n.place',
  'n.advertise',
  'n.created',
  'n.item_count',
  'n.tombstone_count',
  'n.seq',
  'n.last_item',
  'n.last_root',
  'n.channel_id',
  'c.jid',
  'c.kind',
  'c.access_model',
  'c.title',
  'c.description',
  'c.default_affiliation',
  'c.creator',
  'c.created as channel_created',
  'c.updated as channel_updated',
  'c.members_version'
] as const
const CHANNEL_COLUMNS = ['id', 'jid', 'kind', 'creator', 'members_version'] as const

/** Channels and their nodes, of one host. */
export class NodeTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    const nodes = (knex: Database['knex']) =>
      knex('channels as c')
        .join('channel_nodes as n', 'n.channel_id', 'c.id')
        .select(...NODE_COLUMNS)
    this.#sql = {
      find: db.statement<Named, NodeRow>((knex, p) =>
        nodes(knex).where('c.host', p('host')).where('c.jid_hash', p('hash')).where('n.type', p('type'))
      ),
      lock: db.statement<Named, NodeRow>((knex, p) =>
        nodes(knex)
          .where('c.host', p('host'))
          .where('c.jid_hash', p('hash'))
          .where('n.type', p('type'))
          .forUpdate()
      ),
      ofChannel: db.statement<{ channel: number }, NodeRow>((knex, p) =>
        nodes(knex).where('n.channel_id', p('channel')).orderBy('n.place')
      ),
      byKey: db.statement<{ host: string; id: number }, NodeRow>((knex, p) =>
        nodes(knex).where('n.host', p('host')).where('n.id', p('id'))
      ),
      advertised: bothWays<{ host: string }, NodeRow>(db, 'n.id', (knex, p) =>
        nodes(knex).where('n.host', p('host')).where('n.advertise', 1)
      ),
      channel: db.statement<{ host: string; hash: Buffer }, ChannelRow>((knex, p) =>
        knex('channels')
          .select(...CHANNEL_COLUMNS)
          .where('host', p('host'))
          .where('jid_hash', p('hash'))
          .forUpdate()
      ),
      countByCreator: db.statement<{ host: string; hash: Buffer; kind: string }, { n: number }>((knex, p) =>
        knex('channels')
          .count({ n: '*' })
          .where('host', p('host'))
          .where('creator_hash', p('hash'))
          .where('kind', p('kind'))
      ),
      insertChannel: db.statement<
        ChannelText & {
          host: string
          jid: string
          hash: Buffer
          kind: string
          creator: string
          creatorHash: Buffer
          now: number
        }
      >((knex, p) =>
        knex('channels')
          .insert({
            host: p('host'),
            jid: p('jid'),
            jid_hash: p('hash'),
            kind: p('kind'),
            title: p('title'),
            description: p('description'),
            access_model: p('access_model'),
            default_affiliation: p('default_affiliation'),
            creator: p('creator'),
            creator_hash: p('creatorHash'),
            created: p('now'),
            updated: p('now'),
            members_version: 0
          })
          .onConflict(['host', 'jid_hash'])
          .ignore()
      ),
      insertNode: db.statement<{
        host: string
        channel: number
        type: string
        place: number
        advertise: number
        now: number
      }>((knex, p) =>
        knex('channel_nodes').insert({
          host: p('host'),
          channel_id: p('channel'),
          type: p('type'),
          place: p('place'),
          advertise: p('advertise'),
          config: null,
          created: p('now'),
          item_count: 0,
          tombstone_count: 0,
          seq: 0,
          last_item: 0,
          last_root: 0
        })
      ),
      describe: db.statement<ChannelText & { id: number; now: number }>((knex, p) =>
        knex('channels')
          .update({
            title: p('title'),
            description: p('description'),
            access_model: p('access_model'),
            default_affiliation: p('default_affiliation'),
            updated: p('now')
          })
          .where('id', p('id'))
      ),
      advertise: db.statement<{ id: number; advertise: number }>((knex, p) =>
        knex('channel_nodes')
          .update({ advertise: p('advertise') })
          .where('id', p('id'))
      ),
      count: db.statement<Counters & { id: number }>((knex, p) =>
        knex('channel_nodes')
          .update({
            seq: p('seq'),
            item_count: p('items'),
            tombstone_count: p('tombstones'),
            last_item: p('lastItem'),
            last_root: p('lastRoot')
          })
          .where('id', p('id'))
      ),
      newMembers: db.statement<{ id: number }>((knex, p) =>
        knex('channels').increment('members_version', 1).where('id', p('id'))
      ),
      deleteNode: db.statement<{ id: number }>((knex, p) =>
        knex('channel_nodes').delete().where('id', p('id'))
      ),
      deleteChannel: db.statement<{ id: number }>((knex, p) =>
        knex('channels').delete().where('id', p('id'))
      ),
      forgetCreator: db.statement<{ host: string; hash: Buffer; nobody: Buffer }>((knex, p) =>
        knex('channels')
          .update({ creator: '', creator_hash: p('nobody') })
          .where('host', p('host'))
          .where('creator_hash', p('hash'))
      )
    }
  }

  find(reader: Reader, { channel, type }: NodeName): Promise<NodeRow | undefined> {
    return reader.get(this.#sql.find, { ...this.#named(channel), type })
  }

  /** Keeps other writers from the node and its channel until the unit ends. */
  lock(tx: Tx, { channel, type }: NodeName): Promise<NodeRow | undefined> {
    return tx.get(this.#sql.lock, { ...this.#named(channel), type })
  }

  byKey(reader: Reader, id: number): Promise<NodeRow | undefined> {
    return reader.get(this.#sql.byKey, { host: this.#host, id })
  }

  /** By place. */
  ofChannel(reader: Reader, channel: number): Promise<NodeRow[]> {
    return reader.all(this.#sql.ofChannel, { channel })
  }

  advertised(reader: Reader, range: Range): Promise<NodeRow[]> {
    return readRange(reader, this.#sql.advertised, { host: this.#host }, range)
  }

  lockChannel(tx: Tx, jid: string): Promise<ChannelRow | undefined> {
    return tx.get(this.#sql.channel, this.#named(jid))
  }

  async countByCreator(reader: Reader, jid: string, kind: ChannelKind): Promise<number> {
    const row = await reader.get(this.#sql.countByCreator, { ...this.#named(jid), kind })
    return row?.n ?? 0
  }

  /** Makes the channel unless it is there; either way it is locked then. `fresh`: it was not there. */
  async openChannel(
    tx: Tx,
    channel: { jid: string; kind: ChannelKind; creator: string; text: ChannelText; now: number }
  ): Promise<{ channel: ChannelRow; fresh: boolean }> {
    const { jid, kind, creator, text, now } = channel
    const { changes } = await tx.run(this.#sql.insertChannel, {
      ...text,
      ...this.#named(jid),
      jid,
      kind,
      creator,
      creatorHash: nameHash(creator),
      now
    })
    const row = await this.lockChannel(tx, jid)
    if (row === undefined) throw new Error(`the channel ${jid} is not there after it was made`)
    return { channel: row, fresh: changes > 0 }
  }

  async insertNode(
    tx: Tx,
    node: { channel: number; type: string; place: number; advertise: boolean; now: number }
  ): Promise<void> {
    await tx.run(this.#sql.insertNode, { ...node, host: this.#host, advertise: node.advertise ? 1 : 0 })
  }

  async describe(tx: Tx, id: number, text: ChannelText, now: number): Promise<void> {
    await tx.run(this.#sql.describe, { ...text, id, now })
  }

  async advertise(tx: Tx, id: number, advertise: boolean): Promise<void> {
    await tx.run(this.#sql.advertise, { id, advertise: advertise ? 1 : 0 })
  }

  async count(tx: Tx, id: number, counters: Counters): Promise<void> {
    await tx.run(this.#sql.count, { ...counters, id })
  }

  /** What was kept of the channel's members is no longer valid. */
  async newMembers(tx: Tx, channel: number): Promise<void> {
    await tx.run(this.#sql.newMembers, { id: channel })
  }

  /** With its items; with the channel when it was its last node. */
  async delete(tx: Tx, node: { id: number; channel: number }): Promise<{ channelToo: boolean }> {
    await tx.run(this.#sql.deleteNode, { id: node.id })
    const left = await this.ofChannel(tx, node.channel)
    if (left.length > 0) return { channelToo: false }
    await this.deleteChannel(tx, node.channel)
    return { channelToo: true }
  }

  async deleteChannel(tx: Tx, id: number): Promise<void> {
    await tx.run(this.#sql.deleteChannel, { id })
  }

  /** An account is gone: its name does not stay. */
  async forgetCreator(tx: Tx, jid: string): Promise<void> {
    await tx.run(this.#sql.forgetCreator, { ...this.#named(jid), nobody: nameHash('') })
  }

  #named(jid: string): { host: string; hash: Buffer } {
    return { host: this.#host, hash: nameHash(jid) }
  }
}
