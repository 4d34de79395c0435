import { audience, tellAudience } from './audience'
import { toPublish } from './authorize'
import { capacity } from './capacity'
import { sameValue, type ConfigChanges, type NodeConfig } from './config'
import type { Definition } from './definition'
import { PubsubError } from './errors'
import { eventItem, type EventItem, type Notification, type Outcome } from './events'
import { create } from './nodes'
import { enterToWrite, exceeds, hookContext, type WriteScope } from './scope'
import type { Actor, Item, ItemDraft, Node, Store } from './store'

/** What a payload is, for those who do not read XML. */
export interface PayloadSummary {
  /** Serialised XML, its namespace declared. */
  xml: string
  /** Local name of the root element. */
  name: string
  /** Namespace of the root element. */
  ns: string
}

/** §7.1 */
export interface PublishRequest {
  node: string
  /** As it was given; absent where the request has no `<item/>`. */
  item?: { id?: string; payload?: PayloadSummary }
  /** Preconditions by configuration key (§7.1.5). */
  options?: ConfigChanges
}

export interface Published<X> {
  node: string
  /** `undefined` for a transient node's event without item. */
  id: string | undefined
  /** The service made or changed the id: it is part of the answer (§7.1.2). */
  assigned: boolean
  /** What was stored; `undefined` on transient nodes. */
  item: Item<X> | undefined
  /** What it overwrote. */
  previous: Item<X> | undefined
}

export async function publish<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: PublishRequest
): Promise<Outcome<Published<X>>> {
  let born: readonly Notification[] = []
  const missing = def.autoCreate
    ? async (name: string): Promise<N | undefined> => {
        const made = await autoCreate(def, store, actor, name, request)
        born = made?.notifications ?? born
        return made?.result.node
      }
    : undefined
  const scope = await enterToWrite(def, store, actor, request.node, missing)
  await toPublish(scope)
  const { node } = scope
  if (request.options) checkPreconditions(node.config, request.options)
  checkItem(def, node.config, request.item)
  const outcome = node.config.persist_items ? await keep(scope, request) : await pass(scope, request)
  if (born.length === 0) return outcome
  return { result: outcome.result, notifications: [...born, ...outcome.notifications] }
}

/**
 * §7.1.4: a node that is not there is made, as the preconditions have it and else by default (§7.1.5). One that has
 * moved is not made again. All that could refuse the publication is looked at before.
 */
async function autoCreate<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  node: string,
  { options = {}, item }: PublishRequest
) {
  if ((await store.redirectOf(node)) !== undefined) return undefined
  const fixed = new Set(def.fields.filter(field => field.fixed).map(field => field.key))
  const settable = Object.entries(options).filter(([key]) => !fixed.has(key))
  const config = { ...def.defaults, ...Object.fromEntries(settable) }
  checkPreconditions(config, options)
  checkItem(def, config, item)
  return await create(def, store, actor, { node, config })
}

/** §7.1.5: each is compared with the configuration of the same name. */
function checkPreconditions(config: NodeConfig, options: ConfigChanges): void {
  for (const [key, value] of Object.entries(options)) {
    if (!sameValue(config[key], value)) {
      throw new PubsubError('preconditionNotMet', { text: `${key} is ${String(config[key])} at this node` })
    }
  }
}

/** §4.3, §7.1.3.5 to §7.1.3.7 */
function checkItem<N extends Node, X>(
  def: Definition<N, X>,
  config: NodeConfig,
  item: PublishRequest['item']
): void {
  const { persist_items, deliver_payloads, type, max_payload_size } = config
  if (item === undefined) {
    if (persist_items) throw new PubsubError('itemRequired')
    if (deliver_payloads) throw new PubsubError('payloadRequired')
    return
  }
  if (!persist_items && !deliver_payloads) throw new PubsubError('itemForbidden')
  if (item.payload === undefined) {
    if (deliver_payloads) throw new PubsubError('payloadRequired')
  } else {
    const max = Math.min(max_payload_size, def.limits.payload)
    if (exceeds(item.payload.xml, max)) {
      throw new PubsubError('payloadTooBig', { text: `at most ${max} bytes` })
    }
    if (type !== '' && item.payload.ns !== type) {
      throw new PubsubError('invalidPayload', { text: `this node takes payloads in the namespace ${type}` })
    }
  }
  if (item.id !== undefined && (item.id === '' || exceeds(item.id, def.limits.itemId))) {
    throw new PubsubError('invalidItemId', { text: `an item id has 1 to ${def.limits.itemId} bytes` })
  }
}

/** A persistent node: store, make room, tell. */
async function keep<N extends Node, X>(
  scope: WriteScope<N, X>,
  request: PublishRequest
): Promise<Outcome<Published<X>>> {
  const { def, store, actor, node } = scope
  const { hooks } = def
  const given = request.item?.id
  const id = hooks.itemId ? hooks.itemId(given, node) : (given ?? def.newId())
  // an id that the service has just made up overwrites nothing
  const previous = given === undefined ? undefined : await store.item(node, id)
  const excess = previous ? 0 : node.itemCount + 1 - capacity(def, node.config)
  if (excess > 0 && node.config.publish_node_full === 'reject') throw new PubsubError('nodeFull') // §7.1.3.4
  const now = def.now()
  let draft: ItemDraft<X> = {
    id,
    publisher: actor.bare,
    payload: request.item?.payload?.xml,
    createdAt: previous ? previous.createdAt : now,
    updatedAt: now
  }
  if (hooks.complete) draft = await hooks.complete(draft, previous, hookContext(scope, now))
  const item = await store.putItem(node, draft, previous)
  const { item_expire } = node.config
  if (item_expire !== 'max' && node.dueAt === undefined) await store.setDue?.(node, now + item_expire * 1000)
  if (hooks.published) await hooks.published(item, previous, hookContext(scope, now))
  const evicted = excess > 0 ? await store.removeOldest(node, excess) : []
  const notifications = await announcements(scope, eventItem(node.config, item), evicted)
  return { result: { node: node.name, id, assigned: id !== given, item, previous }, notifications }
}

/** A transient node: nothing is kept (§4.3). */
async function pass<N extends Node, X>(
  scope: WriteScope<N, X>,
  { item }: PublishRequest
): Promise<Outcome<Published<X>>> {
  const { def, actor, node } = scope
  const result: Published<X> = {
    node: node.name,
    id: undefined,
    assigned: false,
    item: undefined,
    previous: undefined
  }
  if (item === undefined) return { result, notifications: await announcements(scope, undefined, []) }
  const id = item.id ?? def.newId()
  const event = eventItem(node.config, { id, publisher: actor.bare, payload: item.payload?.xml })
  return {
    result: { ...result, id, assigned: item.id === undefined },
    notifications: await announcements(scope, event, [])
  }
}

async function announcements<N extends Node, X>(
  scope: WriteScope<N, X>,
  item: EventItem | undefined,
  evicted: readonly string[]
): Promise<readonly Notification[]> {
  const { node } = scope
  const { config } = node
  if (!config.deliver_notifications) return []
  const told = await audience(scope)
  const notifications: Notification[] = []
  tellAudience(notifications, node, told, { kind: 'items', item })
  // §7.1.2.5: a discarded item goes unannounced
  if (evicted.length > 0 && config.notify_retract && config.publish_node_full === 'retract-oldest') {
    tellAudience(notifications, node, told, { kind: 'retract', ids: evicted })
  }
  return notifications
}
