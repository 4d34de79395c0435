import type { Reader } from '#core'
import {
  audienceOf,
  type Affiliation,
  type Audience,
  type EntityAffiliation,
  type EntitySubscription,
  type Item,
  type ItemOrder,
  type Listing,
  type Node,
  type NodeSubscription,
  type Range,
  type ReadStore,
  type Subscription,
  type SubscriptionState
} from '../../lib_pubsub'
import type { ItemRow } from './item-table'
import type { NodeRow } from './node-table'
import { toSubscription } from './subscription-table'
import type { Tables } from './tables'

/** A node with what this store needs to know of it. */
export interface PubsubNode extends Node {
  /** Order of its newest item; never counts down. */
  readonly seq: number
  readonly subscribers: number
  /** Which version of its subscriptions this is. */
  readonly version: number
}

/** What lib_pubsub asks, answered from the tables of one host. */
export class SqlReadStore implements ReadStore<PubsubNode> {
  constructor(
    protected readonly tables: Tables,
    protected readonly reader: Reader
  ) {}

  async node(name: string): Promise<PubsubNode | undefined> {
    const row = await this.tables.nodes.find(this.reader, name)
    return row && this.toNode(row)
  }

  async redirectOf(name: string): Promise<string | undefined> {
    const row = await this.tables.nodes.redirect(this.reader, name)
    return row?.uri
  }

  async nodes(range: Range): Promise<Listing<PubsubNode>> {
    const rows = await this.tables.nodes.list(this.reader, range)
    return { rows: rows.map(row => this.toNode(row)) }
  }

  async affiliation(node: PubsubNode, bare: string): Promise<string> {
    const row = await this.tables.affiliations.one(this.reader, node.key, bare)
    return row?.affiliation ?? 'none'
  }

  async affiliations(
    node: PubsubNode,
    range: Range,
    only?: readonly string[]
  ): Promise<Listing<Affiliation>> {
    const rows = await this.tables.affiliations.list(this.reader, node.key, range, only)
    return { rows: rows.map(({ id, jid, affiliation }) => ({ key: id, jid, affiliation })) }
  }

  async affiliationsOf(bare: string, range: Range, node?: PubsubNode): Promise<Listing<EntityAffiliation>> {
    const { affiliations } = this.tables
    if (node === undefined) {
      const rows = await affiliations.own(this.reader, bare, range)
      return { rows: rows.map(({ id, ...row }) => ({ key: id, ...row })) }
    }
    const rows = await affiliations.ownAt(this.reader, node.key, bare, range)
    return { rows: rows.map(({ id, affiliation }) => ({ key: id, node: node.name, affiliation })) }
  }

  async subscriptions(node: PubsubNode, bare: string): Promise<readonly Subscription[]> {
    const rows = await this.tables.subscriptions.ofPerson(this.reader, node.key, bare)
    return rows.map(toSubscription)
  }

  async subscriptionsTo(
    node: PubsubNode,
    range: Range,
    states: readonly SubscriptionState[]
  ): Promise<Listing<NodeSubscription>> {
    const rows = await this.tables.subscriptions.ofNode(this.reader, node.key, range, states)
    return {
      rows: rows.map(row => ({ ...toSubscription(row), affiliation: row.affiliation ?? 'none' }))
    }
  }

  async subscriptionsOf(bare: string, range: Range, node?: PubsubNode): Promise<Listing<EntitySubscription>> {
    const { subscriptions } = this.tables
    if (node === undefined) {
      const rows = await subscriptions.own(this.reader, bare, range)
      return { rows: rows.map(row => ({ ...toSubscription(row), node: row.node })) }
    }
    const rows = await subscriptions.ownAt(this.reader, node.key, bare, range)
    return { rows: rows.map(row => ({ ...toSubscription(row), node: node.name })) }
  }

  subscribers(node: PubsubNode, states: readonly SubscriptionState[]): Promise<readonly string[]> {
    return this.tables.subscriptions.addresses(this.reader, node.key, states)
  }

  async audience(node: PubsubNode): Promise<Audience> {
    const rows = await this.tables.subscriptions.subscribed(this.reader, node.key)
    return audienceOf(rows.map(toSubscription), this.tables.subIds())
  }

  countSubscriptionsOf(bare: string, limit: number): Promise<number> {
    return this.tables.subscriptions.countOwn(this.reader, bare, limit)
  }

  countSubscribers(node: PubsubNode): number {
    return node.subscribers
  }

  /** Nodes and redirects by their creator, counted no further than `limit` of each. */
  countNodesOf(bare: string, limit: number): Promise<number> {
    return this.tables.nodes.countOf(this.reader, bare, limit)
  }

  async item(node: PubsubNode, id: string): Promise<Item | undefined> {
    const row = await this.tables.items.one(this.reader, node.key, id)
    return row && toItem(row)
  }

  async items(node: PubsubNode, range: Range, order?: ItemOrder): Promise<readonly Item[]> {
    const rows = await this.tables.items.list(this.reader, node.key, range, order)
    return rows.map(toItem)
  }

  countItems(node: PubsubNode, range: Range, order?: ItemOrder): Promise<number> {
    return this.tables.items.count(this.reader, node.key, range, order)
  }

  async itemAt(
    node: PubsubNode,
    place: number,
    newest: boolean,
    order?: ItemOrder
  ): Promise<Item | undefined> {
    const row = await this.tables.items.at(this.reader, node.key, place, newest, order)
    return row && toItem(row)
  }

  protected toNode(row: NodeRow): PubsubNode {
    return {
      key: row.id,
      name: row.name,
      creator: row.creator,
      createdAt: row.created,
      config: this.tables.configs.read(row.id, row.config),
      itemCount: row.item_count,
      seq: row.seq,
      subscribers: row.subscribers,
      version: row.version,
      ...(row.due !== null && { dueAt: row.due })
    }
  }
}

function toItem({ id, item_id, publisher, payload, created, updated, seq }: ItemRow): Item {
  return {
    id: item_id,
    publisher,
    payload: payload ?? undefined,
    createdAt: created,
    updatedAt: updated,
    seq,
    born: id
  }
}
