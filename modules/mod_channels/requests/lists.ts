import { childrenOf, el, type Element } from '#core'
import { BUDDYCLOUD, isTrue } from '../../lib_channels'
import { pageByKey, type ListRequest, type NodeListRequest, type SubscriptionState } from '../../lib_pubsub'
import type { ChannelActor } from '../access'
import { pageOf, pubsub } from '../reply'
import { PUBLIC_ROLES } from '../roles'
import type { Channels } from '../service'
import type { Listed } from '../store/member-table'
import { enterToView } from '../view'

/*
 * Lists. One's own are of all channels; a node's are of the channel's members, answered in the
 * namespace they were asked in. Requests and bans are in them for owner and moderators alone.
 */

type Wrap = typeof pubsub

/** A list of one's own is of lasting channels, or with `bc:ephemeral='true'` of ephemeral ones. */
export function listedIn(element: Element): Listed {
  const list = childrenOf(element)[0]
  for (const [name, value] of Object.entries<string>(list?.attrs ?? {})) {
    const [prefix, local] = name.split(':')
    if (local !== 'ephemeral' || list?.attrs[`xmlns:${prefix}`] !== BUDDYCLOUD) continue
    return isTrue(value) ? 'ephemeral' : 'lasting'
  }
  return 'lasting'
}

export async function ownSubscriptions(
  { engine, reader }: Channels,
  actor: ChannelActor,
  request: ListRequest,
  listed: Listed
): Promise<Element> {
  const page = await engine.subscriptionsOf(reader.listing(listed), actor, request)
  const rows = page.entries.map(entry => {
    const { node, jid, state, invitedBy } = entry as typeof entry & { invitedBy?: string }
    return el('subscription', { node, jid, subscription: state, 'invited-by': invitedBy })
  })
  return pubsub(el('subscriptions', null, rows), pageOf(page, request.page !== undefined))
}

export async function ownAffiliations(
  { engine, reader }: Channels,
  actor: ChannelActor,
  request: ListRequest,
  listed: Listed
): Promise<Element> {
  const page = await engine.affiliationsOf(reader.listing(listed), actor, request)
  const rows = page.entries.map(({ node, affiliation }) => el('affiliation', { node, affiliation }))
  return pubsub(el('affiliations', null, rows), pageOf(page, request.page !== undefined))
}

export async function followers(
  { engine, reader, config }: Channels,
  actor: ChannelActor,
  request: NodeListRequest,
  wrap: Wrap
): Promise<Element> {
  const { node, role } = await enterToView(engine.definition, reader, actor, request.node)
  const states = role.manageSubscriptions ? ['subscribed', 'pending', 'invited'] : ['subscribed']
  const page = await pageByKey(request.page, config.listPage, range =>
    reader.subscriptionsTo(node, range, states as SubscriptionState[])
  )
  const rows = page.entries.map(({ jid, state }) =>
    el('subscription', { node: node.name, jid, subscription: state })
  )
  return wrap(el('subscriptions', { node: node.name }, rows), pageOf(page, request.page !== undefined))
}

export async function members(
  { engine, reader, config }: Channels,
  actor: ChannelActor,
  request: NodeListRequest,
  wrap: Wrap
): Promise<Element> {
  const { node, role } = await enterToView(engine.definition, reader, actor, request.node)
  const only = role.listAffiliations === 'all' ? undefined : PUBLIC_ROLES
  const page = await pageByKey(request.page, config.listPage, range => reader.affiliations(node, range, only))
  const rows = page.entries.map(({ jid, affiliation }) =>
    el('affiliation', { node: node.name, jid, affiliation })
  )
  return wrap(el('affiliations', { node: node.name }, rows), pageOf(page, request.page !== undefined))
}
