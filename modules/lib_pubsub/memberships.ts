import { JID } from '#core'
import { toChangeAffiliations, toListAffiliations, toManageSubscriptions } from './authorize'
import type { Definition } from './definition'
import { PubsubError, unsupported } from './errors'
import { isAdmitted } from './gate'
import type { Notification, Outcome } from './events'
import { pageByKey, type Page, type PageRequest } from './page'
import { reassessEntity } from './reassess'
import { hasRole, mayChange, roleOf } from './roles'
import { bareOf, enter, enterToWrite, tell, type WriteScope } from './scope'
import { addedTerms } from './options'
import { approve, end, takeEffect } from './subscribe'
import type {
  Actor,
  Affiliation,
  EntityAffiliation,
  EntitySubscription,
  Node,
  NodeSubscription,
  ReadStore,
  Store,
  Subscription,
  SubscriptionState,
  Terms
} from './store'
import { subIdOf } from './subids'

/** One's own, with all nodes or with one (§5.6, §5.7). */
export interface ListRequest {
  node?: string
  page?: PageRequest
}

/** A node's (§8.8.1, §8.9.1). */
export interface NodeListRequest {
  node: string
  page?: PageRequest
  /** Of subscriptions: those in these states. Default: subscribed and unconfigured (§8.8.1.2). */
  states?: readonly SubscriptionState[]
}

/** §5.6: of all addresses with the actor's bare JID. */
export async function subscriptionsOf<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: ListRequest
): Promise<Page<EntitySubscription>> {
  const node = request.node === undefined ? undefined : (await enter(def, store, actor, request.node)).node
  return await pageByKey(request.page, def.limits.page, range =>
    store.subscriptionsOf(actor.bare, range, node)
  )
}

/** §5.7: never `none`. */
export async function affiliationsOf<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: ListRequest
): Promise<Page<EntityAffiliation>> {
  const node = request.node === undefined ? undefined : (await enter(def, store, actor, request.node)).node
  return await pageByKey(request.page, def.limits.page, range =>
    store.affiliationsOf(actor.bare, range, node)
  )
}

/** §8.8.1 */
export async function subscriptionsTo<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: NodeListRequest
): Promise<Page<NodeSubscription> & { node: string }> {
  const scope = await enter(def, store, actor, request.node)
  toManageSubscriptions(scope)
  const { node } = scope
  const states = request.states ?? ['subscribed', 'unconfigured']
  const page = await pageByKey(request.page, def.limits.page, range =>
    store.subscriptionsTo(node, range, states)
  )
  return { node: node.name, ...page }
}

/** §8.9.1 */
export async function affiliations<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: NodeListRequest
): Promise<Page<Affiliation> & { node: string }> {
  const scope = await enter(def, store, actor, request.node)
  const only = await toListAffiliations(scope)
  const { node } = scope
  const page = await pageByKey(request.page, def.limits.page, range => store.affiliations(node, range, only))
  return { node: node.name, ...page }
}

export interface AffiliationChange {
  /** What is no address, or none that can have an affiliation, is rejected. */
  jid: string
  /** Absent: stays as it is (§8.9.2.1). */
  affiliation?: string
}

export interface SubscriptionChange {
  /** What is no address is rejected. */
  jid: string
  /** Which of several subscriptions (§8.8.2.4). */
  subId?: string
  /** Absent: stays as it is (§8.8.2.1). */
  state?: string
}

export interface ChangeRequest<T> {
  node: string
  /** What is to be changed, not the whole list. */
  changes: readonly T[]
}

/**
 * What came of several changes: those that were made are made. Where `rejected` is not empty the request is
 * answered with `not-acceptable` and these entries, with their values as they are (§8.8.2.4, §8.9.2.4); the
 * write unit is committed all the same.
 */
export interface Changed<T> {
  node: string
  applied: readonly T[]
  rejected: readonly T[]
}

/** §8.9.2 */
export async function changeAffiliations<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: ChangeRequest<AffiliationChange>
): Promise<Outcome<Changed<{ jid: string; affiliation: string }>>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  const { node } = scope
  toChangeAffiliations(scope)
  checkBatch(
    scope,
    request.changes.map(change => bareOf(change.jid))
  )
  for (const { affiliation } of request.changes) {
    if (affiliation !== undefined && !hasRole(def.roles, affiliation)) {
      throw unsupported(`${affiliation}-affiliation`) // §8.9.2.3.2
    }
  }
  const applied: { jid: string; affiliation: string }[] = []
  const rejected: { jid: string; affiliation: string }[] = []
  const notifications: Notification[] = []
  for (const { jid, affiliation } of request.changes) {
    const bare = bareOf(jid)
    const current = await store.affiliation(node, bare)
    // §4.1: affiliations are of bare JIDs
    const possible =
      bare === jid &&
      isAddress(jid) &&
      (affiliation === undefined || (await isPossible(scope, jid, current, affiliation)))
    if (!possible) {
      rejected.push({ jid, affiliation: current })
      continue
    }
    if (affiliation === undefined || affiliation === current) continue
    await store.setAffiliation(node, jid, affiliation)
    await reassessEntity(scope, jid, affiliation, notifications)
    if (def.notifyAffiliations) tell(notifications, node, [jid], { kind: 'affiliation', jid, affiliation })
    applied.push({ jid, affiliation })
  }
  return { result: { node: node.name, applied, rejected }, notifications }
}

/** A prepared one. */
function isAddress(jid: string): boolean {
  return JID.tryParse(jid)?.full === jid
}

async function isPossible<N extends Node, X>(
  { def, store, node, actor, role }: WriteScope<N, X>,
  jid: string,
  current: string,
  wanted: string
): Promise<boolean> {
  if (current === wanted) return true
  // an operator stands above the chart
  if (!actor.admin && !mayChange(role, jid === actor.bare, current, wanted)) return false
  if (current !== def.roles.owner) return true
  // §8.9.2.4: there must be another owner
  const { rows } = await store.affiliations(node, { limit: 2 }, [def.roles.owner])
  return rows.length > 1
}

/** §8.8.2: approves, subscribes and removes. */
export async function changeSubscriptions<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: ChangeRequest<SubscriptionChange>
): Promise<Outcome<Changed<Standing>>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  toManageSubscriptions(scope)
  checkBatch(
    scope,
    // §8.8.2.4: several of one address need SubIDs that differ
    request.changes.map(({ jid, subId = '' }) => (def.multiSubscribe ? `${jid} ${subId}` : jid))
  )
  const applied: Standing[] = []
  const rejected: Standing[] = []
  const notifications: Notification[] = []
  for (const change of request.changes) {
    const { jid, state } = change
    if (!isAddress(jid)) {
      rejected.push({ jid, state: 'none' })
      continue
    }
    const own = await store.subscriptions(scope.node, bareOf(jid))
    const existing = existingOf(def, own, change)
    if (existing === 'unclear') {
      rejected.push(...own.filter(one => one.jid === jid).map(one => standing(scope, one, one.state)))
      continue
    }
    const current = existing?.state ?? 'none'
    if (state === undefined || state === current) continue
    const now = await changeOne(scope, change, own, existing, notifications)
    if (now) applied.push({ jid, state: now })
    else rejected.push(existing ? standing(scope, existing, current) : { jid, state: current })
  }
  return { result: { node: scope.node.name, applied, rejected }, notifications }
}

/** The state afterwards; `undefined` where that was impossible. */
async function changeOne<N extends Node, X>(
  scope: WriteScope<N, X>,
  { jid, state, subId }: SubscriptionChange,
  own: readonly Subscription[],
  existing: Subscription | undefined,
  notifications: Notification[]
): Promise<'none' | 'subscribed' | undefined> {
  const affiliation = await scope.store.affiliation(scope.node, bareOf(jid))
  if (existing && state === 'none') {
    await end(scope, existing, affiliation, own.length === 1, notifications)
    return 'none'
  }
  if (state !== 'subscribed') return undefined
  if (existing) {
    await approve(scope, existing, affiliation, notifications)
    return state
  }
  const terms = subId === undefined ? await termsToAdd(scope, jid, affiliation) : undefined
  if (terms === undefined) return undefined
  await add(scope, jid, terms, affiliation, notifications)
  return state
}

/** One subscription in the list of an owner. */
export interface Standing {
  jid: string
  state: SubscriptionState | 'none'
  subId?: string | undefined
}

function standing<N extends Node, X>(
  { def }: WriteScope<N, X>,
  subscription: Subscription,
  state: SubscriptionState | 'none'
): Standing {
  return { jid: subscription.jid, state, subId: subIdOf(def, subscription) }
}

/** Which subscription an owner means; `unclear` where there are several and none is named. */
function existingOf<N extends Node, X>(
  def: Definition<N, X>,
  own: readonly Subscription[],
  { jid, subId }: SubscriptionChange
): Subscription | 'unclear' | undefined {
  const mine = own.filter(one => one.jid === jid)
  if (def.multiSubscribe && subId !== undefined) return mine.find(one => String(one.key) === subId)
  return mine.length > 1 ? 'unclear' : mine[0]
}

/**
 * An owner may subscribe others (§8.8.2), but not those who may not be, nor beyond their limit (§6.1.3.9), nor at a
 * node of temporary subscriptions those who are away.
 */
async function termsToAdd<N extends Node, X>(
  scope: WriteScope<N, X>,
  jid: string,
  affiliation: string
): Promise<Terms | undefined> {
  const { def, store } = scope
  if (roleOf(def.roles, affiliation).subscribe === 'never') return undefined
  if (!(await isAdmitted(scope, jid))) return undefined // §4.5
  const { subscriptions } = def.limits
  if ((await store.countSubscriptionsOf(bareOf(jid), subscriptions)) >= subscriptions) return undefined
  try {
    return await addedTerms(scope, jid)
  } catch (error) {
    if (error instanceof PubsubError) return undefined
    throw error
  }
}

async function add<N extends Node, X>(
  scope: WriteScope<N, X>,
  jid: string,
  terms: Terms,
  affiliation: string,
  notifications: Notification[]
): Promise<void> {
  const { def, store, node } = scope
  const subscription = await store.addSubscription(node, jid, 'subscribed', terms)
  const subId = subIdOf(def, subscription)
  tell(notifications, node, [jid], { kind: 'subscription', jid, state: 'subscribed', subId })
  await takeEffect(scope, subscription, affiliation, notifications)
}

/** §8.8.2.4, §8.9.2.4: an entity is named once. */
function checkBatch<N extends Node, X>({ def }: WriteScope<N, X>, jids: readonly string[]): void {
  if (new Set(jids).size < jids.length) {
    throw new PubsubError('badRequest', { text: 'an address is there twice' })
  }
  if (jids.length > def.limits.batch) {
    throw new PubsubError('notAcceptable', { text: `at most ${def.limits.batch} entries in one request` })
  }
}
