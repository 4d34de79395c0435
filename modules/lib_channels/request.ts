import { childrenOf, NS, nsOf, StanzaError, type Element } from '#core'
import { parsePage } from '../lib_pubsub/xml'
import type { PageRequest } from '../lib_pubsub'
import { NO_WISH, RATINGS, readRatingsWish, type RatingsWish } from './ratings'

/** What goes with a request in the namespace of channels. */
export interface Companions {
  readonly page: PageRequest | undefined
  readonly wish: RatingsWish
}

/**
 * Reads what stands in `<pubsub/>` beside a request: a page, a wish about ratings, and nothing else.
 * @throws StanzaError or PubsubError
 */
export function companionsOf(pubsub: Element, request: Element): Companions {
  let page: PageRequest | undefined
  const wishes: Element[] = []
  for (const child of childrenOf(pubsub)) {
    if (child === request) continue
    const ns = nsOf(child)
    if (ns === NS.RSM && child.name === 'set' && page === undefined) page = parsePage(child)
    else if (ns === RATINGS) wishes.push(child)
    else
      throw new StanzaError('bad-request', { type: 'modify', text: `<${child.name}/> does not belong here` })
  }
  return { page, wish: readRatingsWish(wishes) }
}

/** The page that is asked for with a request that has nothing else beside it. */
export function pageIn(pubsub: Element, request: Element): PageRequest | undefined {
  const { page, wish } = companionsOf(pubsub, request)
  if (wish !== NO_WISH)
    throw new StanzaError('bad-request', { type: 'modify', text: 'this is no list of items' })
  return page
}
