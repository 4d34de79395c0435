import type { Range } from '../../lib_keyset'

/** Several ranges of lists with one key between them, as the range of one list. */
export function merged<R extends { id: number }>(lists: readonly R[][], { limit, newest }: Range): R[] {
  const [only, ...others] = lists
  if (only !== undefined && others.length === 0) return only
  const all = lists.flat().sort((a, b) => a.id - b.id)
  return newest ? all.slice(Math.max(0, all.length - limit)) : all.slice(0, limit)
}
