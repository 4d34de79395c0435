import type { Database, Reader, Statement } from '#core'
import type { Range } from '../../lib_pubsub'

type Knex = Database['knex']
type Builder = ReturnType<Knex>

/** A place in a list, and how far to go from there. */
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

/** Builds the statements of a list that is ordered by `column`; `build` says which rows. */
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

export function bounds({ after = -1, before = Number.MAX_SAFE_INTEGER, limit }: Range): Keyset {
  return { after, before, limit }
}

/** Several ranges of lists with one key between them, as the range of one list. */
export function merged<R extends { id: number }>(lists: readonly R[][], { limit, newest }: Range): R[] {
  const [only, ...others] = lists
  if (only !== undefined && others.length === 0) return only
  const all = lists.flat().sort((a, b) => a.id - b.id)
  return newest ? all.slice(Math.max(0, all.length - limit)) : all.slice(0, limit)
}
