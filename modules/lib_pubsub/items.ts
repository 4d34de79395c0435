import { toRead } from './authorize'
import type { Definition } from './definition'
import { PubsubError, unsupported } from './errors'
import { checkPage, type Page, type PageRequest } from './page'
import { enter, type Scope } from './scope'
import type { Actor, Item, ItemOrder, Node, Range, ReadStore } from './store'
import { subIdOf } from './subids'

/** §6.5 */
export interface ItemsRequest {
  node: string
  /** These items alone, in this order (§6.5.8). */
  ids?: readonly string[]
  /** The newest ones (§6.5.7), by the date that they are ordered by. */
  maxItems?: number
  page?: PageRequest
  /** XEP-0413; default: by modification, ascending. */
  order?: { by: ItemOrder; descending: boolean }
  /** Which of the actor's subscriptions (§6.5.9.1). */
  subId?: string
}

/** A page of items, oldest first (XEP-0060 examples 75 and 81) unless another order was asked for. */
export interface ItemsPage<N extends Node, X> extends Page<Item<X>> {
  node: N
}

/**
 * Retrieves items. Nothing said: all, or as many of the newest as fit in a page, and then with the place of the
 * page in the whole (§6.5.4). With ids: those that are there (§6.5.9.12).
 */
export async function items<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: ItemsRequest
): Promise<ItemsPage<N, X>> {
  const scope = await enter(def, store, actor, request.node)
  await toRead(scope)
  if (def.multiSubscribe) await checkSubId(scope, request.subId)
  const { node } = scope
  if (!node.config.persist_items) throw unsupported('persistent-items') // §6.5.9.4
  if (request.ids && request.ids.length > 0) return { node, ...(await byIds(scope, request.ids)) }
  return { node, ...(await byPage(scope, request)) }
}

/** §6.5.9.1, §6.5.9.2: an address that has several subscriptions says which. */
async function checkSubId<N extends Node, X>(
  { def, store, node, actor }: Scope<N, X>,
  subId: string | undefined
): Promise<void> {
  const own = await store.subscriptions(node, actor.bare)
  if (subId !== undefined) {
    // §6.2.3.5: whoever has none may say what they like
    if (own.length > 0 && !own.some(one => subIdOf(def, one) === subId)) throw new PubsubError('invalidSubId')
    return
  }
  const mine = own.filter(one => one.jid === actor.jid || one.jid === actor.bare)
  if (new Set(mine.map(one => one.jid)).size < mine.length) throw new PubsubError('subIdRequired')
}

async function byIds<N extends Node, X>(scope: Scope<N, X>, ids: readonly string[]): Promise<Page<Item<X>>> {
  const { def, store, node } = scope
  if (ids.length > def.limits.batch) {
    throw new PubsubError('notAcceptable', {
      text: `at most ${def.limits.batch} items can be asked for by id`
    })
  }
  const entries: Item<X>[] = []
  for (const id of new Set(ids)) {
    const item = await store.item(node, def.hooks.namedItem ? def.hooks.namedItem(id, node) : id)
    if (item) entries.push(item)
  }
  return { entries, complete: true }
}

/** How a list is read: by which date, and by which number of an item its place is known. */
interface Reading {
  by: ItemOrder
  /** The order of its entries is the other way round. */
  descending: boolean
}

function keyOf<X>(item: Item<X>, by: ItemOrder): number {
  return by === 'creation' ? (item.born ?? item.seq) : item.seq
}

/** Lists are read in ascending order; a descending one is the mirror image of what its mirrored page comes to. */
async function byPage<N extends Node, X>(scope: Scope<N, X>, request: ItemsRequest): Promise<Page<Item<X>>> {
  const { def, node } = scope
  const { page: asked, maxItems = Infinity } = request
  const reading: Reading = request.order ?? { by: 'modification', descending: false }
  if (request.order && !def.orderItems) throw new PubsubError('orderNotSupported')
  const max = Math.min(checkPage(asked, def.limits.page), maxItems)
  const count = Math.min(node.itemCount, maxItems)
  if (max === 0 || count === 0) return { entries: [], count, complete: count === 0 }
  const page = reading.descending ? mirrored(asked) : asked
  const range = await rangeOf(scope, reading, page, max, count)
  if (range === undefined) return { entries: [], count, complete: false }
  // the result set of max_items is the newest ones: no page reaches behind it
  if (maxItems < node.itemCount) await raiseFloor(scope, reading, range, maxItems)
  const rows = await scope.store.items(node, range, reading.by)
  const ascending = bounded(rows, def.limits.pageBytes, range.newest === true)
  const entries = reading.descending ? [...ascending].reverse() : ascending
  const result: Page<Item<X>> = { entries, count, complete: entries.length === count }
  const first = entries[0]
  const last = entries[entries.length - 1]
  if (first === undefined || last === undefined) return result
  result.first = first.id
  result.last = last.id
  const index = asked?.index ?? (await placeOf(scope, reading, page, ascending, count))
  if (index === undefined) return result
  const turned = reading.descending && asked?.index === undefined
  result.index = turned ? count - index - entries.length : index
  return result
}

/** What comes after an item in descending order is before it in ascending order. */
function mirrored(page: PageRequest | undefined): PageRequest | undefined {
  if (page === undefined) return undefined
  const { max, after, before, index } = page
  const size = { ...(max !== undefined && { max }) }
  if (after !== undefined) return { ...size, before: after }
  if (before === '') return size
  if (before !== undefined) return { ...size, after: before }
  return index === undefined ? { ...size, before: '' } : { ...size, index }
}

async function rangeOf<N extends Node, X>(
  scope: Scope<N, X>,
  { by, descending }: Reading,
  page: PageRequest | undefined,
  limit: number,
  count: number
): Promise<Range | undefined> {
  if (page === undefined || page.before === '') return { limit, newest: true }
  if (page.after !== undefined) return { limit, after: await placeById(scope, page.after, by) }
  if (page.before !== undefined)
    return { limit, newest: true, before: await placeById(scope, page.before, by) }
  if (page.index === undefined) return { limit }
  if (!descending) return await rangeAt(scope, by, page.index, limit, count)
  // the mirror image ends where the one before it begins
  if (page.index === 0) return { limit, newest: true }
  const from = page.index >= count ? undefined : await keyAt(scope, by, count - page.index, count)
  return from === undefined ? undefined : { limit, newest: true, before: from }
}

/** XEP-0059 §2.4: the id of an item that is gone does not tell its place. */
async function placeById<N extends Node, X>(
  { def, store, node }: Scope<N, X>,
  id: string,
  by: ItemOrder
): Promise<number> {
  const item = await store.item(node, def.hooks.namedItem ? def.hooks.namedItem(id, node) : id)
  if (item === undefined) throw new PubsubError('pageNotFound')
  return keyOf(item, by)
}

async function rangeAt<N extends Node, X>(
  scope: Scope<N, X>,
  by: ItemOrder,
  index: number,
  limit: number,
  count: number
): Promise<Range | undefined> {
  if (index >= count) return undefined
  const key = await keyAt(scope, by, index, count)
  return key === undefined ? undefined : { limit, after: key - 1 }
}

/**
 * The key of the item at that place of the `count` newest, ascending. XEP-0059 §2.6: counted from the nearer end, and
 * no further than is cheap.
 */
async function keyAt<N extends Node, X>(
  { def, store, node }: Scope<N, X>,
  by: ItemOrder,
  index: number,
  count: number
): Promise<number | undefined> {
  const fromNewest = count - 1 - index
  const place = node.itemCount - 1 - fromNewest
  const newest = fromNewest < place
  if (Math.min(place, fromNewest) > def.limits.scan) throw new PubsubError('indexNotSupported')
  const item = await store.itemAt(node, newest ? fromNewest : place, newest, by)
  return item && keyOf(item, by)
}

async function raiseFloor<N extends Node, X>(
  scope: Scope<N, X>,
  { by }: Reading,
  range: Range,
  maxItems: number
): Promise<void> {
  const { def, store, node } = scope
  const older = node.itemCount - maxItems
  if (Math.min(older, maxItems) > def.limits.scan) throw new PubsubError('indexNotSupported')
  const newest = maxItems <= older
  const oldest = await store.itemAt(node, newest ? maxItems - 1 : older, newest, by)
  if (oldest) range.after = Math.max(range.after ?? 0, keyOf(oldest, by) - 1)
}

function bounded<X>(rows: readonly Item<X>[], bytes: number, newest: boolean): readonly Item<X>[] {
  let left = bytes
  for (let taken = 0; taken < rows.length; taken++) {
    left -= rows[newest ? rows.length - 1 - taken : taken]?.payload?.length ?? 0
    if (left < 0 && taken > 0) return newest ? rows.slice(rows.length - taken) : rows.slice(0, taken)
  }
  return rows
}

/** Place of the page's first item in the result set of `count` newest items, where that is cheap to know. */
async function placeOf<N extends Node, X>(
  { def, store, node }: Scope<N, X>,
  { by }: Reading,
  page: PageRequest | undefined,
  entries: readonly Item<X>[],
  count: number
): Promise<number | undefined> {
  if (page?.after === undefined && page?.before === undefined && page !== undefined) return 0
  if (page === undefined || page.before === '') return count - entries.length
  const first = entries[0]
  const last = entries[entries.length - 1]
  if (first === undefined || last === undefined) return undefined
  const limit = def.limits.scan + 1
  const newer = await store.countItems(node, { after: keyOf(last, by), limit }, by)
  if (newer < limit) return count - entries.length - newer
  const older = await store.countItems(node, { before: keyOf(first, by), limit }, by)
  return older < limit ? older - (node.itemCount - count) : undefined
}
