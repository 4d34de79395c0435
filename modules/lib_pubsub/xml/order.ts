import { childrenOf, type Element } from '#core'
import { PubsubError } from '../errors'
import type { ItemsRequest } from '../items'

/**
 * Reads `<order/>` (XEP-0413 §4). Of several the first decides: no two items have the same place in either order, so
 * that there is nothing left for the others (§7).
 */
export function parseOrder(orders: readonly Element[]): Pick<ItemsRequest, 'order'> {
  const read = orders.map(one)
  return read[0] ? { order: read[0] } : {}
}

function one(element: Element): NonNullable<ItemsRequest['order']> {
  const { by, desc } = element.attrs as { by?: string; desc?: string }
  if (childrenOf(element).length > 0) throw bad('<order/> is empty')
  if (by === undefined) throw bad("<order/> has no 'by'")
  // §4.6: there may be others, elsewhere
  if (by !== 'creation' && by !== 'modification') {
    throw new PubsubError('orderNotSupported', { text: 'items are ordered by creation or modification' })
  }
  return { by, descending: truth(desc) }
}

/** §4.4 */
function truth(value: string | undefined): boolean {
  if (value === undefined || value === 'false' || value === '0') return false
  if (value === 'true' || value === '1') return true
  throw bad("'desc' is true or false")
}

function bad(text: string): PubsubError {
  return new PubsubError('badRequest', { text })
}
