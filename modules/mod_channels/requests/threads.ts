import { el, NS, type Element } from '#core'
import {
  channelFault,
  companionsOf,
  dateTime,
  isGlobal,
  localId,
  parseTag,
  payloadFault,
  type RatingsWish
} from '../../lib_channels'
import { PubsubError, type PageInfo } from '../../lib_pubsub'
import type { ChannelActor } from '../access'
import { bytesOf, fitting, idOf, itemElement, pageOfItems } from '../items'
import type { ChannelNode } from '../model'
import { pageOf, pubsub } from '../reply'
import type { Channels } from '../service'
import type { ItemRow } from '../store/item-table'
import { NodeItems, rootOf, rowOf, ThreadItems, type Found } from '../store/item-source'
import type { TombstoneRow } from '../store/tombstone-table'
import { enterToView } from '../view'
import { listed, summaries } from './items'

/*
 * Threads (draft 2014-01 §7.5, §7.6): the replies to a post, a whole thread, and the threads of a node. Whoever may
 * read the node's items may read these, and nobody else.
 */

/** Threads in a page where nobody says how many. */
const THREADS = 15
/** Bytes in an answer (draft 2014-01 §7.4). */
const PAGE_BYTES = 60_000

/** What answers a post, newest first. */
export async function replies(
  channels: Channels,
  actor: ChannelActor,
  element: Element,
  request: Element
): Promise<Element> {
  const { page, wish } = wanted(channels, element, request)
  const { node, row } = await namedItem(channels, actor, request)
  const source = new ThreadItems(channels.reader, node, row, { withRoot: false, noRatings: wish.hide })
  return await listed(channels, actor, { node, source, max: channels.config.itemsPerPage, page, wish })
}

/** A post with what answers it, newest first; either may be named. */
export async function thread(
  channels: Channels,
  actor: ChannelActor,
  element: Element,
  request: Element
): Promise<Element> {
  const { page, wish } = wanted(channels, element, request)
  const { node, row } = await namedItem(channels, actor, request)
  const { reader, config } = channels
  const root = await rootOf(reader, node, row)
  // what started the thread is forgotten, and the rest of it will be
  if (root === undefined) throw notFound()
  const source = new ThreadItems(reader, node, root, { withRoot: true, noRatings: wish.hide })
  return await listed(channels, actor, { node, source, max: config.itemsPerPage, page, wish })
}

/** The threads of a node, those with the newest activity first, each from its post to its newest answer. */
export async function threads(
  channels: Channels,
  actor: ChannelActor,
  element: Element,
  request: Element
): Promise<Element> {
  const { page, wish } = wanted(channels, element, request)
  const { engine, reader, config } = channels
  const { node } = await enterToView(engine.definition, reader, actor, nodeOf(request))
  const source = new NodeItems(reader, node, { parentOnly: true, noRatings: wish.hide })
  const max = page?.max === undefined ? Math.min(THREADS, config.itemsPerPage) : config.itemsPerPage
  const list = await pageOfItems(reader, node, source, { max, page })
  const fromTheEnd = page?.before !== undefined
  const shown = await fill(channels, node, fromTheEnd ? [...list.rows].reverse() : list.rows, wish)
  if (fromTheEnd) shown.reverse()
  const all = shown.flatMap(({ root, answers }) => [root, ...answers])
  const extras = await summaries(channels, actor, all, wish)
  const rows = shown.map(one => threadElement(channels, node, one, extras))
  return pubsub(
    rows,
    pageOf({ ...list, ...cut(channels, node, list, shown, fromTheEnd) }, page !== undefined)
  )
}

/** A thread in a page of threads. */
interface Shown {
  root: Found
  /** Oldest first. */
  answers: readonly Found[]
  /** Whether there are older answers than these. */
  more: boolean
}

/** The threads with their answers, one after the other, until the answer is full; never without one. */
async function fill(
  channels: Channels,
  node: ChannelNode,
  roots: readonly Found[],
  { hide }: RatingsWish
): Promise<Shown[]> {
  const { reader, config } = channels
  const shown: Shown[] = []
  let room = PAGE_BYTES
  for (const root of roots) {
    const source = new ThreadItems(reader, node, root.item ?? root.tombstone, {
      withRoot: false,
      noRatings: hide
    })
    const found = await source.rows({ limit: config.itemsPerPage + 1, newest: true })
    const newestFirst = found.reverse().slice(0, config.itemsPerPage)
    const bytes = [root, ...newestFirst].reduce((sum, row) => sum + bytesOf(row), 0)
    const first = shown.length === 0
    if (bytes > room && !first) break
    const kept = bytes > room ? fitting(newestFirst, room - bytesOf(root)) : newestFirst
    room -= bytes
    shown.push({ root, answers: [...kept].reverse(), more: kept.length < found.length })
  }
  return shown
}

/** What is to be said of a page that got shorter. */
function cut(
  { reader }: Channels,
  node: ChannelNode,
  { rows, index }: { rows: readonly Found[] } & PageInfo,
  shown: readonly Shown[],
  fromTheEnd: boolean
): PageInfo & { complete?: boolean } {
  const [first] = shown
  const last = shown[shown.length - 1]
  const left = rows.length - shown.length
  if (left === 0 || first === undefined || last === undefined) return {}
  return {
    complete: false,
    first: idOf(reader, node, first.root),
    last: idOf(reader, node, last.root),
    ...(index !== undefined && { index: index + (fromTheEnd ? left : 0) })
  }
}

/**
 * A thread as the deployed servers answer it. Where it is not whole, the page in it says from where on: as
 * `thread` is asked for, newest first.
 */
function threadElement(
  { reader }: Channels,
  node: ChannelNode,
  { root, answers, more }: Shown,
  extras: ReadonlyMap<number, Element> | undefined
): Element {
  const newest = answers[answers.length - 1]
  const [oldest] = answers
  const updated = Math.max(...[root, ...answers].map(timeOf))
  return el(
    'thread',
    { node: node.name, id: idOf(reader, node, root), updated: dateTime(updated) },
    [root, ...answers].map(row => itemElement(reader, node, row, extras)),
    more &&
      newest &&
      oldest &&
      el(
        'set',
        NS.RSM,
        el('first', null, idOf(reader, node, newest)),
        el('last', null, idOf(reader, node, oldest))
      )
  )
}

function timeOf({ item, tombstone }: Found): number {
  return item ? item.updated : tombstone.created
}

/** What goes with the request; before anything is looked for. */
function wanted(channels: Channels, element: Element, request: Element) {
  const { page, wish } = companionsOf(element, request)
  return { page, wish: channels.granted(wish) }
}

function nodeOf(request: Element): string {
  const node: string | undefined = request.attrs.node
  if (node === undefined || node === '') throw new PubsubError('nodeIdRequired')
  return node
}

/** The item that is named by either form of its id, in a node that the actor may read. */
async function namedItem(
  { engine, reader, name: service }: Channels,
  actor: ChannelActor,
  request: Element
): Promise<{ node: ChannelNode; row: ItemRow | TombstoneRow }> {
  const name = nodeOf(request)
  const id: string | undefined = request.attrs.item_id
  if (id === undefined || id === '') throw payloadFault('itemid-required')
  const { node } = await enterToView(engine.definition, reader, actor, name)
  if (localId(id, service, node.name) === undefined && isGlobal(id) && parseTag(id) === undefined) {
    throw channelFault('global-id-error', 'no global item id')
  }
  const row = await rowOf(reader, node, id)
  if (row === undefined) throw notFound()
  return { node, row }
}

function notFound() {
  return channelFault('parent-item-not-found')
}
