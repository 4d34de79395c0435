import { childrenOf, StanzaError, type Element } from '#core'
import { isTrue } from './attributes'

/** Ours: what somebody wants to see of ratings beside the entries that are ratings (see mod_ratings). */
export const RATINGS = 'urn:balcony:ratings'

/** `<ratings xmlns='urn:balcony:ratings'/>` in a request for items. */
export interface RatingsWish {
  /** Each item with its number of ratings, their average, and one's own. */
  readonly summary: boolean
  /** Ratings are left out of the list. */
  readonly hide: boolean
}

/** What a request that says nothing of ratings gets. */
export const NO_WISH: RatingsWish = Object.freeze({ summary: false, hide: false })

/** Reads what stands beside a request in `<pubsub/>`. */
export function readRatingsWish(extensions: readonly Element[]): RatingsWish {
  const [wish, another] = extensions
  if (wish === undefined) return NO_WISH
  if (wish.name !== 'ratings' || another || childrenOf(wish).length > 0) {
    throw new StanzaError('bad-request', { type: 'modify', text: 'one <ratings/>, which is empty' })
  }
  const { summary, hide } = wish.attrs as Record<string, string | undefined>
  return { summary: isTrue(summary), hide: isTrue(hide) }
}
