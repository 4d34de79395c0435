import { ON_PRESENCE } from './arrival'
import { accessRule, admission } from './authorize'
import type { Definition } from './definition'
import { pageByKey, type Page, type PageRequest } from './page'
import { enter, type Scope } from './scope'
import { hasRole, roleOf } from './roles'
import type { Actor, Node, ReadStore } from './store'

/** §5.4: what disco#info tells of a node. */
export interface Metadata<N extends Node> {
  node: N
  /** Bare JIDs, no more than `limits.approvers` of them. */
  owners: readonly string[]
  /** Likewise. */
  publishers: readonly string[]
  subscribers: number
}

export async function metadata<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: { node: string }
): Promise<Metadata<N>> {
  const { node } = await enter(def, store, actor, request.node)
  const named = async (affiliation: string): Promise<string[]> => {
    const { rows } = await store.affiliations(node, { limit: def.limits.approvers }, [affiliation])
    return rows.map(row => row.jid)
  }
  return {
    node,
    owners: await named(def.roles.owner),
    publishers: hasRole(def.roles, 'publisher') ? await named('publisher') : [],
    subscribers: await store.countSubscribers(node)
  }
}

export interface NodesRequest {
  page?: PageRequest
}

/** Pages that are looked through for one that has something to show. */
const PAGES = 8

/** §5.2: the nodes of the service, without those that are closed to the actor. */
export async function nodes<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: NodesRequest = {}
): Promise<Page<N>> {
  let { page: asked } = request
  // what is not shown is not counted
  if (asked?.max === 0) {
    const { entries, complete } = await nodes(def, store, actor)
    return {
      entries: [],
      complete: complete && entries.length === 0,
      ...(complete && { count: entries.length })
    }
  }
  for (let pages = 1; ; pages++) {
    const page = await pageByKey(asked, def.limits.page, range => store.nodes(range))
    const entries: N[] = []
    for (const node of page.entries) if (await isVisible(def, store, actor, node)) entries.push(node)
    const { first, last, complete } = page
    if (entries.length > 0 || complete || first === undefined || last === undefined || pages === PAGES)
      return visible(page, entries)
    const size = { ...(asked?.max !== undefined && { max: asked.max }) }
    asked = asked?.before === undefined ? { ...size, after: last } : { ...size, before: first }
  }
}

/** XEP-0059 §2.2: a page begins and ends with what is in it; an empty one tells how to go on, where there is more. */
function visible<N extends Node>(page: Page<N>, entries: readonly N[]): Page<N> {
  if (entries.length === page.entries.length) return page
  const { complete, index } = page
  const count = complete && { count: entries.length }
  const first = entries[0]
  const last = entries[entries.length - 1]
  if (first === undefined || last === undefined)
    return complete ? { entries, complete, ...count } : { ...page, entries }
  const ends = { first: String(first.key), last: String(last.key) }
  return { entries, complete, ...count, ...ends, ...(index === 0 && { index }) }
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

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const P = `${PUBSUB}#`
const ORDER_BY = 'urn:xmpp:order-by:1'
const SHIM = 'http://jabber.org/protocol/shim'

/** §10: what the service can do, as disco#info says it; made from its definition. */
export function features<N extends Node, X>(def: Definition<N, X>): string[] {
  const { roles } = def.roles
  const keys = new Set(def.fields.filter(field => !field.fixed).map(field => field.key))
  const capable = Object.values(roles)
  const has: [boolean, string][] = [
    [def.autoCreate, 'auto-create'],
    [keys.size > 0, 'config-node'],
    [keys.has('max_items'), 'config-node-max'],
    [keys.size > 0, 'create-and-configure'],
    [true, 'create-nodes'],
    [true, 'delete-items'],
    [capable.some(role => role.remove), 'delete-nodes'],
    [def.instantNodes, 'instant-nodes'],
    [true, 'item-ids'],
    // §6.1.7: where it is the default of all nodes
    [def.defaults.send_last_published_item === ON_PRESENCE, 'last-published'],
    [def.options !== undefined, 'leased-subscription'],
    [capable.some(role => role.manageSubscriptions), 'manage-subscriptions'],
    [true, 'meta-data'],
    [capable.some(role => role.transitions), 'modify-affiliations'],
    [keys.has('max_items') && def.limits.maxItems > 1, 'multi-items'],
    [def.multiSubscribe, 'multi-subscribe'],
    [true, 'persistent-items'],
    [def.presence !== undefined, 'presence-notifications'], // §12.6
    [true, 'publish'],
    [keys.has('publish_node_full'), 'publish-node-full'],
    [true, 'publish-options'],
    [capable.some(role => role.purge), 'purge-nodes'],
    [true, 'retract-items'],
    [true, 'retrieve-affiliations'],
    [keys.size > 0, 'retrieve-default'],
    [def.options !== undefined, 'retrieve-default-sub'],
    [true, 'retrieve-items'],
    [true, 'retrieve-subscriptions'],
    [true, 'rsm'], // §6.5.4
    [true, 'subscribe'],
    [true, 'subscription-notifications'], // §12.14
    [def.options !== undefined, 'subscription-options'] // §6.3.1
  ]
  // §4.1: owner and none go without saying
  const affiliations = Object.keys(roles).filter(name => name !== def.roles.owner && name !== 'none')
  return [
    PUBSUB,
    ...has.filter(([can]) => can).map(([, name]) => P + name),
    // those that nodes may have: clients look for them before they offer a choice
    ...Object.keys(def.access)
      .filter(name => def.access[name]?.isOffered?.() !== false)
      .map(name => `${P}access-${name}`),
    ...affiliations.map(name => `${P}${name}-affiliation`),
    ...(def.orderItems ? [ORDER_BY, `${ORDER_BY}@${PUBSUB}`] : []), // XEP-0413 §6
    ...(def.multiSubscribe ? [SHIM] : []) // XEP-0131 §3.1
  ]
}
