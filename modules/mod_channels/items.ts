import { renderTombstone, type Tombstone } from '../lib_channels'
import { checkPage, PubsubError, type PageInfo, type PageRequest, type Range } from '../lib_pubsub'
import { payloadElement } from '../lib_pubsub/xml'
import { el, type Element } from '#core'
import type { ChannelNode, ItemKind, RemovedItem } from './model'
import type { ItemRow } from './store/item-table'
import type { ChannelReader } from './store/read-store'
import type { TombstoneRow } from './store/tombstone-table'

/*
 * Items as channels list them: newest first (draft 2014-01 §7.4), with tombstones in the place of what is gone. The
 * whole list is in order of publication, where an edit counts as one; threads (`parent-only`) are in order of their
 * newest activity, so a reply brings its thread to the top.
 */

/** A row of either table, with its place. */
type Found =
  | { place: number; item: ItemRow; tombstone?: never }
  | { place: number; tombstone: TombstoneRow; item?: never }

export interface ItemsQuery {
  /** Only what starts a thread. */
  parentOnly: boolean
  /** Entries, at most. */
  max: number
  page: PageRequest | undefined
}

export interface ListedItems extends PageInfo {
  entries: readonly Element[]
  complete: boolean
}

/** Bytes of payload in a page: it ends earlier, but never without an item (draft 2014-01 §7.4). */
const PAGE_BYTES = 60_000
/** How far the place of a page is counted (XEP-0059 §2.2). */
const SCAN = 10_000

/** The items of a node, in pages from the newest on. */
export class ItemList {
  constructor(
    private readonly store: ChannelReader,
    private readonly node: ChannelNode
  ) {}

  /** Those of these ids that are there, or were. */
  async named(ids: readonly string[]): Promise<Element[]> {
    const { store, node } = this
    const found: Element[] = []
    for (const id of new Set(ids)) {
      const item = await store.item(node, id)
      if (item)
        found.push(el('item', { id: item.id }, item.payload !== undefined && payloadElement(item.payload)))
      else {
        const tombstone = await store.tombstone(node, id)
        if (tombstone) found.push(this.#buried(tombstone))
      }
    }
    return found
  }

  async page({ parentOnly, max: most, page }: ItemsQuery): Promise<ListedItems> {
    const { node } = this
    const max = checkPage(page, most)
    if (page?.index !== undefined) throw new PubsubError('indexNotSupported')
    const whole = parentOnly ? undefined : node.itemCount + node.tombstones
    if (max === 0) return { entries: [], complete: whole === 0, ...(whole !== undefined && { count: whole }) }
    // newest first: what is after an item is older
    const oldestFirst = page?.before !== undefined
    const range: Range = { limit: max + 1, newest: !oldestFirst }
    if (page?.after !== undefined) range.before = await this.#placeOf(page.after, parentOnly)
    if (page?.before) range.after = await this.#placeOf(page.before, parentOnly)
    const rows = await this.#rows(range, parentOnly)
    const kept = bounded(oldestFirst ? rows.slice(0, max) : [...rows].reverse().slice(0, max))
    if (oldestFirst) kept.reverse()
    const first = kept[0]
    const last = kept[kept.length - 1]
    const all = rows.length === kept.length && page?.after === undefined && !page?.before
    const count = whole ?? (all ? kept.length : undefined)
    const info: PageInfo = count === undefined ? {} : { count }
    if (first && last) {
      info.first = this.#idOf(first)
      info.last = this.#idOf(last)
      const index = await this.#index(page, first, parentOnly, count, kept.length)
      if (index !== undefined) info.index = index
    }
    return { entries: kept.map(row => this.#element(row)), complete: all, ...info }
  }

  /** By place, ascending. */
  async #rows(range: Range, parentOnly: boolean): Promise<Found[]> {
    const { store, node } = this
    const rows: Found[] = (await store.itemRows(node, range, parentOnly)).map(item => ({
      place: placeIn(item, parentOnly),
      item
    }))
    if (node.tombstones === 0) return rows
    for (const tombstone of await store.tombstoneRows(node, range, parentOnly)) {
      rows.push({ place: placeIn(tombstone, parentOnly), tombstone })
    }
    rows.sort((a, b) => a.place - b.place)
    return range.newest ? rows.slice(-range.limit) : rows.slice(0, range.limit)
  }

  async #placeOf(id: string, parentOnly: boolean): Promise<number> {
    const place = await this.store.placeOf(this.node, id, parentOnly)
    if (place === undefined) throw new PubsubError('pageNotFound') // XEP-0059 §2.4
    return place
  }

  /** How many are before the page, where that is cheap to know. */
  async #index(
    page: PageRequest | undefined,
    first: Found,
    parentOnly: boolean,
    count: number | undefined,
    size: number
  ): Promise<number | undefined> {
    if (page?.after === undefined && page?.before === undefined) return 0
    if (page.before === '' && count !== undefined) return count - size
    if (parentOnly) return undefined
    const newer = await this.store.countNewer(this.node, first.place, SCAN + 1)
    return newer > SCAN ? undefined : newer
  }

  #idOf({ item, tombstone }: Found): string {
    return this.store.wireId(this.node, (item ?? tombstone).item_id)
  }

  #element(row: Found): Element {
    if (row.tombstone) return this.#buried(row.tombstone)
    const { payload } = row.item
    return el('item', { id: this.#idOf(row) }, payload !== null && payloadElement(payload))
  }

  #buried({ item_id, kind, parent_item, created, deleted }: TombstoneRow): Element {
    const { store, node } = this
    return tombstoneItem(store.service.name, node.name, {
      id: store.wireId(node, item_id),
      kind,
      parentId: parent_item === null ? undefined : store.wireId(node, parent_item),
      createdAt: created,
      removedAt: deleted
    })
  }
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

function placeIn(row: { seq: number; thread: number | null }, parentOnly: boolean): number {
  return parentOnly ? (row.thread ?? row.seq) : row.seq
}

/** As many as fit into a stanza, from the end at which the page begins. */
function bounded(rows: Found[]): Found[] {
  let left = PAGE_BYTES
  const end = rows.findIndex((row, taken) => (left -= row.item?.payload?.length ?? 800) < 0 && taken > 0)
  return end < 0 ? rows : rows.slice(0, end)
}
