import { toManageSubscriptions, toSubscribe } from './authorize'
import type { ConfigChanges } from './config'
import type { Definition } from './definition'
import { PubsubError } from './errors'
import { eventItem, type Notification, type Outcome } from './events'
import { isAwake } from './gate'
import { agree, approvedTerms } from './options'
import { bareOf, enter, enterToWrite, hookContext, tell, type Scope, type WriteScope } from './scope'
import type {
  Actor,
  Node,
  ReadStore,
  Store,
  Subscription,
  SubscriptionOptions,
  SubscriptionState,
  Terms
} from './store'
import { pick, subIdOf } from './subids'

/** §6.1, §6.2. `jid` is the address to be subscribed, bare or full. */
export interface SubscribeRequest {
  node: string
  jid: string
  /** Which of several subscriptions (§6.2.1). */
  subId?: string
  /** Subscribe and configure (§6.3.7). */
  options?: ConfigChanges
}

export interface SubscribeResult {
  node: string
  jid: string
  state: SubscriptionState | 'none'
  /** The subscriber's affiliation afterwards. */
  affiliation: string
  /** Where the service has SubIDs. */
  subId?: string | undefined
  /** What the subscriber has chosen, where that was part of the request (§6.3.7). */
  options?: SubscriptionOptions | undefined
  /** Whether the node's payloads have a text (§12.8). */
  payloadType: string
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
  const admitted = await toSubscribe(scope, own)
  const existing = own.find(one => one.jid === request.jid)
  if (existing && !def.multiSubscribe) return await again(scope, existing, request) // §6.1.6
  await checkNumber(scope, own, request.jid)
  const terms = await agree(scope, request.jid, undefined, request.options)
  // §6.1.5
  const state = terms === undefined && admitted === 'subscribed' ? 'unconfigured' : admitted
  const waits = state === 'unconfigured' ? waiting(def) : {}
  const subscription = await store.addSubscription(node, request.jid, state, terms ?? waits)
  const notifications: Notification[] = []
  let { affiliation } = scope
  if (state === 'pending') {
    await def.hooks.subscribed?.(subscription, hookContext(scope, def.now()))
    const subId = subIdOf(def, subscription)
    tell(notifications, node, await approvers(scope), { kind: 'approval', jid: request.jid, subId }) // §8.6
  } else if (state === 'subscribed') {
    affiliation = await takeEffect(scope, subscription, affiliation, notifications)
  }
  const result = { ...resultOf(scope, subscription, state, affiliation), options: terms?.options }
  return { result, notifications }
}

/** Whoever is subscribed and asks again is told so; what they choose anew counts. */
export async function again<N extends Node, X>(
  scope: WriteScope<N, X>,
  existing: Subscription,
  { options }: Pick<SubscribeRequest, 'options'>
): Promise<Outcome<SubscribeResult>> {
  if (options === undefined) {
    return { result: resultOf(scope, existing, existing.state, scope.affiliation), notifications: [] }
  }
  return await choose(scope, existing, options)
}

/** The subscriber's choice takes the place of the one before; one that was waited for makes the subscription effective. */
export async function choose<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription,
  changes: ConfigChanges
): Promise<Outcome<SubscribeResult>> {
  const { store, node } = scope
  const terms = (await agree(scope, subscription.jid, subscription.options, changes)) ?? {}
  await store.setTerms?.(node, subscription, terms)
  const notifications: Notification[] = []
  let { affiliation } = scope
  let { state } = subscription
  if (state === 'unconfigured') {
    state = 'subscribed'
    await store.setSubscription(node, subscription, state)
    const effective: Subscription = { ...subscription, state, options: terms.options }
    affiliation = await takeEffect(scope, effective, affiliation, notifications)
  }
  const result = { ...resultOf(scope, subscription, state, affiliation), options: terms.options }
  return { result, notifications }
}

/** §6.1.5: a subscription without the options that it needs waits for them, but not for ever. */
function waiting<N extends Node, X>(def: Definition<N, X>): Terms {
  return def.options ? { due: def.now() + def.options.patience } : {}
}

/** §6.1.3.9 */
async function checkNumber<N extends Node, X>(
  { def, store }: WriteScope<N, X>,
  own: readonly Subscription[],
  jid: string
): Promise<void> {
  const { subscriptions, perAddress } = def.limits
  const many = own.filter(one => one.jid === jid).length >= perAddress
  if (many || (await store.countSubscriptionsOf(bareOf(jid), subscriptions)) >= subscriptions) {
    throw new PubsubError('tooManySubscriptions')
  }
}

function resultOf<N extends Node, X>(
  { def, node }: WriteScope<N, X>,
  subscription: Subscription,
  state: SubscriptionState | 'none',
  affiliation: string
): SubscribeResult {
  const subId = subIdOf(def, subscription)
  const { jid } = subscription
  return { node: node.name, jid, state, affiliation, payloadType: node.config.type, ...(subId && { subId }) }
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
  const subscription = pick(def, own, request, 'notSubscribed') // §6.2.3.2
  const notifications: Notification[] = []
  const affiliation = await end(scope, subscription, scope.affiliation, own.length === 1, notifications)
  return { result: resultOf(scope, subscription, 'none', affiliation), notifications }
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
  // the first answer counts: whoever is no longer there, or has been approved, is not asked about
  const pending = own.find(one => isMeant(def, one, request))
  if (pending?.state !== 'pending') {
    const none = { node: node.name, jid: request.jid, affiliation, payloadType: node.config.type }
    return { result: { ...none, state: pending?.state ?? 'none' }, notifications: [] }
  }
  const notifications: Notification[] = []
  if (!request.allow) {
    const left = await end(scope, pending, affiliation, own.length === 1, notifications)
    return { result: resultOf(scope, pending, 'none', left), notifications }
  }
  const now = await approve(scope, pending, affiliation, notifications)
  return { result: resultOf(scope, pending, 'subscribed', now), notifications }
}

/** A form may say which of several requests it is about; whoever has one pending has asked no further (§6.1.3.7). */
function isMeant<N extends Node, X>(
  def: Definition<N, X>,
  one: Subscription,
  { jid, subId }: SubscribeRequest
): boolean {
  if (one.jid !== jid) return false
  if (!def.multiSubscribe) return true
  return subId === undefined ? one.state === 'pending' : String(one.key) === subId
}

/** A pending subscription becomes effective, and the subscriber is told. */
export async function approve<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription,
  affiliation: string,
  notifications: Notification[]
): Promise<string> {
  const { def, store, node } = scope
  await store.setSubscription(node, subscription, 'subscribed')
  const terms = approvedTerms(def, subscription.options)
  if (terms) await store.setTerms?.(node, subscription, terms)
  const { jid } = subscription
  const subId = subIdOf(def, subscription)
  tell(notifications, node, [jid], { kind: 'subscription', jid, state: 'subscribed', subId }) // §12.14
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
  await tellOwners(scope, subscription, 'subscribed', notifications)
  await sendLast(scope, subscription, notifications)
  return granted
}

/** §6.1.7 */
async function sendLast<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription,
  notifications: Notification[]
): Promise<void> {
  const { def, node } = scope
  const { jid, options } = subscription
  if (node.config.send_last_published_item === 'never') return
  if ((options && !options.deliver) || !isAwake(def, node.config, jid)) return
  const subId = subIdOf(def, subscription)
  const how = { subIds: subId === undefined ? [] : [subId], body: options?.include_body === true }
  await tellLast(scope, jid, how, notifications)
}

/** The last item of a persistent node to one address, with the time at which it was published. */
export async function tellLast<N extends Node, X>(
  { store, node }: Scope<N, X, ReadStore<N, X>>,
  jid: string,
  { subIds, body }: { subIds: readonly string[]; body: boolean },
  notifications: Notification[]
): Promise<void> {
  if (!node.config.persist_items || node.itemCount === 0) return
  const last = await store.itemAt(node, 0, true)
  if (last === undefined) return
  const item = eventItem(node.config, last)
  const how = { ...(subIds.length > 0 && { subIds }), ...(body && { body }) }
  tell(notifications, node, [jid], { kind: 'items', item, delayed: last.updatedAt }, how)
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
  const subId = subIdOf(def, subscription)
  tell(notifications, node, [jid], { kind: 'subscription', jid, state: 'none', subId }) // §12.14
  if (state === 'subscribed') await tellOwners(scope, subscription, 'none', notifications)
  return left
}

/** `pubsub#notify_sub`: owners hear of new and lost subscribers. */
async function tellOwners<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription,
  state: 'subscribed' | 'none',
  notifications: Notification[]
): Promise<void> {
  const { def, node } = scope
  if (!node.config.notify_sub) return
  const subId = subIdOf(def, subscription)
  tell(notifications, node, await owners(scope), {
    kind: 'subscription',
    jid: subscription.jid,
    state,
    subId
  })
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

/**
 * §8.7.4: the requests that wait at a node, each asked about once more: of whoever asks to be asked. The oldest
 * ones, as many as fit in a page.
 */
export async function remind<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: { node: string }
): Promise<Outcome<{ node: string; pending: number }>> {
  const scope = await enter(def, store, actor, request.node)
  toManageSubscriptions(scope)
  const { node } = scope
  const { rows } = await store.subscriptionsTo(node, { limit: def.limits.page }, ['pending'])
  const notifications: Notification[] = []
  for (const row of rows) {
    const event = { kind: 'approval', jid: row.jid, subId: subIdOf(def, row) } as const
    tell(notifications, node, [actor.jid], event)
  }
  return { result: { node: node.name, pending: rows.length }, notifications }
}
