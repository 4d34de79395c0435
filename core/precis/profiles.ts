import { checkBidiRule, hasRtl } from './bidi'
import { checkFreeformClass, checkIdentifierClass } from './classes'
import { checkContext } from './context'
import { PrecisError } from './error'
import { mapWidth, untilStable } from './stable'

/** UsernameCaseMapped, RFC 8265 §3.3. Returns the canonical form, throws PrecisError. */
export function enforceUsername(input: string): string {
  if (/^[!-~]+$/.test(input)) return input.toLowerCase()
  return untilStable(usernameCaseMapped, input)
}

/** OpaqueString, RFC 8265 §4.2. Returns the canonical form, throws PrecisError. */
export function enforceOpaqueString(input: string): string {
  if (/^[ -~]+$/.test(input)) return input
  return untilStable(opaqueString, input)
}

function usernameCaseMapped(input: string): string {
  const prepared = mapWidth(input)
  // §3.3.2: before case and normal form change anything, so that what they would hide is refused too
  checkIdentifierClass(prepared)
  const text = lowerCase(prepared).normalize('NFC')
  if (text === '') throw new PrecisError('is empty')
  if (hasRtl(text)) checkBidiRule(text)
  checkIdentifierClass(text)
  checkContext(text)
  return text
}

function opaqueString(input: string): string {
  checkFreeformClass(input)
  const text = input.replace(/\p{Zs}/gu, ' ').normalize('NFC')
  if (text === '') throw new PrecisError('is empty')
  checkFreeformClass(text)
  checkContext(text)
  return text
}

/**
 * Each code point by itself: for whole words JavaScript's toLowerCase makes a final sigma, whose special status
 * PRECIS does not know (RFC 7622 §3.5, RFC 8265 §3.6), and a prefix of a name would change with what follows.
 */
function lowerCase(text: string): string {
  return Array.from(text, char => char.toLowerCase()).join('')
}
