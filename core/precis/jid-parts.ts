import { PrecisError } from './error'

/** Localpart of a JID, RFC 7622 §3.3. Returns the canonical form, throws PrecisError. */
export function enforceLocal(input: string): string {
  if (/["&'/:<>@\s]/.test(input)) throw new PrecisError('holds a character that is not allowed there')
  return bounded(input.normalize('NFC').toLowerCase())
}

/** Domainpart of a JID, RFC 7622 §3.2. Returns the canonical form (U-labels), throws PrecisError. */
export function enforceDomain(input: string): string {
  const name = input.replace(/\.$/, '')
  if (/["&'/<>@\s]/.test(name)) throw new PrecisError('holds a character that is not allowed there')
  return bounded(name.normalize('NFC').toLowerCase())
}

/** Resourcepart of a JID, RFC 7622 §3.4. Returns the canonical form, throws PrecisError. */
export function enforceResource(input: string): string {
  return bounded(input.normalize('NFC'))
}

function bounded(text: string): string {
  if (text === '') throw new PrecisError('is empty')
  if (Buffer.byteLength(text) > 1023) throw new PrecisError('is longer than 1023 octets')
  return text
}
