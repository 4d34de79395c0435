import type { ConfigChanges } from './config'
import type { Definition } from './definition'
import { PubsubError, unsupported } from './errors'
import type { Notification, Outcome } from './events'
import { DEFAULT_OPTIONS, hasBody } from './options'
import { bareOf, enter, enterToWrite, tell, type WriteScope } from './scope'
import type { Actor, Node, ReadStore, Store, Subscription, SubscriptionOptions } from './store'
import { pick, subIdOf } from './subids'
import { again, end, type SubscribeResult } from './subscribe'

/** §6.3.2 */
export interface OptionsRequest {
  node: string
  jid: string
  subId?: string
}

/** What somebody has chosen at a node. */
export interface Choice {
  node: string
  jid: string
  subId?: string | undefined
  options: SubscriptionOptions
  /** Whether the node's payloads have a text, so that a body is offered (§12.8). */
  body: boolean
}

/** §6.3.4.1: one's own, and for operators everybody's. */
function speakFor(actor: Actor, jid: string): Actor {
  const bare = bareOf(jid)
  if (bare === actor.bare) return actor
  if (!actor.admin) throw new PubsubError('forbidden')
  return { jid, bare }
}

/** §6.3.2 */
export async function options<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: OptionsRequest
): Promise<Choice> {
  if (def.options === undefined) throw unsupported('subscription-options')
  const who = speakFor(actor, request.jid)
  const { node } = await enter(def, store, who, request.node)
  const own = await store.subscriptions(node, who.bare)
  const subscription = pick(def, own, request, 'optionsNotSubscribed')
  const { jid } = subscription
  return {
    node: node.name,
    jid,
    subId: subIdOf(def, subscription),
    options: subscription.options ?? DEFAULT_OPTIONS,
    body: hasBody(def.options, node.config)
  }
}

/** §6.3.5: what is left out keeps its value (XEP-0004 §3.5); without options, where the form was cancelled, all does. */
export async function setOptions<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: OptionsRequest & { options?: ConfigChanges }
): Promise<Outcome<SubscribeResult>> {
  if (def.options === undefined) throw unsupported('subscription-options')
  const who = speakFor(actor, request.jid)
  const scope = await enterToWrite(def, store, who, request.node)
  const own = await store.subscriptions(scope.node, who.bare)
  return await again(scope, pick(def, own, request, 'optionsNotSubscribed'), request)
}

/** §6.4: what is chosen for whoever says nothing, at a node or at the service. */
export async function defaultOptions<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: { node?: string }
): Promise<{ node: string | undefined; options: SubscriptionOptions; body: boolean }> {
  if (def.options === undefined) throw unsupported('subscription-options') // §6.4.3.1
  if (request.node === undefined) return { node: undefined, options: DEFAULT_OPTIONS, body: false }
  const { node } = await enter(def, store, actor, request.node)
  const expire = node.config.tempsub === true ? 'presence' : DEFAULT_OPTIONS.expire
  return { node: node.name, options: { ...DEFAULT_OPTIONS, expire }, body: hasBody(def.options, node.config) }
}

/** A subscription whose time has come: told of before, or over (§12.19); what has changed meanwhile counts. */
export async function lapse<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: { node: string; jid: string; key: number }
): Promise<Outcome<undefined>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  const { node } = scope
  const own = await store.subscriptions(node, bareOf(request.jid))
  const subscription = own.find(one => one.key === request.key)
  const notifications: Notification[] = []
  if (subscription === undefined) return { result: undefined, notifications }
  const { jid, state, options: chosen } = subscription
  const expire = chosen?.expire
  if (state === 'unconfigured' || (typeof expire === 'number' && expire <= def.now())) {
    await finish(scope, subscription, own.length === 1, notifications)
  } else if (typeof expire === 'number') {
    await store.setTerms?.(node, subscription, { options: chosen, due: expire })
    const subId = subIdOf(def, subscription)
    tell(notifications, node, [jid], { kind: 'subscription', jid, state, subId, expiry: expire })
  } else {
    // it has been given another end meanwhile, or none: nobody need look again
    await store.setTerms?.(node, subscription, { options: chosen })
  }
  return { result: undefined, notifications }
}

/** §12.5: an address is no longer available. */
export async function depart<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: { node: string; jid: string }
): Promise<Outcome<undefined>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  const own = await store.subscriptions(scope.node, bareOf(request.jid))
  const notifications: Notification[] = []
  let left = own.length
  for (const one of own) {
    if (one.jid !== request.jid || one.options?.expire !== 'presence') continue
    await finish(scope, one, left === 1, notifications)
    left--
  }
  return { result: undefined, notifications }
}

async function finish<N extends Node, X>(
  scope: WriteScope<N, X>,
  subscription: Subscription,
  last: boolean,
  notifications: Notification[]
): Promise<void> {
  const affiliation = await scope.store.affiliation(scope.node, bareOf(subscription.jid))
  await end(scope, subscription, affiliation, last, notifications)
}
