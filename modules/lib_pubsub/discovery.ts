import { accessRule, admission } from './authorize'
import type { Definition } from './definition'
import { pageByKey, type Page, type PageRequest } from './page'
import { enter, type Scope } from './scope'
import { roleOf } from './roles'
import type { Actor, Node, ReadStore } from './store'

/** §5.4: what disco#info tells of a node. */
export interface Metadata<N extends Node> {
  node: N
  /** Bare JIDs. */
  owners: readonly string[]
  subscribers: number
}

export async function metadata<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: { node: string }
): Promise<Metadata<N>> {
  const { node } = await enter(def, store, actor, request.node)
  const { rows } = await store.affiliations(node, { limit: def.limits.approvers }, [def.roles.owner])
  return { node, owners: rows.map(row => row.jid), subscribers: await store.countSubscribers(node) }
}

export interface NodesRequest {
  page?: PageRequest
}

/** §5.2: the nodes of the service, without those that are closed to the actor. */
export async function nodes<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: NodesRequest = {}
): Promise<Page<N>> {
  const page = await pageByKey(request.page, def.limits.page, range => store.nodes(range))
  const entries: N[] = []
  for (const node of page.entries) if (await isVisible(def, store, actor, node)) entries.push(node)
  return { ...page, entries }
}

async function isVisible<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  node: N
): Promise<boolean> {
  const stranger = def.roles.roles.none
  const scope: Scope<N, X> = { def, store, actor, node, affiliation: 'none', role: stranger }
  const rule = await accessRule(scope)
  if (admission(stranger, rule) !== undefined || actor.admin) return true
  const role = roleOf(def.roles, await store.affiliation(node, actor.bare))
  return admission(role, rule) !== undefined || role.read === 'always'
}

const P = 'http://jabber.org/protocol/pubsub#'

/** §10: what the service can do, as disco#info says it; made from its definition. */
export function features<N extends Node, X>(def: Definition<N, X>): string[] {
  const { roles } = def.roles
  const keys = new Set(def.fields.filter(field => !field.fixed).map(field => field.key))
  const capable = Object.values(roles)
  const has: [boolean, string][] = [
    [true, `access-${String(def.defaults.access_model)}`], // §10: the model of new nodes
    [keys.size > 0, 'config-node'],
    [keys.has('max_items'), 'config-node-max'],
    [keys.size > 0, 'create-and-configure'],
    [true, 'create-nodes'],
    [true, 'delete-items'],
    [capable.some(role => role.remove), 'delete-nodes'],
    [def.instantNodes, 'instant-nodes'],
    [true, 'item-ids'],
    [capable.some(role => role.manageSubscriptions), 'manage-subscriptions'],
    [true, 'meta-data'],
    [capable.some(role => role.transitions), 'modify-affiliations'],
    [keys.has('max_items') && def.limits.maxItems > 1, 'multi-items'],
    [true, 'persistent-items'],
    [true, 'publish'],
    [keys.has('publish_node_full'), 'publish-node-full'],
    [true, 'publish-options'],
    [capable.some(role => role.purge), 'purge-nodes'],
    [true, 'retract-items'],
    [true, 'retrieve-affiliations'],
    [keys.size > 0, 'retrieve-default'],
    [true, 'retrieve-items'],
    [true, 'retrieve-subscriptions'],
    [true, 'rsm'], // §6.5.4
    [true, 'subscribe'],
    [true, 'subscription-notifications'] // §12.14
  ]
  // §4.1: owner and none go without saying
  const affiliations = Object.keys(roles).filter(name => name !== def.roles.owner && name !== 'none')
  return [
    P.slice(0, -1),
    ...has.filter(([can]) => can).map(([, name]) => P + name),
    ...affiliations.map(name => `${P}${name}-affiliation`)
  ]
}
