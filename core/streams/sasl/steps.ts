import type { SaslCondition, SaslStep } from '../mechanism'
import type { Candidate } from './accounts'

/** Longer than any sensible message: three parts of a JID, each escaped, and a nonce. */
const MAX_MESSAGE_BYTES = 10_000

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a message; undefined where it is no UTF-8 or far too long. */
export function messageText(data: Buffer): string | undefined {
  if (data.length > MAX_MESSAGE_BYTES) return undefined
  try {
    return utf8.decode(data)
  } catch {
    return undefined
  }
}

export function failure(condition: SaslCondition, text?: string, user?: string): SaslStep {
  return {
    type: 'failure',
    condition,
    ...(text !== undefined && { text }),
    ...(user !== undefined && { user })
  }
}

export function malformed(text: string): SaslStep {
  return failure('malformed-request', text)
}

/** The end of every mechanism: `proved` says that the client knows the password of the keys it was given. */
export function outcome(candidate: Candidate, proved: boolean, data?: Buffer): SaslStep {
  // RFC 6120 §6.5.10: one answer for a wrong password and for no such account
  if (!proved || !candidate.real) return failure('not-authorized', undefined, candidate.user)
  if (candidate.disabled) return failure('account-disabled', undefined, candidate.user)
  return { type: 'success', user: candidate.user, data }
}
