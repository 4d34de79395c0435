import { el, StanzaError, type Element } from '#core'
import { channelFault } from '../../lib_channels'
import {
  bareOf,
  enterToWrite,
  mayChange,
  PubsubError,
  type AffiliationChange,
  type Changed,
  type ChangeRequest,
  type Outcome,
  type SubscribeRequest,
  type SubscriptionChange,
  type WriteScope
} from '../../lib_pubsub'
import { toStanzaError } from '../../lib_pubsub/xml'
import type { ChannelActor } from '../access'
import type { ChannelNode, ItemColumns } from '../model'
import { owner, pubsub } from '../reply'
import type { Channels } from '../service'
import type { ChannelStore } from '../store/write-store'

type Scope = WriteScope<ChannelNode, ItemColumns>

/**
 * Following: whoever subscribes to one node of a channel follows all of it (protoXEP §5.4), with the bare JID,
 * whose server knows where the person is. To follow again is no mistake: the state is told.
 */
export async function subscribe(
  { engine }: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: SubscribeRequest
): Promise<Outcome<Element>> {
  const jid = bareOf(request.jid)
  if (jid !== actor.bare) throw new PubsubError('invalidJid')
  const { node, affiliation, role } = await enterToWrite(engine.definition, store, actor, request.node)
  const [existing] = await store.subscriptions(node, jid)
  if (existing && role.subscribe !== 'never') {
    return { result: standing(node.name, jid, existing.state, affiliation), notifications: [] }
  }
  const outcome = await engine.subscribe(store, actor, { ...request, jid })
  const { result, notifications } = outcome
  return { result: standing(result.node, jid, result.state, result.affiliation), notifications }
}

export async function unsubscribe(
  { engine }: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: SubscribeRequest
): Promise<Outcome<Element>> {
  const jid = bareOf(request.jid)
  const { result, notifications } = await engine.unsubscribe(store, actor, { ...request, jid })
  return { result: standing(result.node, jid, result.state, result.affiliation), notifications }
}

/** The answer of the deployed servers: with the role beside the subscription. */
function standing(node: string, jid: string, subscription: string, affiliation: string): Element {
  return pubsub(
    el('subscription', { node, jid, subscription }),
    el('affiliation', { node, jid, affiliation })
  )
}

/** An owner's or moderator's: roles of others. */
export async function changeAffiliations(
  { engine }: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: ChangeRequest<AffiliationChange>
): Promise<Outcome<undefined>> {
  const scope = await manage(engine.definition, store, actor, request.node)
  for (const { jid, affiliation } of request.changes) {
    const bare = bareOf(jid)
    if (bare === actor.bare) throw channelFault('can-not-modify-own-affiliation')
    if (affiliation !== undefined) await checkTransition(scope, bare, affiliation)
  }
  return whole(
    'affiliations',
    await engine.changeAffiliations(store, actor, request),
    ({ jid, affiliation }) => el('affiliation', { jid, affiliation })
  )
}

async function checkTransition(
  { store, node, role }: Scope,
  jid: string,
  affiliation: string
): Promise<void> {
  const current = await store.affiliation(node, jid)
  if (current === affiliation) return
  // draft 2014-01 §4.1: the owner of a personal channel does not change
  if (jid === node.channel.jid) throw new StanzaError('not-allowed', 'a personal channel is its person’s')
  if (!mayChange(role, false, current, affiliation)) throw new PubsubError('forbidden')
}

/** An owner's or moderator's: approving, refusing, removing. */
export async function changeSubscriptions(
  { engine }: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: ChangeRequest<SubscriptionChange>
): Promise<Outcome<undefined>> {
  const changes = request.changes.map(change => ({ ...change, jid: bareOf(change.jid) }))
  const scope = await manage(engine.definition, store, actor, request.node)
  for (const { jid, state } of changes) {
    if (jid === actor.bare) throw channelFault('can-not-modify-own-subscription')
    if (state !== undefined) await checkSubscription(scope, jid, state)
  }
  return whole(
    'subscriptions',
    await engine.changeSubscriptions(store, actor, { ...request, changes }),
    one => el('subscription', { jid: one.jid, subscription: one.state })
  )
}

/** Nobody is made a follower who has not asked, and nobody is sent away by those who could not take their role. */
async function checkSubscription({ store, node, role }: Scope, jid: string, state: string): Promise<void> {
  const [existing] = await store.subscriptions(node, jid)
  if (existing === undefined && state !== 'none') {
    throw new StanzaError('unexpected-request', { type: 'modify', text: `${jid} has not asked to follow` })
  }
  const current = await store.affiliation(node, jid)
  if (state !== 'none' || existing === undefined || current === 'none') return
  if (jid === node.channel.jid) throw channelFault('node-must-have-owner')
  if (!mayChange(role, false, current, 'none')) throw new PubsubError('forbidden')
}

async function manage(
  definition: Channels['engine']['definition'],
  store: ChannelStore,
  actor: ChannelActor,
  name: string
): Promise<Scope & { store: ChannelStore }> {
  const scope = await enterToWrite(definition, store, actor, name)
  if (!scope.role.manageSubscriptions) throw new PubsubError('forbidden')
  return { ...scope, store }
}

/** All changes of a request or none: what is impossible undoes the others with the unit. */
function whole<T>(
  name: string,
  { result, notifications }: Outcome<Changed<T>>,
  row: (rejected: T) => Element
): Outcome<undefined> {
  const { node, rejected } = result
  if (rejected.length === 0) return { result: undefined, notifications }
  throw toStanzaError(new PubsubError('notAcceptable'), owner(el(name, { node }, rejected.map(row))))
}
