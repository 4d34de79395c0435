import { audience, tellAboutNode, tellAudience } from './audience'
import { toPurge, toRetract, toRetractItem } from './authorize'
import type { Definition } from './definition'
import { PubsubError, unsupported } from './errors'
import type { Notification, Outcome } from './events'
import { enterToWrite, hookContext } from './scope'
import type { Actor, Item, Node, Store } from './store'

/** §7.2 */
export interface RetractRequest {
  node: string
  /** At least one; all of them or none are deleted (§12.11). */
  ids: readonly string[]
  /** Tell the subscribers, also where the node is not configured to (§7.2.2.1). */
  notify?: boolean
}

export async function retract<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: RetractRequest
): Promise<Outcome<{ node: string; items: readonly Item<X>[] }>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  const { node } = scope
  const right = await toRetract(scope)
  if (!node.config.persist_items) throw unsupported('persistent-items') // §7.2.3.5
  if (request.ids.length === 0) throw new PubsubError('itemRequired') // §7.2.3.4
  if (request.ids.length > def.limits.batch) throw new PubsubError('maxItemsExceeded')
  const named: Item<X>[] = []
  for (const id of new Set(request.ids)) {
    const item = await store.item(node, def.hooks.namedItem ? def.hooks.namedItem(id, node) : id)
    if (item === undefined) throw new PubsubError('itemNotFound') // §7.2.3.2
    toRetractItem(scope, right, item)
    named.push(item)
  }
  const context = hookContext(scope, def.now())
  const others = (await def.hooks.alsoRetracted?.(named, context)) ?? []
  const all = others.length === 0 ? named : [...named, ...others]
  for (const item of all) await store.removeItem(node, item)
  await def.hooks.retracted?.(all, context)
  const notifications: Notification[] = []
  const { deliver_notifications, notify_retract } = node.config
  if (deliver_notifications && (request.notify || notify_retract)) {
    const ids = all.map(item => item.id)
    tellAudience(notifications, node, await audience(scope), { kind: 'retract', ids })
  }
  return { result: { node: node.name, items: all }, notifications }
}

/** §8.5: one notification for all items together. */
export async function purge<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: { node: string }
): Promise<Outcome<{ node: string }>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  const { node } = scope
  toPurge(scope)
  const { persist_items, deliver_notifications, notify_retract } = node.config
  if (!persist_items) throw unsupported('persistent-items') // §8.5.3.3
  await store.removeAllItems(node)
  const notifications: Notification[] = []
  if (deliver_notifications && notify_retract) {
    tellAboutNode(notifications, node, await audience(scope), { kind: 'purge' })
  }
  return { result: { node: node.name }, notifications }
}

/** Items that end in one go. */
const EXPIRED = 100

/** `pubsub#item_expire`: the items of a node whose time is over. Others may wait; then the node is due again. */
export async function expireItems<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: { node: string }
): Promise<Outcome<{ node: string; ids: readonly string[] }>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  const { node } = scope
  const { item_expire, deliver_notifications, notify_retract } = node.config
  const notifications: Notification[] = []
  if (item_expire === 'max' || !store.setDue) {
    await store.setDue?.(node, undefined)
    return { result: { node: node.name, ids: [] }, notifications }
  }
  const life = item_expire * 1000
  const now = def.now()
  const oldest = await store.items(node, { limit: EXPIRED + 1 })
  // they are in the order of their last publication (§12.1)
  const fresh = oldest.findIndex(item => item.updatedAt + life > now)
  const over = oldest.slice(0, Math.min(fresh < 0 ? oldest.length : fresh, EXPIRED))
  for (const item of over) await store.removeItem(node, item)
  const next = oldest[over.length]
  await store.setDue(node, next && Math.max(next.updatedAt + life, now))
  const context = hookContext(scope, now)
  if (over.length > 0) await def.hooks.retracted?.(over, context)
  const ids = over.map(item => item.id)
  if (ids.length > 0 && deliver_notifications && notify_retract) {
    tellAudience(notifications, node, await audience(scope), { kind: 'retract', ids })
  }
  return { result: { node: node.name, ids }, notifications }
}
