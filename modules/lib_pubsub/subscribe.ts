import { toManageSubscriptions, toSubscribe } from './authorize'
import type { Definition } from './definition'
import { PubsubError } from './errors'
import type { Notification, Outcome } from './events'
import { eventItem } from './publish'
import { bareOf, enterToWrite, hookContext, tell, type WriteScope } from './scope'
import type { Actor, Node, Store, Subscription, SubscriptionState } from './store'

/** §6.1, §6.2. `jid` is the address to be subscribed, bare or full. */
export interface SubscribeRequest {
  node: string
  jid: string
}

export interface SubscribeResult {
  node: string
  jid: string
  state: SubscriptionState | 'none'
  /** The subscriber's affiliation afterwards. */
  affiliation: string
}

/** §6.1: subscribes, asks the owners, or gives the state that is already there. */
export async function subscribe<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: SubscribeRequest
): Promise<Outcome<SubscribeResult>> {
  // §6.1.3.1
  const bare = bareOf(request.jid)
  if (bare !== actor.bare && !actor.admin) throw new PubsubError('invalidJid')
  const scope = await enterToWrite(
    def,
    store,
    bare === actor.bare ? actor : { jid: request.jid, bare },
    request.node
  )
  const { node } = scope
  const own = await store.subscriptions(node, bare)
  const state = await toSubscribe(scope, own)
  const existing = own.find(one => one.jid === request.jid)
  const result = { node: node.name, jid: request.jid, affiliation: scope.affiliation }
  if (existing) return { result: { ...result, state: existing.state }, notifications: [] } // §6.1.6
  const { subscriptions } = def.limits
  if ((await store.countSubscriptionsOf(bare, subscriptions)) >= subscriptions) {
    throw new PubsubError('tooManySubscriptions') // §6.1.3.9
  }
  const subscription = await store.addSubscription(node, request.jid, state)
  const notifications: Notification[] = []
  if (state === 'pending') {
    await def.hooks.subscribed?.(subscription, hookContext(scope, def.now()))
    tell(notifications, node, await approvers(scope), { kind: 'approval', jid: request.jid }) // §8.6
    return { result: { ...result, state }, notifications }
  }
  const affiliation = await takeEffect(scope, subscription, scope.affiliation, notifications)
  return { result: { ...result, state, affiliation }, notifications }
}

/** §6.2 */
export async function unsubscribe<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: SubscribeRequest
): Promise<Outcome<SubscribeResult>> {
  // §6.2.3.3
  const bare = bareOf(request.jid)
  if (bare !== actor.bare && !actor.admin) throw new PubsubError('forbidden')
  const scope = await enterToWrite(
    def,
    store,
    bare === actor.bare ? actor : { jid: request.jid, bare },
    request.node
  )
  const { node } = scope
  const own = await store.subscriptions(node, bare)
  const subscription = own.find(one => one.jid === request.jid)
  if (subscription === undefined) throw new PubsubError('notSubscribed') // §6.2.3.2
  const notifications: Notification[] = []
  const affiliation = await end(scope, subscription, scope.affiliation, own.length === 1, notifications)
  return { result: { node: node.name, jid: request.jid, state: 'none', affiliation }, notifications }
}

/** §8.6: what an owner says to a request. Nothing happens where it is no longer pending: the first answer counts. */
export async function decide<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: SubscribeRequest & { allow: boolean }
): Promise<Outcome<SubscribeResult>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  toManageSubscriptions(scope)
  const { node } = scope
  const bare = bareOf(request.jid)
  const affiliation = await store.affiliation(node, bare)
  const own = await store.subscriptions(node, bare)
  const subscription = own.find(one => one.jid === request.jid)
  const result = { node: node.name, jid: request.jid, affiliation }
  if (subscription?.state !== 'pending') {
    return { result: { ...result, state: subscription?.state ?? 'none' }, notifications: [] }
  }
  const notifications: Notification[] = []
  if (!request.allow) {
    const left = await end(scope, subscription, affiliation, own.length === 1, notifications)
    return { result: { ...result, state: 'none', affiliation: left }, notifications }
  }
  const now = await approve(scope, subscription, affiliation, notifications)
  return { result: { ...result, state: 'subscribed', affiliation: now }, notifications }
}

/** A pending subscription becomes effective, and the subscriber is told. */
export async function approve<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription,
  affiliation: string,
  notifications: Notification[]
): Promise<string> {
  const { store, node } = scope
  await store.setSubscription(node, subscription, 'subscribed')
  const { jid } = subscription
  tell(notifications, node, [jid], { kind: 'subscription', jid, state: 'subscribed' }) // §12.14
  return await takeEffect(scope, { ...subscription, state: 'subscribed' }, affiliation, notifications)
}

/** What follows when somebody is subscribed from now on. Gives the affiliation they have then. */
export async function takeEffect<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription,
  affiliation: string,
  notifications: Notification[]
): Promise<string> {
  const { def, store, node } = scope
  const { jid } = subscription
  const granted = def.hooks.subscriberAffiliation?.(jid, affiliation, node) ?? affiliation
  if (granted !== affiliation) await store.setAffiliation(node, bareOf(jid), granted)
  await def.hooks.subscribed?.(subscription, hookContext(scope, def.now()))
  await tellOwners(scope, jid, 'subscribed', notifications)
  const { send_last_published_item, persist_items } = node.config
  if (send_last_published_item === 'on_sub' && persist_items && node.itemCount > 0) {
    const last = await store.itemAt(node, 0, true)
    const event = last && { item: eventItem(node.config, last), delayed: last.updatedAt }
    if (event) tell(notifications, node, [jid], { kind: 'items', ...event }) // §6.1.7
  }
  return granted
}

/**
 * A subscription ends, and the (former or denied) subscriber is told.
 * @param last whether the entity has no other with this node
 * @returns the affiliation afterwards
 */
export async function end<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription,
  affiliation: string,
  last: boolean,
  notifications: Notification[]
): Promise<string> {
  const { def, store, node } = scope
  const { jid, state } = subscription
  const left = last
    ? ((await def.hooks.leaverAffiliation?.(jid, affiliation, node, store)) ?? affiliation)
    : affiliation
  await store.removeSubscription(node, subscription)
  if (left !== affiliation) await store.setAffiliation(node, bareOf(jid), left)
  await def.hooks.unsubscribed?.(subscription, hookContext(scope, def.now()))
  tell(notifications, node, [jid], { kind: 'subscription', jid, state: 'none' }) // §12.14
  if (state !== 'pending') await tellOwners(scope, jid, 'none', notifications)
  return left
}

/** `pubsub#notify_sub`: owners hear of new and lost subscribers. */
async function tellOwners<N extends Node, X>(
  scope: WriteScope<N, X>,
  jid: string,
  state: 'subscribed' | 'none',
  notifications: Notification[]
): Promise<void> {
  if (!scope.node.config.notify_sub) return
  tell(notifications, scope.node, await owners(scope), { kind: 'subscription', jid, state })
}

async function owners<N extends Node, X>({ def, store, node }: WriteScope<N, X>): Promise<readonly string[]> {
  const { rows } = await store.affiliations(node, { limit: def.limits.approvers }, [def.roles.owner])
  return rows.map(row => row.jid)
}

/** Those who may approve (§12.13: the first answer wins). */
async function approvers<N extends Node, X>({
  def,
  store,
  node
}: WriteScope<N, X>): Promise<readonly string[]> {
  const { roles } = def.roles
  const managing = Object.keys(roles).filter(name => roles[name]?.manageSubscriptions)
  const { rows } = await store.affiliations(node, { limit: def.limits.approvers }, managing)
  return rows.map(row => row.jid)
}
