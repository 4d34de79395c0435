import type { StanzaCondition, StanzaError } from '../../errors'

/** What an error of XMPP means to somebody who has no client to say it. */
const WORDS: Record<StanzaCondition, string> = {
  'bad-request': 'the command does not understand this',
  conflict: 'that exists already',
  'feature-not-implemented': 'that cannot be done here',
  forbidden: 'that is not allowed',
  gone: 'that is not there any more',
  'internal-server-error': 'a fault of the server: its log says more',
  'item-not-found': 'there is nothing of that name',
  'jid-malformed': 'that is no address',
  'not-acceptable': 'a value cannot be taken',
  'not-allowed': 'that is not allowed',
  'not-authorized': 'that is not allowed',
  'policy-violation': 'a policy of the server forbids it',
  'recipient-unavailable': 'whoever it is for is not there',
  redirect: 'that is somewhere else',
  'registration-required': 'it takes an account',
  'remote-server-not-found': 'the other server cannot be found',
  'remote-server-timeout': 'the other server does not answer',
  'resource-constraint': 'that is too much at once: try again, or with less',
  'service-unavailable': 'that is not offered here',
  'subscription-required': 'it takes a subscription',
  'undefined-condition': 'it did not work',
  'unexpected-request': 'not now: something else has to be done before'
}

/** An error, in words: what it says of itself, or what its condition means. */
export function inWords({ condition, text }: Pick<StanzaError, 'condition' | 'text'>): string {
  return text === undefined || text === '' ? WORDS[condition] : text
}
