import type { Definition } from './definition'
import type { Notification, PubsubEvent } from './events'
import { admitted, isGated } from './gate'
import { tell, type WriteScope } from './scope'
import type { Audience, Awaitable, Node, Recipient, Subscription } from './store'

/** §4.2: who is told of everything. */
export const SUBSCRIBED = ['subscribed'] as const

const NOBODY: readonly Recipient[] = []

/** Whether subscribers of the service differ in how they are told. */
function differ<N extends Node, X>(def: Definition<N, X>): boolean {
  return def.options !== undefined || def.multiSubscribe
}

/** Who is told of the node's events, and how. */
export function audience<N extends Node, X>(scope: WriteScope<N, X>): Awaitable<Audience> {
  const all = subscribed(scope)
  return isGated(scope.def, scope.node) ? gated(scope, all) : all
}

async function gated<N extends Node, X>(
  scope: WriteScope<N, X>,
  all: Awaitable<Audience>
): Promise<Audience> {
  return await admitted(scope, await all)
}

function subscribed<N extends Node, X>({ def, store, node }: WriteScope<N, X>): Awaitable<Audience> {
  if (differ(def)) {
    if (store.audience) return store.audience(node)
    throw new Error('a service with subscription options or SubIDs needs a store with audiences')
  }
  const jids = store.subscribers(node, SUBSCRIBED)
  return jids instanceof Promise
    ? jids.then(plain => ({ plain, special: NOBODY }))
    : { plain: jids, special: NOBODY }
}

/** Tells an audience of items: of what was published or retracted, to each as they wish. */
export function tellAudience(
  notifications: Notification[],
  node: Node,
  { plain, special }: Audience,
  event: PubsubEvent
): void {
  tell(notifications, node, plain, event)
  if (special.length > 0) tellSpecially(notifications, node, special, event)
}

function tellSpecially(
  notifications: Notification[],
  node: Node,
  special: readonly Recipient[],
  event: PubsubEvent
): void {
  const items = event.kind === 'items'
  const together = { plain: [] as string[], body: [] as string[] }
  for (const { jid, subIds, body } of special) {
    const withBody = body && items
    // §7.1.2.4, §7.2.2.2
    if (subIds.length > 0) tell(notifications, node, [jid], event, { subIds, body: withBody })
    else (withBody ? together.body : together.plain).push(jid)
  }
  tell(notifications, node, together.plain, event)
  tell(notifications, node, together.body, event, { body: true })
}

/** Tells an audience of the node itself: nothing in it depends on the subscription (§12.16). */
export function tellAboutNode(
  notifications: Notification[],
  node: Node,
  { plain, special }: Audience,
  event: PubsubEvent
): void {
  tell(notifications, node, plain, event)
  if (special.length > 0) {
    tell(
      notifications,
      node,
      special.map(one => one.jid),
      event
    )
  }
}

/** For stores: the audience of a node's subscriptions. `subIds`: whether there are such (§6.1.6). */
export function audienceOf(subscriptions: Iterable<Subscription>, subIds: boolean): Audience {
  const rows = [...subscriptions]
  if (!subIds && rows.every(one => one.options === undefined)) {
    // where there have been SubIDs an address may be there twice
    return { plain: [...new Set(rows.map(one => one.jid))], special: NOBODY }
  }
  const byAddress = new Map<string, { wanted: string[]; total: number; body: boolean }>()
  for (const one of rows) {
    const of = byAddress.get(one.jid) ?? { wanted: [], total: 0, body: false }
    byAddress.set(one.jid, of)
    of.total++
    if (one.options && !one.options.deliver) continue
    of.wanted.push(String(one.key))
    // §12.8: with a body where one of them asks for it
    of.body ||= one.options?.include_body === true
  }
  const plain: string[] = []
  const special: Recipient[] = []
  for (const [jid, { wanted, total, body }] of byAddress) {
    if (wanted.length === 0) continue
    const several = subIds && total > 1
    if (several || body) special.push({ jid, subIds: several ? wanted : [], body })
    else plain.push(jid)
  }
  return { plain, special }
}
