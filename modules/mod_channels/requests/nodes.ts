import { el, StanzaError, type Element } from '#core'
import { channelFault, nodeName } from '../../lib_channels'
import {
  enterToWrite,
  sameValue,
  type ConfigChanges,
  type ConfigureRequest,
  type CreateRequest,
  type DeleteRequest,
  type NodeConfig,
  type Notification,
  type Outcome
} from '../../lib_pubsub'
import { configForm } from '../../lib_pubsub/xml'
import type { ChannelActor } from '../access'
import { newEphemeralNode } from '../ephemeral'
import { shownFields } from '../fields'
import { owner, pubsub } from '../reply'
import type { Channels } from '../service'
import type { ChannelStore } from '../store/write-store'

export async function create(
  channels: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: CreateRequest
): Promise<Outcome<Element | undefined>> {
  if (request.config?.ephemeral === true)
    store.ephemeral = request.node === undefined ? 'named here' : 'named'
  const node = request.node ?? (store.ephemeral && newEphemeralNode(actor))
  const { result, notifications } = await channels.engine.create(store, actor, {
    ...request,
    ...(node !== undefined && { node })
  })
  store.tx.afterCommit(() => channels.following.clear())
  const { name, channel } = result.node
  // protoXEP §4.3: what a channel has already is said of all its nodes, also with a further one
  const changes = store.made.has(channel.key) ? {} : unusual(channels, request.config)
  const more =
    Object.keys(changes).length > 0
      ? await configure(channels, store, actor, { node: name, config: changes })
      : undefined
  return {
    // XEP-0060 §8.1.1: a name that is not the one asked for is told
    result: name !== request.node ? pubsub(el('create', { node: name })) : undefined,
    notifications: [...notifications, ...(more?.notifications ?? [])]
  }
}

/** What somebody wants of a node, and not what a form of defaults has that a client gives back. */
function unusual({ engine }: Channels, config: ConfigChanges = {}): ConfigChanges {
  const { defaults } = engine.definition
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => !sameValue(value, defaults[key])))
}

/** Title, description, access and default role are the channel's: the node that tells of them is posts. */
export async function configure(
  { engine, isLocal }: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: ConfigureRequest
): Promise<Outcome<undefined>> {
  const { result, notifications } = await engine.configure(store, actor, request)
  const node = await store.lockNode(result.node)
  const posts = node && (await store.lockNode(nodeName(node.channel.jid, 'posts')))
  const told: Notification[] = []
  for (const one of notifications) {
    const { event } = one
    if (event.kind !== 'configuration') {
      told.push(one)
      continue
    }
    // the form of an event has no field for what is not known there
    const fields = event.fields.filter(field => field.key !== 'owner')
    for (const shown of byPlace(isLocal, { ...one, event: { ...event, fields } })) {
      told.push(shown)
      if (posts && posts.name !== one.node) told.push({ ...shown, node: posts.name })
    }
  }
  return { result: undefined, notifications: told }
}

/** protoXEP table 3: to those of other domains a local channel is a closed one. */
function byPlace(
  isLocal: (bare: string) => boolean,
  one: Notification & { event: { kind: 'configuration'; config: NodeConfig | undefined } }
): Notification[] {
  const { event, recipients } = one
  if (event.config?.access_model !== 'local') return [one]
  const here = recipients.filter(isLocal)
  const elsewhere = recipients.filter(jid => !isLocal(jid))
  const closed = { ...event, config: { ...event.config, access_model: 'authorize' } }
  return [
    { ...one, recipients: here },
    { ...one, recipients: elsewhere, event: closed as typeof event }
  ].filter(some => some.recipients.length > 0)
}

export async function remove(
  channels: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: DeleteRequest
): Promise<Outcome<undefined>> {
  if (request.redirect !== undefined) {
    throw new StanzaError('feature-not-implemented', 'a channel cannot be redirected')
  }
  const { node, role } = await enterToWrite(channels.engine.definition, store, actor, request.node)
  if (role.manageSubscriptions && node.channel.kind === 'ephemeral') {
    throw channelFault('can-not-delete-ephemeral-node', 'it goes when the last participant leaves')
  }
  const { notifications } = await channels.engine.delete(store, actor, request)
  store.tx.afterCommit(() => channels.following.clear())
  return { result: undefined, notifications }
}

/** XEP-0060 §8.5: the followers hear of it in one message; what was there leaves no tombstones. */
export async function purge(
  { engine }: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: { node: string }
): Promise<Outcome<undefined>> {
  const { notifications } = await engine.purge(store, actor, request)
  return { result: undefined, notifications }
}

/** To whoever may change some of it; owners by name. */
export async function configuration(
  { engine, reader, config: { newPublishers } }: Channels,
  actor: ChannelActor,
  request: { node: string }
): Promise<Element> {
  const node = await engine.configuration(reader, actor, request)
  const { rows } = await reader.affiliations(node, { limit: 50 }, ['owner'])
  const config: NodeConfig = { ...node.config, owner: rows.map(row => row.jid) }
  return owner(
    el(
      'configure',
      { node: node.name },
      configForm(shownFields(config.ephemeral === true, newPublishers), config)
    )
  )
}

export function defaultConfiguration({ engine, config: { newPublishers } }: Channels): Element {
  const { defaults } = engine.definition
  return owner(
    el(
      'default',
      null,
      configForm(
        shownFields(false, newPublishers).filter(field => !field.fixed),
        defaults
      )
    )
  )
}
