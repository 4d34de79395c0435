import { el, frozen, type Element } from '#core'
import type { Notification } from '../lib_pubsub'
import { EVENT, notificationContent } from '../lib_pubsub/xml'
import { tombstoneItem } from './items'
import type { ChannelNode, RemovedItem, Standing } from './model'
import type { MemberChange } from './store/journal'
import { MANAGERS } from './roles'
import type { ChannelStore } from './store/write-store'

/** What is sent to whom after the commit: one message to each, with a content that is serialised once. */
export interface Delivery {
  readonly recipients: readonly string[]
  readonly type: 'headline' | 'normal'
  readonly content: Element[]
}

/** Managers of a channel that are told of bans and requests, at most. */
export const MAX_MANAGERS = 50
/** Deleted items in one message; up to so many with their tombstones. */
const RETRACTED = 100
const WITH_TOMBSTONES = 20

/** A notification of the engine's; those of members and deletions are made here. */
export function delivery(notification: Notification): Delivery {
  const { recipients, type, event } = notification
  // a request waits for whoever decides, wherever events go (XEP-0060 §12.13)
  return {
    recipients,
    type: event.kind === 'approval' ? 'normal' : type,
    content: notificationContent(notification)
  }
}

/** protoXEP §6.2: each deleted item, with the tombstone that takes its place. */
export function retractions(
  service: string,
  node: string,
  recipients: readonly string[],
  items: readonly RemovedItem[]
): Delivery[] {
  const deliveries: Delivery[] = []
  if (recipients.length === 0) return deliveries
  for (let i = 0; i < items.length; i += RETRACTED) {
    const some = items.slice(i, i + RETRACTED)
    const content = some.flatMap(item => [
      el('retract', { id: item.id }),
      ...(items.length <= WITH_TOMBSTONES ? [tombstoneItem(service, node, item)] : [])
    ])
    deliveries.push({
      recipients,
      type: 'headline',
      content: [frozen(el('event', EVENT, el('items', { node }, content)))]
    })
  }
  return deliveries
}

/**
 * What has become of members. Everybody hears of followers who come and go and of their roles; of requests and bans
 * only owner, moderators and whoever it is (protoXEP §5.1): for all others somebody who is banned has
 * left.
 */
export async function membershipNews(
  store: ChannelStore,
  changes: readonly MemberChange[]
): Promise<Delivery[]> {
  const deliveries: Delivery[] = []
  const nodes = new Map<number, { node: ChannelNode; changes: MemberChange[] }>()
  for (const change of changes) {
    const { key } = change.node.channel
    if (store.made.has(key)) continue
    const group = nodes.get(key) ?? { node: change.node, changes: [] }
    group.changes.push(change)
    nodes.set(key, group)
  }
  for (const group of nodes.values()) deliveries.push(...(await newsOf(store, group.node, group.changes)))
  return deliveries
}

/** Nodes that went, with their channel. */
export function deletions(nodes: readonly string[], recipients: readonly string[]): Delivery[] {
  if (recipients.length === 0) return []
  return nodes.map(node => ({
    recipients,
    type: 'headline',
    content: [frozen(el('event', EVENT, el('delete', { node })))]
  }))
}

async function newsOf(
  store: ChannelStore,
  node: ChannelNode,
  changes: readonly MemberChange[]
): Promise<Delivery[]> {
  const managers = await store.affiliations(node, { limit: MAX_MANAGERS }, MANAGERS)
  const knowing = new Set(managers.rows.map(row => row.jid))
  const open = changes.map(change => differenceOf(publicly(change.before), publicly(change.after)))
  const followers = open.some(difference => difference !== undefined)
    ? await store.subscribers(node, ['subscribed'])
    : []
  // whoever comes and goes and comes again must not make thousands of messages
  if (followers.length > store.service.memberNews) {
    changes.forEach(({ jid }, i) => (open[i] = jid === store.actor ? undefined : open[i]))
  }
  const full = changes.map(change => differenceOf(change.before, change.after))
  const deliveries: Delivery[] = [membershipEvent(node, [...knowing], changes, full)]
  // whoever is concerned hears all of it, and of the others what everybody hears
  const concerned = new Set<string>()
  changes.forEach((change, i) => {
    const { jid } = change
    if (knowing.has(jid)) return
    const hidden = !same(open[i], full[i])
    const leaves = change.after.subscription !== 'subscribed'
    if (!hidden && !leaves) return
    concerned.add(jid)
    const told = membershipEvent(node, [jid], [change], [full[i]])
    // who is invited decides when they are there
    deliveries.push(change.after.subscription === 'invited' ? { ...told, type: 'normal' } : told)
  })
  if (open.some(difference => difference !== undefined)) {
    const others = followers.filter(jid => !knowing.has(jid) && !concerned.has(jid))
    deliveries.push(membershipEvent(node, others, changes, open))
  }
  return deliveries.filter(one => one.recipients.length > 0)
}

/** What has changed; what has not is left out. */
type Difference = Partial<Standing> | undefined

/** As somebody sees it who must not know of bans and requests. */
export function publicly({ affiliation, subscription }: Readonly<Standing>): Standing {
  return {
    affiliation: affiliation === 'outcast' ? 'none' : affiliation,
    subscription: subscription === 'subscribed' ? subscription : 'none'
  }
}

function differenceOf(before: Readonly<Standing>, after: Readonly<Standing>): Difference {
  const difference = {
    ...(before.affiliation !== after.affiliation && { affiliation: after.affiliation }),
    ...((before.subscription !== after.subscription || before.invitedBy !== after.invitedBy) && {
      subscription: after.subscription,
      ...(after.subscription === 'invited' && { invitedBy: after.invitedBy })
    })
  }
  return Object.keys(difference).length > 0 ? difference : undefined
}

function same(a: Difference, b: Difference): boolean {
  return a?.affiliation === b?.affiliation && a?.subscription === b?.subscription
}

/** The shape that the deployed servers send, with the node on both elements. */
function membershipEvent(
  { name: node }: ChannelNode,
  recipients: readonly string[],
  changes: readonly MemberChange[],
  differences: readonly Difference[]
): Delivery {
  const subscriptions: Element[] = []
  const affiliations: Element[] = []
  changes.forEach(({ jid }, i) => {
    const { subscription, affiliation, invitedBy } = differences[i] ?? {}
    if (subscription !== undefined) {
      subscriptions.push(el('subscription', { node, jid, subscription, 'invited-by': invitedBy }))
    }
    if (affiliation !== undefined) affiliations.push(el('affiliation', { node, jid, affiliation }))
  })
  const event = el(
    'event',
    EVENT,
    subscriptions,
    affiliations.length > 0 && el('affiliations', { node }, affiliations)
  )
  return { recipients, type: 'headline', content: [frozen(event)] }
}
