import { randomUUID } from 'node:crypto'
import { STANDARD_ACCESS, type AccessModels } from './access'
import {
  initialConfig,
  standardFields,
  type ConfigChanges,
  type ConfigField,
  type NodeConfig
} from './config'
import type { OptionsDefinition } from './options'
import { PUBSUB_ROLES, type RoleTable } from './roles'
import type { Actor, Awaitable, Item, ItemDraft, Node, ReadStore, Store, Subscription } from './store'

/** Bounds of a service. */
export interface Limits {
  /** Items kept by a node, at most; what `max` means in max_items. */
  maxItems: number
  /** Bytes of a payload, at most. */
  payload: number
  /** Bytes of UTF-8 of a node's name; §4.6.1 makes it a resource, which has 1023. */
  nodeName: number
  /** Bytes of UTF-8 of an item's id. */
  itemId: number
  /** Entries in a page, of items or of a list, at most; also how many are given when nothing is said. */
  page: number
  /** Bytes of payload in a page of items: it ends earlier, but never without an item. */
  pageBytes: number
  /** How far the engine counts to tell the place of a page; further on it is left out (XEP-0059 §2.2). */
  scan: number
  /** Entries in a request that changes several affiliations or subscriptions, or names several items. */
  batch: number
  /** Subscriptions of an entity on the service (§6.1.3.9). */
  subscriptions: number
  /** Subscriptions of one address to one node, where there may be several (§6.1.6). */
  perAddress: number
  /** Owners who are asked to approve a subscription. */
  approvers: number
}

/** What a hook sees of the request. */
export interface HookContext<N extends Node, X> {
  store: Store<N, X>
  node: N
  actor: Actor
  /** The actor's with this node. */
  affiliation: string
  now: number
}

/**
 * Where a service differs. A hook that throws refuses the request, and nothing has been done yet, except in
 * those named `published`, `retracted`, `subscribed` and `unsubscribed`, whose throwing must fail the write unit.
 */
export interface Hooks<N extends Node = Node, X = unknown> {
  /** The canonical name for one in a request: aliases of nodes. */
  nodeName?(name: string): string
  /** May this actor create a node of that name? The engine has checked that it is well-formed. */
  mayCreate?(actor: Actor, name: string, store: Store<N, X>): Awaitable<void>
  /** The configuration of a new node, before it is stored: what the server sets. */
  newConfig?(config: NodeConfig, actor: Actor, name: string): Awaitable<NodeConfig>
  /** Looks at, and may complete, a changed configuration before it is stored. */
  changedConfig?(config: NodeConfig, before: NodeConfig, context: HookContext<N, X>): Awaitable<NodeConfig>
  /** `true` and `false` decide over publishing to this node, whatever role and publish model say. */
  mayPublish?(actor: Actor, node: N, affiliation: string): Awaitable<boolean | undefined>
  /** The id under which a new publication is kept, from the one given. Default: that one, or a random one. */
  itemId?(given: string | undefined, node: N): string
  /** The id in the store for one that a request names (items, retract, RSM). Throws where it cannot be one. */
  namedItem?(id: string, node: N): string
  /** Checks and completes what is published; may fill `extra`. `previous` is what it overwrites. */
  complete?(
    draft: ItemDraft<X>,
    previous: Item<X> | undefined,
    context: HookContext<N, X>
  ): Awaitable<ItemDraft<X>>
  /** The item is stored; still inside the write unit. */
  published?(item: Item<X>, previous: Item<X> | undefined, context: HookContext<N, X>): Awaitable<void>
  /** Other items that go with those that are retracted, for which no right is asked. */
  alsoRetracted?(items: readonly Item<X>[], context: HookContext<N, X>): Awaitable<readonly Item<X>[]>
  /** The items are removed; still inside the write unit. */
  retracted?(items: readonly Item<X>[], context: HookContext<N, X>): Awaitable<void>
  /** The affiliation that comes with a subscription which became effective. Default: it stays. */
  subscriberAffiliation?(jid: string, affiliation: string, node: N): string
  /** The affiliation after the last subscription of an entity has ended. Default: it stays. Throws to forbid. */
  leaverAffiliation?(jid: string, affiliation: string, node: N, store: ReadStore<N, X>): Awaitable<string>
  subscribed?(subscription: Subscription, context: HookContext<N, X>): Awaitable<void>
  unsubscribed?(subscription: Subscription, context: HookContext<N, X>): Awaitable<void>
}

/** What a service knows of presence. */
export interface PresenceDefinition {
  /** Whether the address (a bare one: any of its resources) is available, as far as the service knows. */
  isAvailable(jid: string): boolean
}

/** A pubsub service: everything in which one differs from another. */
export interface Definition<N extends Node = Node, X = unknown> {
  roles: RoleTable
  access: AccessModels
  fields: readonly ConfigField[]
  /** The configuration of a new node. */
  defaults: NodeConfig
  limits: Limits
  /** Whether a node without a name is given one (§8.1.1). */
  instantNodes: boolean
  /** Whether the creator of a node is subscribed to it (§12.12). */
  subscribeCreator: boolean
  /** Whether people are told of changes of their affiliation (§8.9.4). */
  notifyAffiliations: boolean
  /** What subscribers may choose (§6.3); absent: nothing. */
  options: OptionsDefinition | undefined
  /** How the service knows who is available (§12.6, §6.1.7); absent: it does not. */
  presence: PresenceDefinition | undefined
  /** Whether an address may subscribe to a node several times, each with its SubID (§6.1.6). */
  multiSubscribe: boolean
  /** Whether publishing to a node that is not there creates it (§7.1.4). */
  autoCreate: boolean
  /** Whether the store lists items by creation too (XEP-0413). */
  orderItems: boolean
  hooks: Hooks<N, X>
  /** Milliseconds UTC. */
  now(): number
  /** An identifier that nobody can guess and that is never given twice. */
  newId(): string
}

export const LIMITS: Limits = {
  maxItems: 10_000,
  payload: 65_536,
  nodeName: 1023,
  itemId: 1023,
  page: 250,
  pageBytes: 262_144,
  scan: 10_000,
  batch: 100,
  subscriptions: 10_000,
  perAddress: 10,
  approvers: 50
}

export interface DefinitionOptions<N extends Node, X> extends Partial<
  Omit<Definition<N, X>, 'limits' | 'defaults'>
> {
  limits?: Partial<Limits>
  /** Values of new nodes other than the fields' own. */
  defaults?: ConfigChanges
}

/** A definition from what differs; the rest is that of a plain pubsub service. */
export function defineService<N extends Node = Node, X = unknown>(
  options: DefinitionOptions<N, X> = {}
): Definition<N, X> {
  const limits = { ...LIMITS, ...options.limits }
  const access = options.access ?? STANDARD_ACCESS
  const fields =
    options.fields ??
    standardFields({
      access,
      maxItems: limits.maxItems,
      maxPayload: limits.payload,
      // §12.5: only where somebody knows who is there
      tempsub: options.options?.isPresent !== undefined,
      presence: options.presence !== undefined
    })
  return {
    roles: PUBSUB_ROLES,
    instantNodes: true,
    subscribeCreator: false,
    notifyAffiliations: true,
    options: undefined,
    presence: undefined,
    multiSubscribe: false,
    autoCreate: false,
    orderItems: false,
    hooks: {},
    now: Date.now,
    newId: randomUUID,
    ...options,
    access,
    fields,
    limits,
    defaults: initialConfig(fields, options.defaults)
  }
}
