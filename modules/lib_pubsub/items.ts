import { toRead } from './authorize'
import type { Definition } from './definition'
import { PubsubError, unsupported } from './errors'
import { checkPage, type Page, type PageRequest } from './page'
import { enter, type Scope } from './scope'
import type { Actor, Item, Node, Range, ReadStore } from './store'

/** §6.5 */
export interface ItemsRequest {
  node: string
  /** These items alone, in this order (§6.5.8). */
  ids?: readonly string[]
  /** The newest ones (§6.5.7). */
  maxItems?: number
  page?: PageRequest
}

/** A page of items, oldest first (XEP-0060 examples 75 and 81). */
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
  const { node } = scope
  if (!node.config.persist_items) throw unsupported('persistent-items') // §6.5.9.4
  if (request.ids && request.ids.length > 0) return { node, ...(await byIds(scope, request.ids)) }
  return { node, ...(await byPage(scope, request)) }
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

async function byPage<N extends Node, X>(scope: Scope<N, X>, request: ItemsRequest): Promise<Page<Item<X>>> {
  const { def, node } = scope
  const { page, maxItems = Infinity } = request
  const max = Math.min(checkPage(page, def.limits.page), maxItems)
  const count = Math.min(node.itemCount, maxItems)
  if (max === 0 || count === 0) return { entries: [], count, complete: count === 0 }
  const range = await rangeOf(scope, page, max, count)
  if (range === undefined) return { entries: [], count, complete: false }
  // the result set of max_items is the newest ones: no page reaches behind it
  if (maxItems < node.itemCount) await raiseFloor(scope, range, maxItems)
  const rows = await scope.store.items(node, range)
  const entries = bounded(rows, def.limits.pageBytes, range.newest === true)
  const result: Page<Item<X>> = { entries, count, complete: entries.length === count }
  const first = entries[0]
  const last = entries[entries.length - 1]
  if (first === undefined || last === undefined) return result
  result.first = first.id
  result.last = last.id
  const index = await placeOf(scope, page, entries, count)
  if (index !== undefined) result.index = index
  return result
}

async function rangeOf<N extends Node, X>(
  scope: Scope<N, X>,
  page: PageRequest | undefined,
  limit: number,
  count: number
): Promise<Range | undefined> {
  if (page === undefined || page.before === '') return { limit, newest: true }
  if (page.after !== undefined) return { limit, after: await seqOf(scope, page.after) }
  if (page.before !== undefined) return { limit, newest: true, before: await seqOf(scope, page.before) }
  if (page.index !== undefined) return await rangeAt(scope, page.index, limit, count)
  return { limit }
}

/** XEP-0059 §2.4: the id of an item that is gone does not tell its place. */
async function seqOf<N extends Node, X>({ def, store, node }: Scope<N, X>, id: string): Promise<number> {
  const item = await store.item(node, def.hooks.namedItem ? def.hooks.namedItem(id, node) : id)
  if (item === undefined) throw new PubsubError('pageNotFound')
  return item.seq
}

/** XEP-0059 §2.6: counted from the nearer end, and no further than is cheap. */
async function rangeAt<N extends Node, X>(
  { def, store, node }: Scope<N, X>,
  index: number,
  limit: number,
  count: number
): Promise<Range | undefined> {
  if (index >= count) return undefined
  const fromNewest = count - 1 - index
  const place = node.itemCount - 1 - fromNewest
  const newest = fromNewest < place
  if (Math.min(place, fromNewest) > def.limits.scan) throw new PubsubError('indexNotSupported')
  const item = await store.itemAt(node, newest ? fromNewest : place, newest)
  return item && { limit, after: item.seq - 1 }
}

async function raiseFloor<N extends Node, X>(
  scope: Scope<N, X>,
  range: Range,
  maxItems: number
): Promise<void> {
  const { def, store, node } = scope
  const older = node.itemCount - maxItems
  if (Math.min(older, maxItems) > def.limits.scan) throw new PubsubError('indexNotSupported')
  const newest = maxItems <= older
  const oldest = await store.itemAt(node, newest ? maxItems - 1 : older, newest)
  if (oldest) range.after = Math.max(range.after ?? 0, oldest.seq - 1)
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
  page: PageRequest | undefined,
  entries: readonly Item<X>[],
  count: number
): Promise<number | undefined> {
  if (page?.index !== undefined) return page.index
  if (page?.after === undefined && page?.before === undefined && page !== undefined) return 0
  if (page === undefined || page.before === '') return count - entries.length
  const first = entries[0]
  const last = entries[entries.length - 1]
  if (first === undefined || last === undefined) return undefined
  const limit = def.limits.scan + 1
  const newer = await store.countItems(node, { after: last.seq, limit })
  if (newer < limit) return count - entries.length - newer
  const older = await store.countItems(node, { before: first.seq, limit })
  return older < limit ? older - (node.itemCount - count) : undefined
}
