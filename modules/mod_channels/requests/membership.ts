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
import { invite, isAdmitted } from '../invitations'
import type { ChannelNode, ItemColumns } from '../model'
import { owner, pubsub } from '../reply'
import { MANAGERS, mayInvite } from '../roles'
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
  await store.tables.bounces.forget(store.tx, jid)
  const follower: ChannelActor = { ...actor, invited: await isAdmitted(store, node, jid) }
  const outcome = await engine.subscribe(store, follower, { ...request, jid })
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
  if (jid === actor.bare) {
    const { node, affiliation } = await enterToWrite(engine.definition, store, actor, request.node)
    const member = await store.member(node.channel.key, jid)
    if (member?.subscription === 'invited') {
      await store.endInvitation(node, jid)
      return { result: standing(node.name, jid, 'none', affiliation), notifications: [] }
    }
  }
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
    // everybody who takes part in an ephemeral channel manages it
    const managing = affiliation === undefined || MANAGERS.includes(affiliation)
    if (scope.node.channel.kind === 'ephemeral' && !managing) {
      throw new StanzaError('not-allowed', 'whoever takes part in an ephemeral channel is its moderator')
    }
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

/** An owner's or moderator's: approving, refusing, removing. Invitations are a follower's too. */
export async function changeSubscriptions(
  channels: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: ChangeRequest<SubscriptionChange> & { invited: readonly string[] }
): Promise<Outcome<undefined>> {
  const { engine } = channels
  const changes = request.changes.map(change => ({ ...change, jid: bareOf(change.jid) }))
  const { invited } = request
  if (invited.length > 0) {
    await inviteAll(channels, store, actor, request)
    if (changes.length === 0) return { result: undefined, notifications: [] }
  }
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

async function inviteAll(
  { engine, config }: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  { node: name, changes, invited }: ChangeRequest<SubscriptionChange> & { invited: readonly string[] }
): Promise<void> {
  const { node, affiliation: role } = await enterToWrite(engine.definition, store, actor, name)
  const [own] = await store.subscriptions(node, actor.bare)
  if (!mayInvite(role, own?.state === 'subscribed')) throw new PubsubError('forbidden')
  const named = [...invited, ...changes.map(change => bareOf(change.jid))]
  if (new Set(named).size < named.length)
    throw new PubsubError('badRequest', { text: 'an address is there twice' })
  const { batch } = engine.definition.limits
  if (named.length > batch)
    throw new PubsubError('notAcceptable', { text: `at most ${batch} entries in one request` })
  const refused: string[] = []
  for (const jid of invited) {
    if (jid === actor.bare) throw channelFault('can-not-modify-own-subscription')
    const most = config.invitationsPerChannel
    if (!(await invite(store, { node, jid, by: actor.bare, role, most }))) refused.push(jid)
  }
  const rows = refused.map(jid => el('subscription', { jid, subscription: 'none' }))
  if (rows.length === 0) return
  throw toStanzaError(new PubsubError('notAcceptable'), owner(el('subscriptions', { node: node.name }, rows)))
}

/** Nobody is made a follower who has not asked, and nobody is sent away by those who could not take their role. */
async function checkSubscription(
  { store, node, role }: Scope & { store: ChannelStore },
  jid: string,
  state: string
): Promise<void> {
  const [existing] = await store.subscriptions(node, jid)
  if (existing === undefined && state === 'none') return await store.withdraw(node, jid)
  if (existing === undefined) {
    throw new StanzaError('unexpected-request', { type: 'modify', text: `${jid} has not asked to follow` })
  }
  const current = await store.affiliation(node, jid)
  if (state !== 'none' || current === 'none') return
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
