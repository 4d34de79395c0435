import type { Reader, Tx } from '#core'
import type {
  Affiliation,
  EntityAffiliation,
  EntitySubscription,
  Item,
  ItemDraft,
  Listing,
  NewNode,
  Node,
  NodeConfig,
  NodeSubscription,
  Range,
  ReadStore,
  Store,
  Subscription,
  SubscriptionState
} from '../../lib_pubsub'
import type { ItemRow } from './item-table'
import type { NodeRow } from './node-table'
import type { SubscriptionRow } from './subscription-table'
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

  async items(node: PubsubNode, range: Range): Promise<readonly Item[]> {
    const rows = await this.tables.items.list(this.reader, node.key, range)
    return rows.map(toItem)
  }

  countItems(node: PubsubNode, range: Range): Promise<number> {
    return this.tables.items.count(this.reader, node.key, range)
  }

  async itemAt(node: PubsubNode, place: number, newest: boolean): Promise<Item | undefined> {
    const row = await this.tables.items.at(this.reader, node.key, place, newest)
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
      version: row.version
    }
  }
}

/** The same within one write unit, and the writes. */
export class SqlStore extends SqlReadStore implements Store<PubsubNode> {
  readonly #tx: Tx
  /** Orders that this unit has given, by node: the node as it was read does not know of them. */
  readonly #seqs = new Map<number, number>()
  /** Nodes whose subscriptions this unit has changed. */
  readonly #changed = new Set<number>()

  constructor(tables: Tables, tx: Tx) {
    super(tables, tx)
    this.#tx = tx
  }

  async lockNode(name: string): Promise<PubsubNode | undefined> {
    const row = await this.tables.nodes.lock(this.#tx, name)
    return row && this.toNode(row)
  }

  async createNode(node: NewNode): Promise<PubsubNode | undefined> {
    const { nodes } = this.tables
    if (await nodes.lock(this.#tx, node.name)) return undefined
    await nodes.dropRedirect(this.#tx, node.name)
    const key = await nodes.insert(this.#tx, node)
    return { key, ...node, itemCount: 0, seq: 0, subscribers: 0, version: 0 }
  }

  setConfig(node: PubsubNode, config: NodeConfig): Promise<void> {
    return this.tables.nodes.configure(this.#tx, node.key, config)
  }

  async deleteNode({ key, name, creator }: PubsubNode, redirect?: string): Promise<void> {
    const { nodes } = this.tables
    await nodes.delete(this.#tx, key)
    if (redirect === undefined) return
    await nodes.addRedirect(this.#tx, { name, creator, uri: redirect, created: Date.now() })
  }

  setAffiliation(node: PubsubNode, bare: string, affiliation: string): Promise<void> {
    return this.tables.affiliations.set(this.#tx, node.key, bare, affiliation)
  }

  /** The list for events is read once for each version of the node's subscriptions. */
  override async subscribers(
    node: PubsubNode,
    states: readonly SubscriptionState[]
  ): Promise<readonly string[]> {
    const { key, version } = node
    const { audiences } = this.tables
    const keeps = states.length === 1 && states[0] === 'subscribed' && !this.#changed.has(key)
    const known = keeps ? audiences.get(key, version) : undefined
    if (known) return known
    const jids = await super.subscribers(node, states)
    // before that it could be another unit's that is undone
    if (keeps) this.#tx.afterCommit(() => audiences.keep(key, version, jids))
    return jids
  }

  async addSubscription(node: PubsubNode, jid: string, state: SubscriptionState): Promise<Subscription> {
    const key = await this.tables.subscriptions.insert(this.#tx, node.key, jid, state)
    await this.#count(node, counts(state))
    return { key, jid, state }
  }

  async setSubscription(
    node: PubsubNode,
    subscription: Subscription,
    state: SubscriptionState
  ): Promise<void> {
    await this.tables.subscriptions.update(this.#tx, subscription.key, state)
    await this.#count(node, counts(state) - counts(subscription.state))
  }

  async removeSubscription(node: PubsubNode, subscription: Subscription): Promise<void> {
    await this.tables.subscriptions.delete(this.#tx, subscription.key)
    await this.#count(node, -counts(subscription.state))
  }

  async #count(node: PubsubNode, by: number): Promise<void> {
    this.#changed.add(node.key)
    await this.tables.nodes.countSubscribers(this.#tx, node.key, by)
  }

  async putItem(node: PubsubNode, draft: ItemDraft, previous: Item | undefined): Promise<Item> {
    const seq = this.#seq(node) + 1
    this.#seqs.set(node.key, seq)
    await this.tables.items.put(this.#tx, node.key, draft, seq, previous)
    await this.tables.nodes.countItems(this.#tx, node.key, previous ? 0 : 1, seq)
    return { ...draft, seq }
  }

  async removeItem(node: PubsubNode, item: Item): Promise<void> {
    const gone = await this.tables.items.delete(this.#tx, node.key, item.seq)
    await this.tables.nodes.countItems(this.#tx, node.key, -gone, this.#seq(node))
  }

  async removeOldest(node: PubsubNode, number: number): Promise<readonly string[]> {
    const ids = await this.tables.items.deleteOldest(this.#tx, node.key, number)
    await this.tables.nodes.countItems(this.#tx, node.key, -ids.length, this.#seq(node))
    return ids
  }

  async removeAllItems(node: PubsubNode): Promise<void> {
    const gone = await this.tables.items.deleteAll(this.#tx, node.key)
    await this.tables.nodes.countItems(this.#tx, node.key, -gone, this.#seq(node))
  }

  #seq(node: PubsubNode): number {
    return this.#seqs.get(node.key) ?? node.seq
  }
}

/** What a subscription adds to the number of subscribers. */
function counts(state: SubscriptionState): number {
  return state === 'subscribed' ? 1 : 0
}

function toSubscription({ id, jid, state }: SubscriptionRow): Subscription {
  return { key: id, jid, state }
}

function toItem({ item_id, publisher, payload, created, updated, seq }: ItemRow): Item {
  return {
    id: item_id,
    publisher,
    payload: payload ?? undefined,
    createdAt: created,
    updatedAt: updated,
    seq
  }
}
