import { createHash } from 'node:crypto'
import { CodedError } from '../errors'

/** As long as the longest JID (RFC 7622 §3.1), and as a name that an index can carry on both databases. */
export const MAX_NAME_BYTES = 3071

/** SHA-256 of a long name, by which a column of long names is indexed and unique. */
export function nameHash(name: string): Buffer {
  return createHash('sha256').update(name).digest()
}

/**
 * Throws `ERR_STORAGE_NAME` for what cannot be told apart from another name once it is UTF-8: lone surrogates
 * all become U+FFFD; and for what is empty or too long.
 */
export function checkName(name: string, what: string): void {
  if (name === '') throw new CodedError('ERR_STORAGE_NAME', `An empty ${what} cannot be stored`)
  if (/\p{Surrogate}/u.test(name))
    throw new CodedError(
      'ERR_STORAGE_NAME',
      `The ${what} contains half a surrogate pair and is no Unicode text`
    )
  if (name.length * 3 <= MAX_NAME_BYTES) return
  const bytes = Buffer.byteLength(name)
  if (bytes > MAX_NAME_BYTES)
    throw new CodedError(
      'ERR_STORAGE_NAME',
      `The ${what} is ${bytes} bytes long; ${MAX_NAME_BYTES} are allowed`
    )
}
