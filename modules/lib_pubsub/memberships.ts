import { toChangeAffiliations, toListAffiliations, toManageSubscriptions } from './authorize'
import type { Definition } from './definition'
import { PubsubError, unsupported } from './errors'
import type { Notification, Outcome } from './events'
import { pageByKey, type Page, type PageRequest } from './page'
import { reassessEntity } from './reassess'
import { hasRole, mayChange, roleOf } from './roles'
import { bareOf, enter, enterToWrite, tell, type WriteScope } from './scope'
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
  SubscriptionState
} from './store'

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
  jid: string
  /** Absent: stays as it is (§8.9.2.1). */
  affiliation?: string
}

export interface SubscriptionChange {
  jid: string
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
      bare === jid && (affiliation === undefined || (await isPossible(scope, jid, current, affiliation)))
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
): Promise<Outcome<Changed<{ jid: string; state: SubscriptionState | 'none' }>>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  toManageSubscriptions(scope)
  checkBatch(
    scope,
    request.changes.map(change => change.jid)
  )
  const applied: { jid: string; state: SubscriptionState | 'none' }[] = []
  const rejected: { jid: string; state: SubscriptionState | 'none' }[] = []
  const notifications: Notification[] = []
  for (const { jid, state } of request.changes) {
    const own = await store.subscriptions(scope.node, bareOf(jid))
    const existing = own.find(one => one.jid === jid)
    const current = existing?.state ?? 'none'
    if (state === undefined || state === current) continue
    const affiliation = await store.affiliation(scope.node, bareOf(jid))
    if (state === 'none' && existing) {
      await end(scope, existing, affiliation, own.length === 1, notifications)
    } else if (state === 'subscribed' && existing) {
      await approve(scope, existing, affiliation, notifications)
    } else if (state === 'subscribed' && (await mayBeAdded(scope, jid, affiliation))) {
      await add(scope, jid, affiliation, notifications)
    } else {
      rejected.push({ jid, state: current })
      continue
    }
    applied.push({ jid, state })
  }
  return { result: { node: scope.node.name, applied, rejected }, notifications }
}

/** An owner may subscribe others (§8.8.2), but not those who may not be, nor beyond their limit (§6.1.3.9). */
async function mayBeAdded<N extends Node, X>(
  { def, store }: WriteScope<N, X>,
  jid: string,
  affiliation: string
): Promise<boolean> {
  if (roleOf(def.roles, affiliation).subscribe === 'never') return false
  const { subscriptions } = def.limits
  return (await store.countSubscriptionsOf(bareOf(jid), subscriptions)) < subscriptions
}

async function add<N extends Node, X>(
  scope: WriteScope<N, X>,
  jid: string,
  affiliation: string,
  notifications: Notification[]
): Promise<void> {
  const { store, node } = scope
  const subscription = await store.addSubscription(node, jid, 'subscribed')
  tell(notifications, node, [jid], { kind: 'subscription', jid, state: 'subscribed' })
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
