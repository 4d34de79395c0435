import { el, StanzaError, type ErrorType, type StanzaCondition } from '#core'

/** Namespace of channels: `actor`, `recent-items` and the like. */
export const BUDDYCLOUD = 'http://buddycloud.org/v1'
/** Application errors that are not about payloads or recent items (as the deployed servers have it). */
export const BUDDYCLOUD_ERRORS = `${BUDDYCLOUD}/errors`
const PUBSUB_ERRORS = 'http://jabber.org/protocol/pubsub#errors'

/**
 * Errors of publications, ratings and recent-items (protoXEP §6.1.1.1, §6.3), which deployed clients look for in
 * the namespace of XEP-0060's errors.
 */
export type PayloadFault =
  | 'entry-element-required'
  | 'content-element-required'
  | 'unsupported-content-type'
  | 'invalid-payload'
  | 'parent-item-not-found'
  | 'max-thread-depth-exceeded'
  | 'missing-target-id'
  | 'missing-in-reply-to'
  | 'missing-target'
  | 'targeted-item-not-found'
  | 'target-outside-thread'
  | 'invalid-rating'
  | 'rating-out-of-range'
  | 'invalid-rating-request'
  | 'item-already-rated'
  | 'max-required'
  | 'invalid-max-value-provided'
  | 'since-required'
  | 'itemid-required'
  | 'invalid-since-value-provided'

export function payloadFault(code: PayloadFault, text?: string): StanzaError {
  return new StanzaError('bad-request', {
    type: 'modify',
    app: el(code, PUBSUB_ERRORS),
    ...(text !== undefined && { text })
  })
}

const CHANNEL_FAULTS = {
  'invalid-node-format': ['modify', 'bad-request'],
  'global-id-error': ['modify', 'bad-request'],
  'parent-item-not-found': ['cancel', 'item-not-found'],
  'can-not-modify-own-subscription': ['cancel', 'not-allowed'],
  'can-not-modify-own-affiliation': ['cancel', 'not-allowed'],
  'node-must-have-owner': ['cancel', 'not-allowed'],
  'can-not-delete-ephemeral-node': ['cancel', 'not-allowed']
} as const satisfies Record<string, readonly [ErrorType, StanzaCondition]>

export type ChannelFault = keyof typeof CHANNEL_FAULTS

export function channelFault(code: ChannelFault, text?: string): StanzaError {
  const [type, condition] = CHANNEL_FAULTS[code]
  return new StanzaError(condition, {
    type,
    app: el(code, BUDDYCLOUD_ERRORS),
    ...(text !== undefined && { text })
  })
}

/** What somebody hears who may not read a closed channel, as the deployed servers answer. */
export function closedNode(): StanzaError {
  return new StanzaError('forbidden', { type: 'auth', app: el('closed-node', PUBSUB_ERRORS) })
}

/** The same while their request waits. */
export function pendingSubscription(): StanzaError {
  return new StanzaError('not-authorized', { type: 'auth', app: el('pending-subscription', PUBSUB_ERRORS) })
}
