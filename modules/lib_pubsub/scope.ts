import type { Definition, HookContext } from './definition'
import { PubsubError } from './errors'
import type { Notification, PubsubEvent } from './events'
import { roleOf, type Role } from './roles'
import type { Actor, Node, ReadStore, Store, Subscription } from './store'

/** A request to a node: who asks, what the node is, what they are to each other. */
export interface Scope<N extends Node, X, S extends ReadStore<N, X> = ReadStore<N, X>> {
  def: Definition<N, X>
  store: S
  actor: Actor
  node: N
  affiliation: string
  role: Role
}

export type WriteScope<N extends Node, X> = Scope<N, X, Store<N, X>>

/** Finds the node for a request that only reads. */
export async function enter<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  name: string
): Promise<Scope<N, X>> {
  const canonical = def.hooks.nodeName ? def.hooks.nodeName(name) : name
  return scopeOf(def, store, actor, (await store.node(canonical)) ?? (await missing(store, canonical)))
}

/**
 * Finds the node for a request that writes, and keeps other writers from it.
 * @param make makes the node where it is not there
 */
export async function enterToWrite<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  name: string,
  make?: (name: string) => Promise<N | undefined>
): Promise<WriteScope<N, X>> {
  const canonical = def.hooks.nodeName ? def.hooks.nodeName(name) : name
  const node =
    (await store.lockNode(canonical)) ?? (await make?.(canonical)) ?? (await missing(store, canonical))
  return scopeOf(def, store, actor, node)
}

async function scopeOf<N extends Node, X, S extends ReadStore<N, X>>(
  def: Definition<N, X>,
  store: S,
  actor: Actor,
  node: N
): Promise<Scope<N, X, S>> {
  const affiliation = await store.affiliation(node, actor.bare)
  const role = roleOf(def.roles, actor.admin ? def.roles.owner : affiliation)
  return { def, store, actor, node, affiliation, role }
}

/** §6.1.3.11, §6.1.3.12 */
async function missing<N extends Node, X>(store: ReadStore<N, X>, name: string): Promise<never> {
  const uri = await store.redirectOf(name)
  throw uri === undefined ? new PubsubError('nodeNotFound') : new PubsubError('nodeMoved', { uri })
}

/** The entity's subscriptions to the node, whatever their resource. */
export async function ownSubscriptions<N extends Node, X>(
  scope: Scope<N, X>
): Promise<readonly Subscription[]> {
  return await scope.store.subscriptions(scope.node, scope.actor.bare)
}

export function isActive(subscription: Subscription): boolean {
  return subscription.state === 'subscribed'
}

export function hookContext<N extends Node, X>(scope: WriteScope<N, X>, now: number): HookContext<N, X> {
  const { store, node, actor, affiliation } = scope
  return { store, node, actor, affiliation, now }
}

/** Adds a notification unless there is nobody to tell. */
export function tell(
  notifications: Notification[],
  node: Node,
  recipients: readonly string[],
  event: PubsubEvent,
  more?: Pick<Notification, 'subIds' | 'body'>
): void {
  if (recipients.length === 0) return
  notifications.push({ node: node.name, recipients, type: node.config.notification_type, event, ...more })
}

/** An address without its resource; canonical JIDs have no '/' before it (RFC 7622 §3.1). */
export function bareOf(jid: string): string {
  const slash = jid.indexOf('/')
  return slash < 0 ? jid : jid.slice(0, slash)
}

/** Length in bytes of UTF-8, without counting when it cannot matter. */
export function exceeds(text: string, bytes: number): boolean {
  if (text.length > bytes) return true
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes
}
