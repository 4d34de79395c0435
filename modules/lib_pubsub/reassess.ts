import { accessRule, admission } from './authorize'
import type { Definition } from './definition'
import type { Notification, Outcome } from './events'
import { roleOf } from './roles'
import { bareOf, enterToWrite, type WriteScope } from './scope'
import { approve, end } from './subscribe'
import type { Actor, Node, Store, Subscription, SubscriptionState } from './store'

const ALL_STATES: readonly SubscriptionState[] = ['subscribed', 'pending', 'unconfigured']

/**
 * After a change of rights: subscriptions that would no longer be possible end, requests that would no longer
 * need approval are approved (§8.7, §14.3). Whoever is subscribed stays where only approval would be asked.
 */
export async function reassessEntity<N extends Node, X>(
  scope: WriteScope<N, X>,
  bare: string,
  affiliation: string,
  notifications: Notification[]
): Promise<void> {
  const own = await scope.store.subscriptions(scope.node, bare)
  let left = own.length
  for (const subscription of own) {
    if (await reassess(scope, subscription, affiliation, left === 1, notifications)) left--
  }
}

/** The same where no request here has changed them: somebody's standing in an owner's roster has. */
export async function reconsider<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: { node: string; jid: string }
): Promise<Outcome<undefined>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  const bare = bareOf(request.jid)
  const notifications: Notification[] = []
  await reassessEntity(scope, bare, await store.affiliation(scope.node, bare), notifications)
  return { result: undefined, notifications }
}

/** The same for all, after a change of the access model. */
export async function reassessNode<N extends Node, X>(
  scope: WriteScope<N, X>,
  notifications: Notification[]
): Promise<void> {
  const { store, node, def } = scope
  const { page } = def.limits
  for (let after = -1; ;) {
    const { rows } = await store.subscriptionsTo(node, { after, limit: page }, ALL_STATES)
    for (const row of rows) {
      await reassess(scope, row, row.affiliation, await isLast(scope, row), notifications)
      after = row.key
    }
    if (rows.length < page) return
  }
}

async function isLast<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription
): Promise<boolean> {
  // only a hook wants to know
  if (!scope.def.hooks.leaverAffiliation) return false
  return (await scope.store.subscriptions(scope.node, bareOf(subscription.jid))).length === 1
}

/** Gives whether the subscription has ended. */
async function reassess<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription,
  affiliation: string,
  last: boolean,
  notifications: Notification[]
): Promise<boolean> {
  const { jid, state } = subscription
  const rule = await accessRule(scope, { jid, bare: bareOf(jid) })
  const admitted = admission(roleOf(scope.def.roles, affiliation), rule)
  if (admitted === undefined) {
    await end(scope, subscription, affiliation, last, notifications)
    return true
  }
  if (state === 'pending' && admitted === 'subscribed')
    await approve(scope, subscription, affiliation, notifications)
  return false
}
