import { payloadFault } from '../lib_channels'
import type { ChannelItem, RateEvent } from '../mod_channels'

/**
 * protoXEP §6.3.4: an integer from 1 to 5, as `5` or `5.0`.
 * @param only the one value that is accepted, where there is one ("likes")
 */
export function readRating(text: string, only?: number): number {
  if (!/^-?\d+(?:\.0+)?$/.test(text)) throw payloadFault('invalid-rating', 'a rating is an integer')
  const rating = Number(text)
  if (rating < 1 || rating > 5) throw payloadFault('rating-out-of-range', 'a rating is from 1 to 5')
  if (only !== undefined && rating !== only) {
    throw payloadFault('rating-out-of-range', `the only rating here is ${only}`)
  }
  return rating
}

/** What rates is a reply to a post, and says what it rates: that post, or a comment in its thread. */
export function checkRated({ parent, target }: Pick<RateEvent, 'parent' | 'target'>): ChannelItem {
  if (parent === undefined) throw payloadFault('missing-in-reply-to')
  if (target === undefined) throw payloadFault('missing-target')
  if (target.extra.kind === 'rating') throw payloadFault('invalid-rating-request', 'a rating cannot be rated')
  return target
}
