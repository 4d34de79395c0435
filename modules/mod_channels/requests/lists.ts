import { el, type Element } from '#core'
import { pageByKey, type ListRequest, type NodeListRequest, type SubscriptionState } from '../../lib_pubsub'
import type { ChannelActor } from '../access'
import { pageOf, pubsub } from '../reply'
import { PUBLIC_ROLES } from '../roles'
import type { Channels } from '../service'
import { enterToView } from '../view'

/*
 * Lists. One's own are of all channels; a node's are of the channel's members, answered in the
 * namespace they were asked in. Requests and bans are in them for owner and moderators alone.
 */

type Wrap = typeof pubsub

export async function ownSubscriptions(
  { engine, reader }: Channels,
  actor: ChannelActor,
  request: ListRequest
): Promise<Element> {
  const page = await engine.subscriptionsOf(reader, actor, request)
  const rows = page.entries.map(({ node, jid, state }) =>
    el('subscription', { node, jid, subscription: state })
  )
  return pubsub(el('subscriptions', null, rows), pageOf(page, request.page !== undefined))
}

export async function ownAffiliations(
  { engine, reader }: Channels,
  actor: ChannelActor,
  request: ListRequest
): Promise<Element> {
  const page = await engine.affiliationsOf(reader, actor, request)
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
  const states: SubscriptionState[] = role.manageSubscriptions ? ['subscribed', 'pending'] : ['subscribed']
  const page = await pageByKey(request.page, config.listPage, range =>
    reader.subscriptionsTo(node, range, states)
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
