import { el, StanzaError, type Element } from '#core'
import { nodeName } from '../../lib_channels'
import type { ConfigureRequest, CreateRequest, DeleteRequest, Notification, Outcome } from '../../lib_pubsub'
import { configForm } from '../../lib_pubsub/xml'
import type { ChannelActor } from '../access'
import { CHANNEL_FIELDS } from '../fields'
import { owner, pubsub } from '../reply'
import type { Channels } from '../service'
import type { ChannelStore } from '../store/write-store'

export async function create(
  channels: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: CreateRequest
): Promise<Outcome<Element | undefined>> {
  const { result, notifications } = await channels.engine.create(store, actor, request)
  store.tx.afterCommit(() => channels.following.clear())
  // XEP-0060 §8.1.1: a name that is not the one asked for is told
  return {
    result: result.assigned ? pubsub(el('create', { node: result.node.name })) : undefined,
    notifications
  }
}

/** Title, description, access and default role are the channel's: the node that tells of them is posts. */
export async function configure(
  { engine }: Channels,
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
    const shown = { ...one, event: { ...event, fields: event.fields.filter(field => field.key !== 'owner') } }
    told.push(shown)
    if (posts && posts.name !== one.node) told.push({ ...shown, node: posts.name })
  }
  return { result: undefined, notifications: told }
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
  const { notifications } = await channels.engine.delete(store, actor, request)
  store.tx.afterCommit(() => channels.following.clear())
  return { result: undefined, notifications }
}

/** To whoever may change some of it; owners by name. */
export async function configuration(
  { engine, reader }: Channels,
  actor: ChannelActor,
  request: { node: string }
): Promise<Element> {
  const node = await engine.configuration(reader, actor, request)
  const { rows } = await reader.affiliations(node, { limit: 50 }, ['owner'])
  const config = { ...node.config, owner: rows.map(row => row.jid) }
  return owner(el('configure', { node: node.name }, configForm(CHANNEL_FIELDS, config)))
}

export function defaultConfiguration({ engine }: Channels): Element {
  const { fields, defaults } = engine.definition
  return owner(
    el(
      'default',
      null,
      configForm(
        fields.filter(field => !field.fixed),
        defaults
      )
    )
  )
}
