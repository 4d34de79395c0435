import type { Reader } from '#core'
import { isAtom, localId, nodeName, parseNodeName, tagOf } from '../../lib_channels'
import type {
  Affiliation,
  EntityAffiliation,
  EntitySubscription,
  Listing,
  NodeConfig,
  NodeSubscription,
  Range,
  ReadStore,
  Subscription,
  SubscriptionState
} from '../../lib_pubsub'
import { nodeConfig } from '../fields'
import type { ChannelItem, ChannelNode, ItemColumns } from '../model'
import type { ItemRow } from './item-table'
import { LISTED, personKey, type Listed, type MemberRow } from './member-table'
import type { NodeRow } from './node-table'
import type { Tables } from './tables'

/** States that the engine knows. */
const ENGINES: readonly SubscriptionState[] = ['subscribed', 'pending', 'unconfigured']

/** What a store must know of its service. */
export interface Service {
  /** The channel host's name: the SERVICE of global ids. */
  readonly name: string
  readonly defaults: NodeConfig
}

type Node = ChannelNode

/**
 * Channels as the engine sees them: it is given nodes, and what is the channel's (members, rights) is found by the
 * node's channel. The id of an item is what it is on the wire.
 */
export class ChannelReader implements ReadStore<Node, ItemColumns> {
  constructor(
    readonly tables: Tables,
    readonly source: Reader,
    readonly service: Service,
    /** Which channels are in the lists of a person: ephemeral ones are in a list of their own. */
    readonly lists: Listed = 'lasting'
  ) {}

  /** The same with other channels in the lists of a person. */
  listing(lists: Listed): ChannelReader {
    return lists === this.lists ? this : new ChannelReader(this.tables, this.source, this.service, lists)
  }

  async node(name: string): Promise<Node | undefined> {
    const parsed = parseNodeName(name)
    const row = parsed && (await this.tables.nodes.find(this.source, parsed))
    return row && this.toNode(row)
  }

  async nodeByKey(key: number): Promise<Node | undefined> {
    const row = await this.tables.nodes.byKey(this.source, key)
    return row && this.toNode(row)
  }

  /** All nodes of a channel. */
  async nodesOf(channel: number): Promise<Node[]> {
    return (await this.tables.nodes.ofChannel(this.source, channel)).map(row => this.toNode(row))
  }

  /** A channel has no other place to go to. */
  redirectOf(): undefined {
    return undefined
  }

  /** Those that are advertised. */
  async nodes(range: Range): Promise<Listing<Node>> {
    return { rows: (await this.tables.nodes.advertised(this.source, range)).map(row => this.toNode(row)) }
  }

  async affiliation({ channel }: Node, bare: string): Promise<string> {
    return (await this.member(channel.key, bare))?.affiliation ?? 'none'
  }

  member(channel: number, bare: string): Promise<MemberRow | undefined> {
    return this.tables.members.find(this.source, channel, bare)
  }

  async affiliations(
    { channel }: Node,
    range: Range,
    only: readonly string[] = LISTED
  ): Promise<Listing<Affiliation>> {
    const rows = await this.tables.members.byAffiliation(this.source, channel.key, only, range)
    return { rows: rows.map(({ id, jid, affiliation }) => ({ key: id, jid, affiliation })) }
  }

  async affiliationsOf(bare: string, range: Range, node?: Node): Promise<Listing<EntityAffiliation>> {
    if (node) {
      const row = await this.member(node.channel.key, bare)
      const affiliation = row?.affiliation ?? 'none'
      if (row === undefined || affiliation === 'none') return { rows: [] }
      return {
        rows: within(
          [{ key: personKey({ id: row.id, place: node.place }), node: node.name, affiliation }],
          range
        )
      }
    }
    const rows = await this.tables.members.ofPersonByNode(this.source, bare, 'affiliation', range, this.lists)
    return {
      rows: rows.map(row => ({
        key: personKey(row),
        node: nodeName(row.channel_jid, row.type),
        affiliation: row.affiliation
      }))
    }
  }

  async subscriptions({ channel }: Node, bare: string): Promise<readonly Subscription[]> {
    const row = await this.member(channel.key, bare)
    const state = row && engineState(row)
    return row && state ? [{ key: row.id, jid: row.jid, state }] : []
  }

  async subscriptionsTo(
    { channel }: Node,
    range: Range,
    states: readonly SubscriptionState[]
  ): Promise<Listing<NodeSubscription>> {
    const rows = await this.tables.members.bySubscription(this.source, channel.key, states, range)
    return {
      rows: rows.map(({ id, jid, affiliation, subscription }) => ({
        key: id,
        jid,
        affiliation,
        state: subscription as SubscriptionState
      }))
    }
  }

  async subscriptionsOf(bare: string, range: Range, node?: Node): Promise<Listing<EntitySubscription>> {
    if (node) {
      const row = await this.member(node.channel.key, bare)
      const state = row && engineState(row)
      if (row === undefined || state === undefined) return { rows: [] }
      const key = personKey({ id: row.id, place: node.place })
      return { rows: within([{ key, node: node.name, jid: bare, state }], range) }
    }
    const rows = await this.tables.members.ofPersonByNode(
      this.source,
      bare,
      'subscription',
      range,
      this.lists
    )
    return {
      rows: rows.map(row => ({
        key: personKey(row),
        node: nodeName(row.channel_jid, row.type),
        jid: row.jid,
        state: row.subscription as SubscriptionState,
        ...(row.invited_by && { invitedBy: row.invited_by })
      }))
    }
  }

  async subscribers({ channel }: Node, states: readonly SubscriptionState[]): Promise<readonly string[]> {
    return await this.tables.members.fanOut(this.source, channel.key, states)
  }

  async countSubscriptionsOf(bare: string, limit: number): Promise<number> {
    return await this.tables.members.countOfPerson(this.source, bare, ENGINES, limit)
  }

  async countSubscribers({ channel }: Node): Promise<number> {
    return await this.tables.members.countSubscribed(this.source, channel.key)
  }

  async item(node: Node, id: string): Promise<ChannelItem | undefined> {
    const local = this.local(node, id)
    const row = local === undefined ? undefined : await this.tables.items.byId(this.source, node.key, local)
    return row && this.toItem(node, row)
  }

  async items(node: Node, range: Range): Promise<readonly ChannelItem[]> {
    return (await this.tables.items.bySeq(this.source, node.key, range)).map(row => this.toItem(node, row))
  }

  async countItems(node: Node, range: Range): Promise<number> {
    return await this.tables.items.countRange(this.source, node.key, range)
  }

  async itemAt(node: Node, place: number, newest: boolean): Promise<ChannelItem | undefined> {
    const row = await this.tables.items.at(this.source, node.key, place, newest)
    return row && this.toItem(node, row)
  }

  /** The local part of an item's id, as the table has it; `undefined` where it can name no item of the node. */
  local(node: Node, id: string): string | undefined {
    return localId(id, this.service.name, node.name)
  }

  /** What an item is called on the wire: globally on nodes that hold Atom, plainly elsewhere. */
  wireId(node: Pick<Node, 'name' | 'type'>, local: string): string {
    return isAtom(node.type) ? tagOf(this.service.name, node.name, local) : local
  }

  toItem(node: Node, row: ItemRow): ChannelItem {
    return {
      id: this.wireId(node, row.item_id),
      publisher: row.author,
      payload: row.payload ?? undefined,
      createdAt: row.created,
      updatedAt: row.updated,
      seq: row.seq,
      extra: {
        key: row.id,
        kind: row.kind,
        parent: row.parent_id ?? undefined,
        target: row.target_id ?? undefined,
        rating: row.rating ?? undefined
      }
    }
  }

  toNode(row: NodeRow): Node {
    return {
      key: row.id,
      name: nodeName(row.jid, row.type),
      creator: row.creator,
      createdAt: row.created,
      config: nodeConfig(this.service.defaults, row),
      itemCount: row.item_count,
      channel: {
        key: row.channel_id,
        jid: row.jid,
        kind: row.kind,
        membersVersion: row.members_version
      },
      type: row.type,
      place: row.place,
      tombstones: row.tombstone_count,
      seq: row.seq,
      lastItem: row.last_item,
      lastRoot: row.last_root
    }
  }
}

/** An invitation is no subscription of the engine's. */
function engineState({ subscription }: MemberRow): SubscriptionState | undefined {
  return subscription === 'none' || subscription === 'invited' ? undefined : subscription
}

function within<T extends { key: number }>(rows: T[], { after = -1, before = Infinity, limit }: Range): T[] {
  return rows.filter(({ key }) => key > after && key < before).slice(0, limit)
}
