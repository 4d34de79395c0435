import { audience, tellAboutNode } from './audience'
import { toConfigure, toDelete } from './authorize'
import { capacity } from './capacity'
import { sameValue, type ConfigChanges, type NodeConfig } from './config'
import type { Definition } from './definition'
import { PubsubError } from './errors'
import type { Notification, Outcome } from './events'
import { reassessNode } from './reassess'
import { enter, enterToWrite, exceeds, hookContext, tell, type WriteScope } from './scope'
import { takeEffect } from './subscribe'
import type { Actor, Node, ReadStore, Store } from './store'

/** §8.1 */
export interface CreateRequest {
  /** Absent: an instant node. */
  node?: string
  /** From `<configure/>`. */
  config?: ConfigChanges
}

export interface Created<N extends Node> {
  node: N
  /** The name is not the one that was asked for: it is part of the answer (§8.1.1). */
  assigned: boolean
}

export async function create<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: CreateRequest
): Promise<Outcome<Created<N>>> {
  if (request.node === undefined && !def.instantNodes) throw new PubsubError('noInstantNodes')
  const asked = request.node ?? def.newId()
  const name = def.hooks.nodeName ? def.hooks.nodeName(asked) : asked
  checkName(def, name)
  await def.hooks.mayCreate?.(actor, name, store)
  const config = checkConfig(def, { ...def.defaults, ...request.config })
  checkOffer(def, config.access_model, [actor.bare])
  const node = await store.createNode({
    name,
    creator: actor.bare,
    createdAt: def.now(),
    config: def.hooks.newConfig ? await def.hooks.newConfig(config, actor, name) : config
  })
  if (node === undefined) throw new PubsubError('nodeExists')
  const affiliation = def.roles.owner
  await store.setAffiliation(node, actor.bare, affiliation)
  const notifications: Notification[] = []
  if (def.subscribeCreator) {
    const role = def.roles.roles[affiliation] ?? def.roles.roles.none
    const scope = { def, store, actor, node, affiliation, role }
    const subscription = await store.addSubscription(node, actor.bare, 'subscribed')
    await takeEffect(scope, subscription, affiliation, notifications)
  }
  return { result: { node, assigned: name !== request.node }, notifications }
}

/** §4.6.2: names are kept as they are, so those are refused that no other software would give back the same. */
function checkName<N extends Node, X>(def: Definition<N, X>, name: string): void {
  if (name === '' || exceeds(name, def.limits.nodeName)) {
    throw new PubsubError('invalidNodeId', { text: `a NodeID has 1 to ${def.limits.nodeName} bytes` })
  }
  if (/[\p{Cc}\p{Cs}]/u.test(name) || name.normalize('NFC') !== name) {
    throw new PubsubError('invalidNodeId', {
      text: 'a NodeID has no control characters and is in Unicode form NFC'
    })
  }
}

function checkConfig<N extends Node, X>(def: Definition<N, X>, config: ConfigChanges): NodeConfig {
  const model = config.access_model
  if (typeof model !== 'string' || !Object.hasOwn(def.access, model))
    throw new PubsubError('unsupportedAccessModel')
  return config as NodeConfig
}

/** §8.1.2: a model may be offered to some owners and not to others. */
function checkOffer<N extends Node, X>(
  def: Definition<N, X>,
  model: string,
  owners: readonly string[]
): void {
  if (def.access[model]?.isOfferedTo?.(owners) === false) throw new PubsubError('unsupportedAccessModel')
}

/** §8.2.1: the configuration, to those who may change some of it. */
export async function configuration<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: { node: string }
): Promise<N> {
  const scope = await enter(def, store, actor, request.node)
  toConfigure(scope)
  return scope.node
}

/** What decides who has access. */
const ACCESS = ['access_model', 'roster_groups_allowed'] as const

/** §8.2.4 */
export interface ConfigureRequest {
  node: string
  config: ConfigChanges
}

/** Sets what is given and leaves the rest (XEP-0004 §3.5). */
export async function configure<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: ConfigureRequest
): Promise<Outcome<{ node: string; changed: readonly string[]; config: NodeConfig }>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  const { node } = scope
  const before = node.config
  const keys = Object.keys(request.config).filter(key => !sameValue(before[key], request.config[key]))
  toConfigure(scope, keys)
  const merged = checkConfig(def, { ...before, ...request.config })
  if (merged.access_model !== before.access_model) checkOffer(def, merged.access_model, await ownersOf(scope))
  const config = def.hooks.changedConfig
    ? await def.hooks.changedConfig(merged, before, hookContext(scope, def.now()))
    : merged
  const changed = Object.keys(config).filter(key => !sameValue(before[key], config[key]))
  const notifications: Notification[] = []
  if (changed.length === 0) return { result: { node: node.name, changed, config }, notifications }
  await store.setConfig(node, config)
  const after: WriteScope<N, X> = { ...scope, node: { ...node, config } }
  await trim(after)
  if (config.item_expire !== before.item_expire) await restart(after)
  if (!ACCESS.every(key => sameValue(config[key], before[key]))) await reassessNode(after, notifications)
  if (config.notify_config) {
    const shown = config.deliver_payloads ? config : undefined // §8.2.5.3
    const fields = def.fields.filter(field => !field.confidential)
    const event = { kind: 'configuration', config: shown, fields } as const
    tellAboutNode(notifications, after.node, await audience(after), event)
  }
  return { result: { node: node.name, changed, config }, notifications }
}

async function ownersOf<N extends Node, X>({ def, store, node }: WriteScope<N, X>): Promise<string[]> {
  const { rows } = await store.affiliations(node, { limit: def.limits.approvers }, [def.roles.owner])
  return rows.map(row => row.jid)
}

/** What the node may no longer keep goes without notifications: there may be thousands (cf. §8.5.2). */
async function trim<N extends Node, X>({ def, store, node }: WriteScope<N, X>): Promise<void> {
  if (node.itemCount === 0) return
  if (!node.config.persist_items) return void (await store.removeAllItems(node))
  const excess = node.itemCount - capacity(def, node.config)
  if (excess > 0) await store.removeOldest(node, excess)
}

/** When the oldest item ends is different from now on. */
async function restart<N extends Node, X>({ def, store, node }: WriteScope<N, X>): Promise<void> {
  if (!store.setDue) return
  const { item_expire } = node.config
  const oldest = item_expire === 'max' ? undefined : (await store.items(node, { limit: 1 }))[0]
  const due = oldest && item_expire !== 'max' ? oldest.updatedAt + item_expire * 1000 : undefined
  await store.setDue(node, due === undefined ? undefined : Math.max(due, def.now()))
}

/** §8.4 */
export interface DeleteRequest {
  node: string
  /** Where requests for the node may go from now on (§8.4.1). */
  redirect?: string
}

export async function remove<N extends Node, X>(
  def: Definition<N, X>,
  store: Store<N, X>,
  actor: Actor,
  request: DeleteRequest
): Promise<Outcome<{ node: N }>> {
  const scope = await enterToWrite(def, store, actor, request.node)
  const { node } = scope
  toDelete(scope)
  if (request.redirect !== undefined && (request.redirect === '' || exceeds(request.redirect, 3071))) {
    throw new PubsubError('notAcceptable', { text: 'the redirect URI has 1 to 3071 bytes' })
  }
  const notifications: Notification[] = []
  if (node.config.notify_delete) {
    // §8.4.2: also those whose request nobody has answered
    const recipients = await store.subscribers(node, ['subscribed', 'unconfigured', 'pending'])
    tell(notifications, node, recipients, { kind: 'delete', redirect: request.redirect })
  }
  await store.deleteNode(node, request.redirect)
  return { result: { node }, notifications }
}
