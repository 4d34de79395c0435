import type { NodeConfig } from './config'

/** Given at once or later: a store on a synchronous driver need not make promises. */
export type Awaitable<T> = T | Promise<T>

/** Who asks. JIDs are canonical strings (RFC 7622). */
export interface Actor {
  /** The sender's address, with resource where there is one. */
  jid: string
  /** The same without resource: what affiliations and authorship go by (XEP-0060 §4.1). */
  bare: string
  /** An operator of the service: has the rights of an owner on each node, and may speak for others. */
  admin?: boolean
}

/** A node as the store gives it. A store may add columns of its own (a channel, a host). */
export interface Node {
  /** The store's integer for it; lists of nodes are ordered by it. */
  readonly key: number
  readonly name: string
  /** Bare JID; '' where nobody knows any more. */
  readonly creator: string
  /** Milliseconds UTC. */
  readonly createdAt: number
  /** Every field of the service's table has its value (see `completeConfig`). */
  readonly config: NodeConfig
  /** Number of items kept. A counter: reading it costs nothing, at whatever size. */
  readonly itemCount: number
  /** Milliseconds UTC at which its oldest item ends (`pubsub#item_expire`), where the store was told. */
  readonly dueAt?: number
}

export interface NewNode {
  name: string
  creator: string
  createdAt: number
  config: NodeConfig
}

/** What is written of an item. `X`: columns that a service adds, made by its hook `complete`. */
export interface ItemDraft<X = unknown> {
  id: string
  /** Bare JID of who published it last (XEP-0060 §7.1.2.3); '' where nobody knows any more. */
  publisher: string
  /** Serialised XML of the payload, its namespace declared; `undefined` where there is none. */
  payload: string | undefined
  /** Milliseconds UTC of the first publication; kept when the item is overwritten. */
  createdAt: number
  /** Milliseconds UTC of the last publication. */
  updatedAt: number
  extra?: X
}

export interface Item<X = unknown> extends ItemDraft<X> {
  /** Order of publication: grows with each write to the node, so an overwritten item is the newest (§12.1). */
  readonly seq: number
  /** Order of creation: stays when the item is overwritten. For services that offer XEP-0413. */
  readonly born?: number
}

/** XEP-0413: the date that a list of items is ordered by. */
export type ItemOrder = 'creation' | 'modification'

/** XEP-0060 §4.2 without `none`: what is none is not stored. */
export type SubscriptionState = 'subscribed' | 'pending' | 'unconfigured'

/** What a subscriber has chosen (§16.4.2). */
export interface SubscriptionOptions {
  /** Whether events are sent. */
  readonly deliver: boolean
  /** Whether events of items have a body where the payload has a text (§12.8). */
  readonly include_body: boolean
  /** When it ends: milliseconds UTC (§12.19), or when the address is no longer available (§12.5). */
  readonly expire: number | 'presence' | 'never'
}

/** What goes with a subscription. */
export interface Terms {
  /** Absent: as the service has it by default. */
  readonly options?: SubscriptionOptions | undefined
  /** Milliseconds UTC at which the engine wants to look at it again (`lapse`). */
  readonly due?: number | undefined
}

export interface Subscription {
  /** The store's integer for it; lists are ordered by it. Where there are SubIDs it is what they are made of. */
  readonly key: number
  /** The address that was subscribed, bare or full: notifications go there (§12.3). */
  readonly jid: string
  readonly state: SubscriptionState
  /** Absent: as the service has it by default. */
  readonly options?: SubscriptionOptions | undefined
}

/** Somebody who is told of events in another way than most. */
export interface Recipient {
  readonly jid: string
  /** Of all their subscriptions, where they have more than one (§7.1.2.4). */
  readonly subIds: readonly string[]
  readonly body: boolean
}

/** Who is told of events: each address once (§6.1.6), without those that want none. */
export interface Audience {
  readonly plain: readonly string[]
  readonly special: readonly Recipient[]
}

/** A row in the list of a node's subscriptions. */
export interface NodeSubscription extends Subscription {
  /** Of the subscriber's bare JID with this node. */
  readonly affiliation: string
}

/** A row in the list of an entity's subscriptions. */
export interface EntitySubscription extends Subscription {
  readonly node: string
}

export interface Affiliation {
  readonly key: number
  /** Bare JID. */
  readonly jid: string
  readonly affiliation: string
}

export interface EntityAffiliation {
  readonly key: number
  readonly node: string
  readonly affiliation: string
}

/** Rows with `after` < key < `before`, at most `limit`; the first ones, or with `newest` the last ones. */
export interface Range {
  after?: number
  before?: number
  limit: number
  newest?: boolean
}

/** Rows in ascending order, whatever end of the range they are from. */
export interface Listing<T> {
  rows: readonly T[]
  /** Number of all rows without the range; left out where it would cost more than the page. */
  count?: number
}

/** What can be asked of the store. All of it concerns one host. */
export interface ReadStore<N extends Node = Node, X = unknown> {
  node(name: string): Awaitable<N | undefined>
  /** Where a deleted node has moved to (§8.4.1), as long as no node has that name again. */
  redirectOf(name: string): Awaitable<string | undefined>
  /** Nodes by key. */
  nodes(range: Range): Awaitable<Listing<N>>

  /** `none` where there is no row. */
  affiliation(node: N, bare: string): Awaitable<string>
  /** All but `none`, by key; only those named, where some are. */
  affiliations(node: N, range: Range, only?: readonly string[]): Awaitable<Listing<Affiliation>>
  /** The entity's, on all nodes or on one, by key. */
  affiliationsOf(bare: string, range: Range, node?: N): Awaitable<Listing<EntityAffiliation>>

  /** The entity's with this node: of its bare JID and of its resources. */
  subscriptions(node: N, bare: string): Awaitable<readonly Subscription[]>
  /** The node's in these states, by key, each with the affiliation. */
  subscriptionsTo(
    node: N,
    range: Range,
    states: readonly SubscriptionState[]
  ): Awaitable<Listing<NodeSubscription>>
  /** The entity's, on all nodes or on one, by key. */
  subscriptionsOf(bare: string, range: Range, node?: N): Awaitable<Listing<EntitySubscription>>
  /** The addresses of all in these states, each once. The list for a fan-out: not changed by the engine. */
  subscribers(node: N, states: readonly SubscriptionState[]): Awaitable<readonly string[]>
  /**
   * Of those who are subscribed: who is told how (`audienceOf` makes it of rows). For services that have
   * subscription options or SubIDs; the others are asked for `subscribers`.
   */
  audience?(node: N): Awaitable<Audience>
  /** Number of subscriptions of an entity on the host, counted no further than `limit`. */
  countSubscriptionsOf(bare: string, limit: number): Awaitable<number>
  /** Number of those subscribed to the node. */
  countSubscribers(node: N): Awaitable<number>

  item(node: N, id: string): Awaitable<Item<X> | undefined>
  /** By seq; with `creation` by `born`, and so are the two others. */
  items(node: N, range: Range, order?: ItemOrder): Awaitable<readonly Item<X>[]>
  /** Number of items in the range, counted no further than its `limit`. */
  countItems(node: N, range: Range, order?: ItemOrder): Awaitable<number>
  /** The item at that place: 0 is the oldest, or with `newest` the newest. */
  itemAt(node: N, place: number, newest: boolean, order?: ItemOrder): Awaitable<Item<X> | undefined>
}

/**
 * The store within one write unit: what is written is there for all later calls, and is gone as a whole when
 * the unit fails.
 */
export interface Store<N extends Node = Node, X = unknown> extends ReadStore<N, X> {
  /** As `node`, and no other unit changes the node or what hangs on it before this one ends. */
  lockNode(name: string): Awaitable<N | undefined>
  /** `undefined` where the name is taken. Forgets a redirect of that name. */
  createNode(node: NewNode): Awaitable<N | undefined>
  setConfig(node: N, config: NodeConfig): Awaitable<void>
  /** With items, affiliations and subscriptions; remembers the redirect. */
  deleteNode(node: N, redirect?: string): Awaitable<void>

  /** `none` removes the row. */
  setAffiliation(node: N, bare: string, affiliation: string): Awaitable<void>

  addSubscription(node: N, jid: string, state: SubscriptionState, terms?: Terms): Awaitable<Subscription>
  setSubscription(node: N, subscription: Subscription, state: SubscriptionState): Awaitable<void>
  /** For services that have subscription options. */
  setTerms?(node: N, subscription: Subscription, terms: Terms): Awaitable<void>
  removeSubscription(node: N, subscription: Subscription): Awaitable<void>

  /** Inserts, or overwrites `previous` (same id); either way the item becomes the newest. Keeps `itemCount`. */
  putItem(node: N, draft: ItemDraft<X>, previous: Item<X> | undefined): Awaitable<Item<X>>
  removeItem(node: N, item: Item<X>): Awaitable<void>
  /** Removes the `number` oldest and tells their ids, oldest first. */
  removeOldest(node: N, number: number): Awaitable<readonly string[]>
  removeAllItems(node: N): Awaitable<void>
  /** When the node's oldest item ends. For services that have `pubsub#item_expire`. */
  setDue?(node: N, at: number | undefined): Awaitable<void>
}
