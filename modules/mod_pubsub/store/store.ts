import type { Tx } from '#core'
import type {
  Audience,
  Item,
  ItemDraft,
  Listing,
  NewNode,
  NodeConfig,
  Range,
  Store,
  Subscription,
  SubscriptionState,
  Terms
} from '../../lib_pubsub'
import { SqlReadStore, type PubsubNode } from './read-store'
import type { Tables } from './tables'

/** What a unit has changed of a node's counters and not written yet. */
interface Counters {
  items: number
  seq: number
  changed: boolean
}

/** The same within one write unit, and the writes. Whoever makes one calls `finish` when the unit's work is done. */
export class SqlStore extends SqlReadStore implements Store<PubsubNode> {
  readonly #tx: Tx
  /** By node, and what is not there is as the node was read. Written once, however many items come and go. */
  readonly #counters = new Map<number, Counters>()
  /** Nodes whose subscriptions this unit has changed. */
  readonly #changed = new Set<number>()

  constructor(tables: Tables, tx: Tx) {
    super(tables, tx)
    this.#tx = tx
  }

  /** Writes what has been put off. */
  async finish(): Promise<void> {
    for (const [node, counters] of this.#counters) {
      const { items, seq, changed } = counters
      if (!changed) continue
      counters.items = 0
      counters.changed = false
      await this.tables.nodes.countItems(this.#tx, node, items, seq)
    }
  }

  override async node(name: string): Promise<PubsubNode | undefined> {
    await this.finish()
    return super.node(name)
  }

  override async nodes(range: Range): Promise<Listing<PubsubNode>> {
    await this.finish()
    return super.nodes(range)
  }

  async lockNode(name: string): Promise<PubsubNode | undefined> {
    if (this.#counters.size > 0) await this.finish()
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
  override async audience(node: PubsubNode): Promise<Audience> {
    const { key, version } = node
    const { audiences } = this.tables
    const keeps = !this.#changed.has(key)
    const known = keeps ? audiences.get(key, version) : undefined
    if (known) return known
    const audience = await super.audience(node)
    // before that it could be another unit's that is undone
    if (keeps) this.#tx.afterCommit(() => audiences.keep(key, version, audience))
    return audience
  }

  async addSubscription(
    node: PubsubNode,
    jid: string,
    state: SubscriptionState,
    terms: Terms = {}
  ): Promise<Subscription> {
    const several = this.tables.subIds()
    const key = await this.tables.subscriptions.insert(this.#tx, node.key, { jid, state, terms, several })
    this.#await(terms.due)
    await this.#count(node, counts(state))
    return { key, jid, state, options: terms.options }
  }

  async setTerms(node: PubsubNode, subscription: Subscription, terms: Terms): Promise<void> {
    await this.tables.subscriptions.setTerms(this.#tx, subscription.key, terms)
    this.#await(terms.due)
    await this.#count(node, 0)
  }

  async setDue(node: PubsubNode, at: number | undefined): Promise<void> {
    await this.tables.nodes.setDue(this.#tx, node.key, at)
    this.#await(at)
  }

  /** Whoever sweeps is told after the commit. */
  #await(due: number | undefined): void {
    if (due !== undefined) this.#tx.afterCommit(() => this.tables.agenda.expect(due))
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
    const counters = this.#countersOf(node)
    const seq = ++counters.seq
    if (previous === undefined) counters.items++
    await this.tables.items.put(this.#tx, node.key, draft, seq, previous)
    return { ...draft, seq }
  }

  async removeItem(node: PubsubNode, item: Item): Promise<void> {
    this.#countersOf(node).items -= await this.tables.items.delete(this.#tx, node.key, item.seq)
  }

  async removeOldest(node: PubsubNode, number: number): Promise<readonly string[]> {
    const ids = await this.tables.items.deleteOldest(this.#tx, node.key, number)
    this.#countersOf(node).items -= ids.length
    return ids
  }

  async removeAllItems(node: PubsubNode): Promise<void> {
    this.#countersOf(node).items -= await this.tables.items.deleteAll(this.#tx, node.key)
  }

  #countersOf(node: PubsubNode): Counters {
    let counters = this.#counters.get(node.key)
    if (counters === undefined) {
      counters = { items: 0, seq: node.seq, changed: true }
      this.#counters.set(node.key, counters)
    }
    counters.changed = true
    return counters
  }
}

/** What a subscription adds to the number of subscribers. */
function counts(state: SubscriptionState): number {
  return state === 'subscribed' ? 1 : 0
}
