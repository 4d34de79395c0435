import type { Database, Reader, Statement } from '#core'
import type { Range } from '../../lib_pubsub'

type Knex = Database['knex']
type Builder = ReturnType<Knex>

/** A place in a list and how far to go from there. */
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

const NEWEST = Number.MAX_SAFE_INTEGER

/**
 * Builds the two statements of a list that is read by its key. `build` says which rows; `p` are its parameters.
 */
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
  { after = -1, before = NEWEST, limit, newest }: Range
): Promise<R[]> {
  const rows = await reader.all(newest ? list.down : list.up, { ...params, after, before, limit })
  return newest ? rows.reverse() : rows
}
