import { childOf, el, firstChild, type Element } from '#core'
import { ATOM, channelFault, isAtom, parseNodeName } from '../../lib_channels'
import type { Outcome, PublishRequest, RetractRequest } from '../../lib_pubsub'
import { PUBSUB } from '../../lib_pubsub/xml'
import { retractions, type Delivery } from '../announce'
import type { ChannelActor } from '../access'
import { readPublication, type Publication } from '../publication'
import { pubsub } from '../reply'
import type { Channels } from '../service'
import type { ChannelStore } from '../store/write-store'

/** A request to publish, read before its write unit. */
export interface PreparedPublish {
  request: PublishRequest
  publication: Publication
}

/** protoXEP §6.3: reads the payload by the type of the node. */
export function preparePublish(request: PublishRequest, element: Element): PreparedPublish {
  const name = parseNodeName(request.node)
  if (name === undefined) throw channelFault('invalid-node-format', 'a node is /user/<bare JID>/<type>')
  const action = childOf(element, 'publish', PUBSUB)
  const item = action && childOf(action, 'item', PUBSUB)
  const publication = readPublication(name.type, item && firstChild(item))
  if (request.item === undefined || !isAtom(name.type)) return { request, publication }
  // what is wrong with an entry is said by the codes of channels, when the right to publish is clear
  const payload = { xml: request.item.payload?.xml ?? '', name: 'entry', ns: ATOM }
  return { request: { ...request, item: { ...request.item, payload } }, publication }
}

export async function publish(
  { engine }: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  { request, publication }: PreparedPublish
): Promise<Outcome<Element>> {
  store.publication = publication
  const { result, notifications } = await engine.publish(store, actor, request)
  return {
    result: pubsub(el('publish', { node: result.node }, el('item', { id: result.id }))),
    notifications
  }
}

/** protoXEP §6.2. Everybody is told, whatever `notify` says: who keeps a copy must know that it is gone. */
export async function retract(
  { engine, name }: Channels,
  store: ChannelStore,
  actor: ChannelActor,
  request: RetractRequest
): Promise<Outcome<undefined> & { deliveries: Delivery[] }> {
  const { result } = await engine.retract(store, actor, request)
  const node = await store.lockNode(result.node)
  const recipients = node ? await store.subscribers(node, ['subscribed']) : []
  return {
    result: undefined,
    notifications: [],
    deliveries: retractions(name, result.node, recipients, store.removed)
  }
}
