import { audienceOf, bareOf } from '../../../modules/lib_pubsub'
import type {
  Affiliation,
  Audience,
  EntityAffiliation,
  EntitySubscription,
  Item,
  ItemDraft,
  ItemOrder,
  Listing,
  NewNode,
  Node,
  NodeConfig,
  NodeSubscription,
  Range,
  Store,
  Subscription,
  SubscriptionState,
  Terms
} from '../../../modules/lib_pubsub'

interface Row<X> {
  node: Omit<Node, 'itemCount'>
  affiliations: Affiliation[]
  subscriptions: (Subscription & { due?: number | undefined })[]
  items: Item<X>[]
}

/**
 * A store that keeps everything in arrays. What it gives out are copies, as a database does, so an engine that
 * goes by what it read before its own write is found out.
 */
export class MemoryStore<X = unknown> implements Store<Node, X> {
  #rows: Row<X>[] = []
  #redirects = new Map<string, string>()
  #keys = 0

  /** `subIds`: as the service has it. */
  constructor(readonly subIds = false) {}

  /** Everything, to be compared. */
  dump(): unknown {
    return structuredClone({ rows: this.#rows, redirects: [...this.#redirects] })
  }

  node(name: string): Node | undefined {
    const row = this.#rows.find(one => one.node.name === name)
    return row && toNode(row)
  }

  async lockNode(name: string): Promise<Node | undefined> {
    return await Promise.resolve(this.node(name))
  }

  redirectOf(name: string): string | undefined {
    return this.#redirects.get(name)
  }

  nodes(range: Range): Listing<Node> {
    return { rows: within(this.#rows.map(toNode), range, node => node.key), count: this.#rows.length }
  }

  createNode(node: NewNode): Node | undefined {
    if (this.node(node.name)) return undefined
    this.#redirects.delete(node.name)
    const row: Row<X> = {
      node: { key: ++this.#keys, ...node, config: structuredClone(node.config) },
      affiliations: [],
      subscriptions: [],
      items: []
    }
    this.#rows.push(row)
    return toNode(row)
  }

  setConfig(node: Node, config: NodeConfig): void {
    const row = this.#row(node)
    row.node = { ...row.node, config: structuredClone(config) }
  }

  deleteNode(node: Node, redirect?: string): void {
    this.#rows.splice(this.#rows.indexOf(this.#row(node)), 1)
    if (redirect !== undefined) this.#redirects.set(node.name, redirect)
  }

  affiliation(node: Node, bare: string): string {
    return this.#row(node).affiliations.find(one => one.jid === bare)?.affiliation ?? 'none'
  }

  affiliations(node: Node, range: Range, only?: readonly string[]): Listing<Affiliation> {
    const rows = this.#row(node).affiliations.filter(one => !only || only.includes(one.affiliation))
    return { rows: within(rows, range, one => one.key), count: rows.length }
  }

  affiliationsOf(bare: string, range: Range, node?: Node): Listing<EntityAffiliation> {
    const rows = this.#rows
      .filter(row => !node || row.node.key === node.key)
      .flatMap(row => row.affiliations.map(one => ({ ...one, node: row.node.name })))
      .filter(one => one.jid === bare)
      .sort((a, b) => a.key - b.key)
      .map(({ key, node, affiliation }) => ({ key, node, affiliation }))
    return { rows: within(rows, range, one => one.key), count: rows.length }
  }

  setAffiliation(node: Node, bare: string, affiliation: string): void {
    const row = this.#row(node)
    const index = row.affiliations.findIndex(one => one.jid === bare)
    const key = row.affiliations[index]?.key ?? ++this.#keys
    if (affiliation === 'none') row.affiliations.splice(index, index < 0 ? 0 : 1)
    else if (index < 0) row.affiliations.push({ key, jid: bare, affiliation })
    else row.affiliations[index] = { key, jid: bare, affiliation }
  }

  subscriptions(node: Node, bare: string): readonly Subscription[] {
    return this.#row(node).subscriptions.filter(one => bareOf(one.jid) === bare)
  }

  subscriptionsTo(node: Node, range: Range, states: readonly SubscriptionState[]): Listing<NodeSubscription> {
    const rows = this.#row(node)
      .subscriptions.filter(one => states.includes(one.state))
      .map(one => ({ ...one, affiliation: this.affiliation(node, bareOf(one.jid)) }))
    return { rows: within(rows, range, one => one.key), count: rows.length }
  }

  subscriptionsOf(bare: string, range: Range, node?: Node): Listing<EntitySubscription> {
    const rows = this.#rows
      .filter(row => !node || row.node.key === node.key)
      .flatMap(row => row.subscriptions.map(one => ({ ...one, node: row.node.name })))
      .filter(one => bareOf(one.jid) === bare)
      .sort((a, b) => a.key - b.key)
    return { rows: within(rows, range, one => one.key), count: rows.length }
  }

  subscribers(node: Node, states: readonly SubscriptionState[]): readonly string[] {
    const jids = this.#row(node).subscriptions.filter(one => states.includes(one.state))
    return [...new Set(jids.map(one => one.jid))]
  }

  audience(node: Node): Audience {
    return audienceOf(
      this.#row(node).subscriptions.filter(one => one.state === 'subscribed'),
      this.subIds
    )
  }

  countSubscriptionsOf(bare: string, limit: number): number {
    return this.subscriptionsOf(bare, { limit }).rows.length
  }

  countSubscribers(node: Node): number {
    return this.#row(node).subscriptions.filter(one => one.state === 'subscribed').length
  }

  addSubscription(node: Node, jid: string, state: SubscriptionState, terms: Terms = {}): Subscription {
    const subscription = { key: ++this.#keys, jid, state, ...terms }
    this.#row(node).subscriptions.push(subscription)
    return { ...subscription }
  }

  setTerms(node: Node, subscription: Subscription, terms: Terms): void {
    const { subscriptions } = this.#row(node)
    const index = subscriptions.findIndex(one => one.key === subscription.key)
    const { key, jid, state } = subscriptions[index] as Subscription
    subscriptions[index] = { key, jid, state, ...terms }
  }

  /** Subscriptions whose time has come, and their nodes. */
  due(now: number): { node: string; jid: string; key: number }[] {
    return this.#rows.flatMap(({ node, subscriptions }) =>
      subscriptions
        .filter(({ due }) => due !== undefined && due <= now)
        .map(({ jid, key }) => ({ node: node.name, jid, key }))
    )
  }

  /** Nodes whose oldest item ends. */
  dueNodes(now: number): string[] {
    const due = this.#rows.filter(({ node }) => node.dueAt !== undefined && node.dueAt <= now)
    return due.map(({ node }) => node.name)
  }

  setSubscription(node: Node, subscription: Subscription, state: SubscriptionState): void {
    const { subscriptions } = this.#row(node)
    const index = subscriptions.findIndex(one => one.key === subscription.key)
    subscriptions[index] = { ...(subscriptions[index] as Subscription), state }
  }

  removeSubscription(node: Node, subscription: Subscription): void {
    const row = this.#row(node)
    row.subscriptions = row.subscriptions.filter(one => one.key !== subscription.key)
  }

  item(node: Node, id: string): Item<X> | undefined {
    return this.#row(node).items.find(one => one.id === id)
  }

  items(node: Node, range: Range, order?: ItemOrder): readonly Item<X>[] {
    return within(this.#ordered(node, order), range, one => (order === 'creation' ? bornOf(one) : one.seq))
  }

  countItems(node: Node, range: Range, order?: ItemOrder): number {
    return this.items(node, range, order).length
  }

  itemAt(node: Node, place: number, newest: boolean, order?: ItemOrder): Item<X> | undefined {
    return this.#ordered(node, order).at(newest ? -1 - place : place)
  }

  #ordered(node: Node, order: ItemOrder | undefined): readonly Item<X>[] {
    const { items } = this.#row(node)
    return order === 'creation' ? [...items].sort((a, b) => bornOf(a) - bornOf(b)) : items
  }

  putItem(node: Node, draft: ItemDraft<X>, previous: Item<X> | undefined): Item<X> {
    const { items } = this.#row(node)
    const at = items.findIndex(one => one.id === draft.id)
    if (at < 0 !== (previous === undefined)) throw new Error('the engine is wrong about what is overwritten')
    if (at >= 0) items.splice(at, 1)
    const seq = ++this.#keys
    const item = { ...draft, seq, born: previous?.born ?? seq }
    items.push(item)
    return item
  }

  removeItem(node: Node, item: Item<X>): void {
    const row = this.#row(node)
    row.items = row.items.filter(one => one.seq !== item.seq)
  }

  removeOldest(node: Node, number: number): readonly string[] {
    return this.#row(node)
      .items.splice(0, number)
      .map(one => one.id)
  }

  removeAllItems(node: Node): void {
    this.#row(node).items = []
  }

  setDue(node: Node, at: number | undefined): void {
    const row = this.#row(node)
    const { dueAt: _, ...rest } = row.node
    row.node = at === undefined ? rest : { ...rest, dueAt: at }
  }

  #row(node: Node): Row<X> {
    const row = this.#rows.find(one => one.node.key === node.key)
    if (!row) throw new Error(`there is no node ${node.name}`)
    return row
  }
}

function toNode<X>(row: Row<X>): Node {
  return { ...row.node, itemCount: row.items.length }
}

function bornOf<X>(item: Item<X>): number {
  return item.born ?? item.seq
}

function within<T>(rows: readonly T[], range: Range, key: (row: T) => number): T[] {
  const { after = -Infinity, before = Infinity, limit, newest } = range
  const found = rows.filter(row => key(row) > after && key(row) < before)
  return newest ? found.slice(Math.max(0, found.length - limit)) : found.slice(0, limit)
}
