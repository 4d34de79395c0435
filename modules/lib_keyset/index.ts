import type { Database, Reader, Statement } from '#core'

type Knex = Database['knex']
type Builder = ReturnType<Knex>

/** Rows with `after` < key < `before`, at most `limit`: the first ones, or with `newest` the last ones. */
export interface Range {
  after?: number
  before?: number
  limit: number
  newest?: boolean
}

/** A range as statements bind it. */
export interface Keyset {
  after: number
  before: number
  limit: number
}

/** One list, read from either end of a range of its key. */
export interface BothWays<P extends object, R> {
  readonly up: Statement<P & Keyset, R>
  readonly down: Statement<P & Keyset, R>
}

/** Builds the statements of a list that is ordered by `column`; `build` says which rows, `p` are its parameters. */
export function bothWays<P extends object, R>(
  db: Database,
  column: string,
  build: (knex: Knex, p: (name: keyof P & string) => never) => Builder
): BothWays<P, R> {
  const way = (direction: 'asc' | 'desc') =>
    db.statement<P & Keyset, R>((knex, p) =>
      build(knex, p as never)
        .where(column, '>', p('after'))
        .where(column, '<', p('before'))
        .orderBy(column, direction)
        .limit(p('limit'))
    )
  return { up: way('asc'), down: way('desc') }
}

/** The rows of a range in ascending order, whatever end of it they are from. */
export async function readRange<P extends object, R>(
  reader: Reader,
  list: BothWays<P, R>,
  params: P,
  range: Range
): Promise<R[]> {
  const rows = await reader.all(range.newest ? list.down : list.up, { ...params, ...bounds(range) })
  return range.newest ? rows.reverse() : rows
}

/**
 * The same over several lists with one order: what an index has apart (`IN`) and would else be sorted as a whole for
 * each page.
 */
export async function readRanges<P extends object, R>(
  reader: Reader,
  list: BothWays<P, R>,
  params: readonly P[],
  range: Range,
  keyOf: (row: R) => number
): Promise<R[]> {
  const rows = await Promise.all(params.map(one => readRange(reader, list, one, range)))
  return merged(rows, range, keyOf)
}

/** Of several lists, each as long as the range, in ascending order what is in the range. */
export function merged<R>(lists: readonly R[][], range: Range, keyOf: (row: R) => number): R[] {
  const [only] = lists
  if (only && lists.length === 1) return only
  const rows = lists.flat().sort((a, b) => keyOf(a) - keyOf(b))
  return range.newest ? rows.slice(-range.limit) : rows.slice(0, range.limit)
}

/** The parameters of a range. */
export function bounds({ after = -1, before = Number.MAX_SAFE_INTEGER, limit }: Range): Keyset {
  return { after, before, limit }
}
