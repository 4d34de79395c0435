import type { Element } from '#core'
import { companionsOf, isTrue, payloadFault, type RatingsWish } from '../lib_channels'
import type { PageRequest } from '../lib_pubsub'
import { parseSince } from './since'

/** protoXEP §6.1.1 */
export interface RecentRequest {
  /** Milliseconds UTC: publications of that moment and later. */
  since: number
  /** Items of one node, at most. */
  max: number
  /** Only what starts a discussion. */
  parentOnly: boolean
  /** Of all nodes of the channels, not of their posts alone. */
  allNodes: boolean
  page: PageRequest | undefined
  wish: RatingsWish
}

/** Reads `recent-items`; of several faults the one about `max` is told, as the deployed servers do. */
export function readRecent(pubsub: Element, request: Element): RecentRequest {
  const { max } = request.attrs as Record<string, string | undefined>
  if (max === undefined) throw payloadFault('max-required')
  if (!/^\+?\d{1,15}$/.test(max) || Number(max) < 1) throw payloadFault('invalid-max-value-provided')
  return { ...readCommon(pubsub, request), max: Number(max), allNodes: false }
}

/** Reads `user-items`: what is new on all nodes of what somebody follows, which has no `max`. */
export function readUserItems(pubsub: Element, request: Element): RecentRequest {
  return { ...readCommon(pubsub, request), max: Infinity, allNodes: true }
}

function readCommon(pubsub: Element, request: Element): Omit<RecentRequest, 'max' | 'allNodes'> {
  const { since, 'parent-only': parentOnly } = request.attrs as Record<string, string | undefined>
  if (since === undefined) throw payloadFault('since-required')
  const moment = parseSince(since)
  if (moment === undefined) throw payloadFault('invalid-since-value-provided', 'a time by ISO 8601 is needed')
  return { since: moment, parentOnly: isTrue(parentOnly), ...companionsOf(pubsub, request) }
}
