import {
  childOf,
  childrenOf,
  HANDLED,
  StanzaError,
  type Context,
  type Element,
  type StanzaEvent
} from '#core'
import { BUDDYCLOUD, RATINGS } from '../../lib_channels'
import { unsupported, type Outcome } from '../../lib_pubsub'
import { asAnswer, parseRequest, PUBSUB, type Operation } from '../../lib_pubsub/xml'
import type { ChannelActor } from '../access'
import type { Delivery } from '../announce'
import type { ChannelsConfig } from '../config'
import { owner, pubsub } from '../reply'
import type { Channels } from '../service'
import type { ChannelStore } from '../store/write-store'
import { items } from './items'
import { followers, listedIn, members, ownAffiliations, ownSubscriptions } from './lists'
import { changeAffiliations, changeSubscriptions, subscribe, unsubscribe } from './membership'
import { takeInvitations, type Uninvited } from './invited'
import { configuration, configure, create, defaultConfiguration, purge, remove } from './nodes'
import { preparePublish, publish, retract } from './publish'
import { subscriptionsWithConfiguration } from './subscribed'
import { replies, thread, threads } from './threads'

type Write = Extract<Operation, { write: true }>
type Read = Extract<Operation, { write: false }>
type Work = (
  store: ChannelStore
) => Promise<Outcome<Element | undefined> & { deliveries?: readonly Delivery[] }>

/** Beside a request for items. */
const EXTENSIONS = { extensions: [RATINGS] }

type Own = (channels: Channels, actor: ChannelActor, pubsub: Element, request: Element) => Promise<Element>

/** Requests of channels that read; `threads` is taken in the namespace of XEP-0060 too, as old clients ask. */
const OWN: Readonly<Record<string, Own>> = {
  replies,
  thread,
  threads,
  'subscriptions-with-configuration': subscriptionsWithConfiguration
}

/** What is in `<pubsub/>`: a request of XEP-0060, or one of channels that another module answers. */
export async function answer(
  ctx: Context<ChannelsConfig>,
  channels: Channels,
  actor: ChannelActor,
  event: StanzaEvent,
  element: Element
): Promise<Element | undefined> {
  const request = childrenOf(element, undefined, BUDDYCLOUD)[0] ?? childOf(element, 'threads', PUBSUB)
  if (request) {
    const own = Object.hasOwn(OWN, request.name) ? OWN[request.name] : undefined
    if (own) return await readOwn(own, channels, actor, event, element, request)
    const handled = await ctx.run('channels/request', { stanza: event, pubsub: element, request, actor })
    if (handled === HANDLED) return undefined
    throw new StanzaError('feature-not-implemented', `<${request.name}/> is not offered here`)
  }
  try {
    const type = event.stanza.attrs.type === 'get' ? 'get' : 'set'
    const { element: request, invited } = takeInvitations(element)
    const operation = parseRequest(channels.engine.definition, type, request, EXTENSIONS)
    if (operation.extensions && operation.name !== 'items') {
      throw new StanzaError('bad-request', { type: 'modify', text: 'ratings are asked for with items' })
    }
    if (!operation.write) return await read(channels, actor, operation, element)
    const { result, deliveries } = await channels.write(
      actor.bare,
      event,
      workOf(channels, actor, operation, { element, invited })
    )
    // first the answer, then the news
    event.reply(result)
    channels.send(deliveries)
    return undefined
  } catch (error) {
    throw asAnswer(error)
  }
}

async function readOwn(
  own: Own,
  channels: Channels,
  actor: ChannelActor,
  event: StanzaEvent,
  element: Element,
  request: Element
): Promise<Element> {
  if (event.stanza.attrs.type !== 'get') {
    throw new StanzaError('bad-request', { type: 'modify', text: `<${request.name}/> is asked for by a get` })
  }
  try {
    return await own(channels, actor, element, request)
  } catch (error) {
    throw asAnswer(error)
  }
}

/** What is done in the write unit; what can be read before is read here. */
function workOf(
  channels: Channels,
  actor: ChannelActor,
  operation: Write,
  { element, invited }: Uninvited
): Work {
  switch (operation.name) {
    case 'publish': {
      channels.limits.publish(actor.bare)
      const prepared = preparePublish(operation.request, element)
      return store => publish(channels, store, actor, prepared)
    }
    case 'retract':
      return store => retract(channels, store, actor, operation.request)
    case 'subscribe':
      return store => subscribe(channels, store, actor, operation.request)
    case 'unsubscribe':
      return store => unsubscribe(channels, store, actor, operation.request)
    case 'changeSubscriptions':
      return store => changeSubscriptions(channels, store, actor, { ...operation.request, invited })
    case 'changeAffiliations':
      return store => changeAffiliations(channels, store, actor, operation.request)
    case 'create':
      return store => create(channels, store, actor, operation.request)
    case 'configure':
      return store => configure(channels, store, actor, operation.request)
    case 'delete':
      return store => remove(channels, store, actor, operation.request)
    case 'purge':
      return store => purge(channels, store, actor, operation.request)
    case 'setOptions':
      throw unsupported('subscription-options')
  }
}

async function read(
  channels: Channels,
  actor: ChannelActor,
  operation: Read,
  element: Element
): Promise<Element> {
  switch (operation.name) {
    case 'items':
      return await items(channels, actor, operation.request, element, operation.extensions)
    case 'configuration':
      return await configuration(channels, actor, operation.request)
    case 'defaultConfiguration':
      return defaultConfiguration(channels)
    case 'options':
    case 'defaultOptions':
      throw unsupported('subscription-options')
    case 'subscriptionsOf': {
      const { node, ...rest } = operation.request
      if (node === undefined) return await ownSubscriptions(channels, actor, rest, listedIn(element))
      return await followers(channels, actor, { ...rest, node }, pubsub)
    }
    case 'affiliationsOf': {
      const { node, ...rest } = operation.request
      if (node === undefined) return await ownAffiliations(channels, actor, rest, listedIn(element))
      return await members(channels, actor, { ...rest, node }, pubsub)
    }
    case 'subscriptionsTo':
      return await followers(channels, actor, operation.request, owner)
    case 'affiliations':
      return await members(channels, actor, operation.request, owner)
  }
}
