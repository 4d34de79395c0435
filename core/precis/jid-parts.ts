import { canonicalDomain } from './domain'
import { codePointName, PrecisError } from './error'
import { enforceOpaqueString, enforceUsername } from './profiles'

/** RFC 7622 §3.1: each part is at most so many octets of UTF-8, after mapping. */
export const MAX_PART_BYTES = 1023

/** Octets above which nothing is looked at: mappings shorten a string (decomposed letters), but not to a fourth. */
const MAX_RAW_BYTES = 4 * MAX_PART_BYTES

/** Localpart of a JID, RFC 7622 §3.3. Returns the canonical form, throws PrecisError. */
export function enforceLocal(input: string): string {
  const local = bounded(enforceUsername, input)
  // §3.3.1. After the mapping, which makes the fullwidth forms into these
  const excluded = /["&'/:<>@]/.exec(local)
  if (excluded) {
    throw new PrecisError(
      `holds ${codePointName(excluded[0])}, which is not allowed there (escape it: XEP-0106)`
    )
  }
  return local
}

/** Domainpart of a JID, RFC 7622 §3.2. Returns the canonical form (U-labels), throws PrecisError. */
export function enforceDomain(input: string): string {
  return bounded(canonicalDomain, input)
}

/** Resourcepart of a JID, RFC 7622 §3.4. Returns the canonical form, throws PrecisError. */
export function enforceResource(input: string): string {
  const resource = bounded(enforceOpaqueString, input)
  // §3.5 example 18; OpaqueString by itself would allow it
  if (resource.startsWith(' ')) throw new PrecisError('begins with a space')
  return resource
}

function bounded(enforce: (input: string) => string, input: string): string {
  if (input === '') throw new PrecisError('is empty')
  const text = isTooLong(input) ? undefined : enforce(input)
  if (text === undefined || Buffer.byteLength(text) > MAX_PART_BYTES) {
    throw new PrecisError(`is longer than ${MAX_PART_BYTES} octets`)
  }
  return text
}

function isTooLong(input: string): boolean {
  return (
    input.length > MAX_RAW_BYTES ||
    (3 * input.length > MAX_RAW_BYTES && Buffer.byteLength(input) > MAX_RAW_BYTES)
  )
}
