import { childOf, NS, type Element } from '#core'
import { isTrue, payloadFault } from '../lib_channels'
import type { PageRequest } from '../lib_pubsub'
import { asAnswer, parsePage } from '../lib_pubsub/xml'
import { parseSince } from './since'

/** protoXEP §6.1.1 */
export interface RecentRequest {
  /** Milliseconds UTC: publications of that moment and later. */
  since: number
  /** Items of one channel, at most. */
  max: number
  /** Only what starts a discussion. */
  parentOnly: boolean
  page: PageRequest | undefined
}

/** Reads the request; of several faults the one about `max` is told, as the deployed servers do. */
export function readRequest(pubsub: Element, request: Element): RecentRequest {
  const { since, max, 'parent-only': parentOnly } = request.attrs as Record<string, string | undefined>
  if (max === undefined) throw payloadFault('max-required')
  if (!/^\+?\d{1,15}$/.test(max) || Number(max) < 1) throw payloadFault('invalid-max-value-provided')
  if (since === undefined) throw payloadFault('since-required')
  const moment = parseSince(since)
  if (moment === undefined) throw payloadFault('invalid-since-value-provided', 'a time by ISO 8601 is needed')
  return { since: moment, max: Number(max), parentOnly: isTrue(parentOnly), page: pageIn(pubsub) }
}

function pageIn(pubsub: Element): PageRequest | undefined {
  const set = childOf(pubsub, 'set', NS.RSM)
  if (set === undefined) return undefined
  try {
    return parsePage(set)
  } catch (error) {
    throw asAnswer(error)
  }
}
