import { childOf, el, type Element } from '#core'
import { isTrue, readRatingsWish, type RatingsWish } from '../../lib_channels'
import { PubsubError, type ItemsRequest, type PageRequest } from '../../lib_pubsub'
import { PUBSUB } from '../../lib_pubsub/xml'
import type { ChannelActor } from '../access'
import { fitting, idOf, itemElement, pageOfItems } from '../items'
import type { ChannelNode } from '../model'
import { pageOf, pubsub } from '../reply'
import type { Channels } from '../service'
import { isItem, NodeItems, rowOf, type Found, type ItemSource } from '../store/item-source'
import { enterToView } from '../view'

/** Items that can be asked for by id, at most. */
const MAX_IDS = 100

/** XEP-0060 §6.5 in the order of channels; `parent-only` for what starts a thread. */
export async function items(
  channels: Channels,
  actor: ChannelActor,
  request: ItemsRequest,
  element: Element,
  extensions: readonly Element[] = []
): Promise<Element> {
  const { engine, reader, config } = channels
  const parentOnly = isTrue(childOf(element, 'items', PUBSUB)?.attrs['parent-only'])
  const wish = channels.granted(readRatingsWish(extensions))
  const { node } = await enterToView(engine.definition, reader, actor, request.node)
  const { ids = [], page, maxItems } = request
  if (ids.length > 0) return await named(channels, actor, node, { ids, wish })
  const source = new NodeItems(reader, node, { parentOnly, noRatings: wish.hide })
  const max = Math.min(maxItems ?? Infinity, config.itemsPerPage)
  // with max_items alone there is nothing more to be had
  const described = maxItems === undefined || page !== undefined
  return await listed(channels, actor, { node, source, max, page, wish, described })
}

/** One list of items, as somebody wants it. */
export interface Listing {
  node: ChannelNode
  source: ItemSource
  /** Items in the page, at most. */
  max: number
  page: PageRequest | undefined
  wish: RatingsWish
  /** Whether the page is described where it is not the whole. */
  described?: boolean
}

/** The answer to a request for a list: whoever calls this has asked whether the actor may read it. */
export async function listed(
  channels: Channels,
  actor: ChannelActor,
  { node, source, max, page, wish, described = true }: Listing
): Promise<Element> {
  const { reader } = channels
  const list = await pageOfItems(reader, node, source, { max, page })
  const extras = await summaries(channels, actor, list.rows, wish)
  return pubsub(
    el(
      'items',
      { node: node.name },
      list.rows.map(row => itemElement(reader, node, row, extras))
    ),
    described && pageOf(list, page !== undefined)
  )
}

/** Those of these ids that are there, or were (XEP-0060 §6.5.9.12), in that order, as many as fit. */
async function named(
  channels: Channels,
  actor: ChannelActor,
  node: ChannelNode,
  { ids, wish }: { ids: readonly string[]; wish: RatingsWish }
): Promise<Element> {
  if (ids.length > MAX_IDS) {
    throw new PubsubError('notAcceptable', { text: `at most ${MAX_IDS} items can be asked for by id` })
  }
  const { reader } = channels
  const found: Found[] = []
  for (const id of new Set(ids)) {
    const row = await rowOf(reader, node, id)
    if (row) found.push(isItem(row) ? { place: row.seq, item: row } : { place: row.seq, tombstone: row })
  }
  const rows = fitting(found)
  const complete = rows.length === found.length
  const extras = await summaries(channels, actor, rows, wish)
  const [first] = rows
  const last = rows[rows.length - 1]
  return pubsub(
    el(
      'items',
      { node: node.name },
      rows.map(row => itemElement(reader, node, row, extras))
    ),
    first &&
      last &&
      pageOf(
        { complete, first: idOf(reader, node, first), last: idOf(reader, node, last), count: found.length },
        false
      )
  )
}

/** What is told of the ratings of posts and comments, to those who want it: by the items' keys. */
export async function summaries(
  channels: Channels,
  actor: ChannelActor,
  rows: readonly Found[],
  { summary }: RatingsWish
): Promise<ReadonlyMap<number, Element> | undefined> {
  if (!summary) return undefined
  const rateable = rows.flatMap(({ item }) =>
    item && (item.kind === 'post' || item.kind === 'comment') ? [item.id] : []
  )
  return await channels.summaries(actor.bare, rateable)
}
