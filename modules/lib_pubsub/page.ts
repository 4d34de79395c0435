import { PubsubError } from './errors'
import type { Listing, Range } from './store'

/** A request for a page (XEP-0059). At most one of `after`, `before`, `index`. */
export interface PageRequest {
  /** Entries, at most; 0 asks for the count alone (§2.7). */
  max?: number
  after?: string
  /** '' is the last page (§2.5). */
  before?: string
  index?: number
}

/** What is answered about a page. */
export interface PageInfo {
  first?: string
  /** Place of the first entry in the whole; left out where it would cost more than the page (§2.2). */
  index?: number
  last?: string
  /** Number of entries in the whole; left out where it would cost more than the page (§2.2). */
  count?: number
}

export interface Page<T> extends PageInfo {
  entries: readonly T[]
  /** Whether the page is the whole. */
  complete: boolean
}

/** Refuses what contradicts itself, and bounds the size. */
export function checkPage(page: PageRequest | undefined, limit: number): number {
  if (page === undefined) return limit
  const ways = [page.after, page.before, page.index].filter(way => way !== undefined)
  if (ways.length > 1) throw new PubsubError('badRequest', { text: 'one of after, before and index at most' })
  return Math.min(page.max ?? limit, limit)
}

/**
 * A page of a list whose ids are the store's keys. A key tells its place even when its row is gone, so a page
 * is always found (XEP-0059 §2.4); places by index are not offered (§2.6).
 */
export async function pageByKey<T extends { key: number }>(
  page: PageRequest | undefined,
  limit: number,
  list: (range: Range) => Listing<T> | Promise<Listing<T>>
): Promise<Page<T>> {
  const max = checkPage(page, limit)
  if (page?.index !== undefined) throw new PubsubError('indexNotSupported')
  if (max === 0) return await countAlone(limit, list)
  const range: Range = { limit: max + 1 }
  if (page?.after !== undefined) range.after = keyOf(page.after)
  if (page?.before !== undefined) range.newest = true
  if (page?.before) range.before = keyOf(page.before)
  // one more than asked for tells whether there are others
  const { rows, count } = await list(range)
  const more = rows.length > max
  const entries = !more ? rows : range.newest ? rows.slice(1) : rows.slice(0, max)
  const whole = !more && range.after === undefined && range.before === undefined
  const result: Page<T> = { entries, complete: whole }
  const known = count ?? (whole ? entries.length : undefined)
  if (known !== undefined) result.count = known
  const first = entries[0]
  const last = entries[entries.length - 1]
  if (first === undefined || last === undefined) return result
  result.first = String(first.key)
  result.last = String(last.key)
  if (range.after === undefined && (!range.newest || whole)) result.index = 0
  else if (range.newest && range.before === undefined && known !== undefined)
    result.index = known - entries.length
  return result
}

/** XEP-0059 §2.7; of what is more than a page it is left out (§2.2). */
async function countAlone<T>(
  limit: number,
  list: (range: Range) => Listing<T> | Promise<Listing<T>>
): Promise<Page<T>> {
  const { rows, count = rows.length > limit ? undefined : rows.length } = await list({ limit: limit + 1 })
  return { entries: [], complete: rows.length === 0, ...(count !== undefined && { count }) }
}

function keyOf(id: string): number {
  if (!/^\d{1,15}$/.test(id)) throw new PubsubError('pageNotFound')
  return Number(id)
}
