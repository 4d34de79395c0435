import { toPurge, toRetract, toRetractItem } from './authorize'
import type { Definition } from './definition'
import { PubsubError, unsupported } from './errors'
import type { Notification, Outcome } from './events'
import { SUBSCRIBED } from './publish'
import { enterToWrite, hookContext, tell } from './scope'
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
    tell(notifications, node, await store.subscribers(node, SUBSCRIBED), { kind: 'retract', ids })
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
    tell(notifications, node, await store.subscribers(node, SUBSCRIBED), { kind: 'purge' })
  }
  return { result: { node: node.name }, notifications }
}
