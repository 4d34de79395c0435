import { childOf, el, type Element } from '#core'
import { isTrue } from '../../lib_channels'
import { PubsubError, type ItemsRequest } from '../../lib_pubsub'
import { PUBSUB } from '../../lib_pubsub/xml'
import type { ChannelActor } from '../access'
import { ItemList } from '../items'
import { pageOf, pubsub } from '../reply'
import type { Channels } from '../service'
import { enterToView } from '../view'

/** Items that can be asked for by id, at most. */
const MAX_IDS = 100

/** XEP-0060 §6.5 in the order of channels; `parent-only` for what starts a thread. */
export async function items(
  { engine, reader, config }: Channels,
  actor: ChannelActor,
  request: ItemsRequest,
  element: Element
): Promise<Element> {
  const parentOnly = isTrue(childOf(element, 'items', PUBSUB)?.attrs['parent-only'])
  const { node } = await enterToView(engine.definition, reader, actor, request.node)
  const list = new ItemList(reader, node)
  const { ids = [], page, maxItems } = request
  if (ids.length > MAX_IDS) {
    throw new PubsubError('notAcceptable', { text: `at most ${MAX_IDS} items can be asked for by id` })
  }
  if (ids.length > 0) return pubsub(el('items', { node: node.name }, await list.named(ids)))
  const max = Math.min(maxItems ?? Infinity, config.itemsPerPage)
  const listed = await list.page({ parentOnly, max, page })
  const { entries } = listed
  // with max_items alone there is nothing more to be had
  const described = maxItems === undefined || page !== undefined
  return pubsub(
    el('items', { node: node.name }, entries as Element[]),
    described && pageOf(listed, page !== undefined)
  )
}
