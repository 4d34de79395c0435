import { renderTombstone, type Tombstone } from '../lib_channels'
import { checkPage, PubsubError, type PageInfo, type PageRequest, type Range } from '../lib_pubsub'
import { payloadElement } from '../lib_pubsub/xml'
import { el, type Element } from '#core'
import type { ChannelNode, ItemKind, RemovedItem } from './model'
import type { Found, ItemSource } from './store/item-source'
import type { ChannelReader } from './store/read-store'
import type { TombstoneRow } from './store/tombstone-table'

/*
 * Items as channels list them: newest first (draft 2014-01 §7.4), with tombstones in the place of what is gone.
 */

export interface ItemsQuery {
  /** Entries, at most. */
  max: number
  page: PageRequest | undefined
}

/** A page of a list, newest first. */
export interface ListedItems extends PageInfo {
  rows: readonly Found[]
  complete: boolean
}

/** Bytes in a page: it ends earlier, but never without an item (draft 2014-01 §7.4). */
const PAGE_BYTES = 60_000
/** Bytes of an item beside its payload, and of a tombstone. */
const ITEM_BYTES = 200
const TOMBSTONE_BYTES = 1000
/** How far the place of a page is counted (XEP-0059 §2.2). */
const SCAN = 10_000

/** A page of a list, from the newest on. */
export async function pageOfItems(
  store: ChannelReader,
  node: ChannelNode,
  source: ItemSource,
  { max: most, page }: ItemsQuery
): Promise<ListedItems> {
  const max = checkPage(page, most)
  if (page?.index !== undefined) throw new PubsubError('indexNotSupported')
  const whole = source.count
  if (max === 0) return { rows: [], complete: whole === 0, ...(whole !== undefined && { count: whole }) }
  // newest first: what is after an item is older
  const oldestFirst = page?.before !== undefined
  const range: Range = { limit: max + 1, newest: !oldestFirst }
  if (page?.after !== undefined) range.before = await placeOf(source, page.after)
  if (page?.before) range.after = await placeOf(source, page.before)
  const rows = await source.rows(range)
  const kept = fitting(oldestFirst ? rows.slice(0, max) : [...rows].reverse().slice(0, max))
  if (oldestFirst) kept.reverse()
  const first = kept[0]
  const last = kept[kept.length - 1]
  const complete = rows.length === kept.length && page?.after === undefined && !page?.before
  const count = whole ?? (complete ? kept.length : undefined)
  const info: PageInfo = count === undefined ? {} : { count }
  if (first && last) {
    info.first = idOf(store, node, first)
    info.last = idOf(store, node, last)
    const index = await indexOf(source, page, { first, count, size: kept.length })
    if (index !== undefined) info.index = index
  }
  return { rows: kept, complete, ...info }
}

async function placeOf(source: ItemSource, id: string): Promise<number> {
  const place = await source.placeOf(id)
  if (place === undefined) throw new PubsubError('pageNotFound') // XEP-0059 §2.4
  return place
}

/** How many are before the page, where that is cheap to know. */
async function indexOf(
  source: ItemSource,
  page: PageRequest | undefined,
  { first, count, size }: { first: Found; count: number | undefined; size: number }
): Promise<number | undefined> {
  if (page?.after === undefined && page?.before === undefined) return 0
  if (page.before === '' && count !== undefined) return count - size
  const newer = await source.countNewer(first.place, SCAN + 1)
  return newer === undefined || newer > SCAN ? undefined : newer
}

/** As many as fit into a stanza, from the end at which the page begins. */
export function fitting(rows: Found[], room = PAGE_BYTES): Found[] {
  let left = room
  const end = rows.findIndex((row, taken) => (left -= bytesOf(row)) < 0 && taken > 0)
  return end < 0 ? rows : rows.slice(0, end)
}

export function bytesOf({ item }: Found): number {
  return item ? ITEM_BYTES + Buffer.byteLength(item.payload ?? '') : TOMBSTONE_BYTES
}

export function idOf(store: ChannelReader, node: ChannelNode, { item, tombstone }: Found): string {
  return store.wireId(node, (item ?? tombstone).item_id)
}

/** A row as it is answered; `extras` are what is told of items beside their payloads, by their keys. */
export function itemElement(
  store: ChannelReader,
  node: ChannelNode,
  row: Found,
  extras?: ReadonlyMap<number, Element>
): Element {
  if (row.tombstone) return buriedElement(store, node, row.tombstone)
  const { id, payload } = row.item
  return el(
    'item',
    { id: idOf(store, node, row) },
    payload !== null && payloadElement(payload),
    extras?.get(id)
  )
}

function buriedElement(
  store: ChannelReader,
  node: ChannelNode,
  { item_id, kind, parent_item, created, deleted }: TombstoneRow
): Element {
  return tombstoneItem(store.service.name, node.name, {
    id: store.wireId(node, item_id),
    kind,
    parentId: parent_item === null ? undefined : store.wireId(node, parent_item),
    createdAt: created,
    removedAt: deleted
  })
}

/** What stands in the place of an item that was deleted (protoXEP example 11). */
export function tombstoneItem(service: string, node: string, gone: Omit<RemovedItem, 'key'>): Element {
  const { id, kind, parentId } = gone
  const tombstone: Tombstone = {
    id,
    ...names(kind),
    ...(parentId !== undefined && { inReplyTo: parentId }),
    published: gone.createdAt,
    deleted: gone.removedAt
  }
  return el('item', { id }, renderTombstone(service, node, tombstone))
}

function names(kind: ItemKind): { objectType: string; verb: string } {
  return { objectType: kind === 'post' ? 'note' : 'comment', verb: kind === 'rating' ? 'rated' : 'post' }
}
