import type { AccessRule } from './access'
import { PubsubError, unsupported } from './errors'
import { isAdmitted } from './gate'
import type { Role } from './roles'
import { isActive, ownSubscriptions, type Scope } from './scope'
import type { Actor, Item, Node, ReadStore, Subscription, SubscriptionState } from './store'

/*
 * The one place where rights are decided. Each operation asks here, before any effect; each function throws the
 * error of its clause or lets the request pass.
 */

type AnyScope<N extends Node, X> = Scope<N, X, ReadStore<N, X>>

/** The node's access model for this person. */
export async function accessRule<N extends Node, X>(
  scope: AnyScope<N, X>,
  who: Actor = scope.actor
): Promise<AccessRule> {
  const model = scope.def.access[scope.node.config.access_model]
  // a model that is no longer offered admits nobody new
  if (model === undefined) return { subscribe: 'closed', read: 'subscribers', refusal: 'closedNode' }
  return typeof model.rule === 'function' ? await model.rule(who, scope.node, scope.store) : model.rule
}

/** What a subscription of somebody with that role comes to, `undefined` where it is refused (§4.5, §6.1.4). */
export function admission(role: Role, rule: AccessRule): SubscriptionState | undefined {
  if (role.subscribe === 'never') return undefined
  if (role.subscribe === 'always' || rule.subscribe === 'open') return 'subscribed'
  return rule.subscribe === 'approval' ? 'pending' : undefined
}

/** §6.1.3 */
export async function toSubscribe<N extends Node, X>(
  scope: AnyScope<N, X>,
  existing: readonly Subscription[]
): Promise<SubscriptionState> {
  const { role, node } = scope
  if (role.subscribe === 'never') throw new PubsubError('forbidden') // §6.1.3.8
  if (!node.config.subscribe) throw unsupported('subscribe') // §6.1.3.10
  // §6.1.3.7; the entity is pending, whichever of its addresses asks again
  if (existing.some(one => one.state === 'pending')) throw new PubsubError('pendingSubscription')
  const rule = await accessRule(scope)
  const state = admission(role, rule)
  if (state === undefined) throw new PubsubError(rule.refusal)
  return state
}

/** §6.5.1, §6.5.9 */
export async function toRead<N extends Node, X>(scope: AnyScope<N, X>): Promise<void> {
  const { role } = scope
  if (role.read === 'always') return
  if (role.read === 'never') throw new PubsubError('forbidden') // §6.5.9.10
  const rule = await accessRule(scope)
  if (rule.read === 'anyone') return
  if (role.subscribe !== 'always' && rule.subscribe === 'closed') throw new PubsubError(rule.refusal)
  if (!(await ownSubscriptions(scope)).some(isActive)) throw new PubsubError('readersSubscribe') // §6.5.9.3
}

/** Whether the actor may read, where that is no error. */
export async function mayRead<N extends Node, X>(scope: AnyScope<N, X>): Promise<boolean> {
  try {
    await toRead(scope)
    return true
  } catch (error) {
    if (error instanceof PubsubError) return false
    throw error
  }
}

/** §7.1.3.1 */
export async function toPublish<N extends Node, X>(scope: AnyScope<N, X>): Promise<void> {
  if (!(await mayPublish(scope))) throw new PubsubError('forbidden')
}

async function mayPublish<N extends Node, X>(scope: AnyScope<N, X>): Promise<boolean> {
  const { role, node, actor, affiliation, def } = scope
  const decided = await def.hooks.mayPublish?.(actor, node, affiliation)
  if (decided !== undefined) return decided
  if (role.publish !== 'model') return role.publish === 'always'
  switch (node.config.publish_model) {
    case 'open':
      return true
    case 'subscribers':
      return (await ownSubscriptions(scope)).some(isActive) && (await isAdmitted(scope))
    default:
      return false
  }
}

/**
 * §7.2.3.1. Who may publish by the publish model may delete what is their own, as a publisher may.
 * @returns whether all items, or only the actor's own; throws where it is none.
 */
export async function toRetract<N extends Node, X>(scope: AnyScope<N, X>): Promise<'any' | 'own'> {
  if (scope.role.retract !== 'none') return scope.role.retract
  if (await mayPublish(scope)) return 'own'
  throw new PubsubError('forbidden')
}

export function toRetractItem<N extends Node, X>(
  scope: AnyScope<N, X>,
  right: 'any' | 'own',
  item: Item<X>
): void {
  if (right === 'own' && item.publisher !== scope.actor.bare) throw new PubsubError('forbidden')
}

/** §8.5.3.2 */
export function toPurge<N extends Node, X>({ role }: AnyScope<N, X>): void {
  if (!role.purge) throw new PubsubError('forbidden')
}

/** §8.4.3.1 */
export function toDelete<N extends Node, X>({ role }: AnyScope<N, X>): void {
  if (!role.remove) throw new PubsubError('forbidden')
}

/** §8.2.3.2; with keys: of the configuration that would be changed. */
export function toConfigure<N extends Node, X>({ role }: AnyScope<N, X>, keys: readonly string[] = []): void {
  const { configure } = role
  if (configure === 'all') return
  if (configure.length === 0 || keys.some(key => !configure.includes(key))) throw new PubsubError('forbidden')
}

/** §8.8.1.3, §8.8.2.3 and §8.6 */
export function toManageSubscriptions<N extends Node, X>({ role }: AnyScope<N, X>): void {
  if (!role.manageSubscriptions) throw new PubsubError('forbidden')
}

/** §8.9.2.3.3 */
export function toChangeAffiliations<N extends Node, X>({ role }: AnyScope<N, X>): void {
  if (role.transitions === undefined) throw new PubsubError('forbidden')
}

/**
 * §8.9.1.3.2
 * @returns which affiliations are listed, `undefined` for all.
 */
export async function toListAffiliations<N extends Node, X>(
  scope: AnyScope<N, X>
): Promise<readonly string[] | undefined> {
  const { listAffiliations } = scope.role
  if (listAffiliations === 'all') return undefined
  if (listAffiliations.length === 0) throw new PubsubError('forbidden')
  await toRead(scope)
  return listAffiliations
}
