import { bidiClass } from './bidi'
import { codePointName, PrecisError } from './error'

/** RFC 3454 Table C.1.2, less U+200B, which Table B.1 maps to nothing. */
const SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu
/** RFC 3454 Table B.1. */
const NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/gu
/** RFC 4013 §2.3: RFC 3454 Tables C.1.2, C.2.1, C.2.2, C.3 to C.9. */
const PROHIBITED =
  /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\p{Cc}\u06dd\u070f\u180e\u200c-\u200f\u2028-\u202e\u2060-\u2063\u206a-\u206f\ufeff\ufff9-\ufffd\u{1d173}-\u{1d17a}\p{Co}\p{Noncharacter_Code_Point}\p{Cs}\u2ff0-\u2ffb\u0340\u0341\u{e0001}\u{e0020}-\u{e007f}]/u

/**
 * A password as it goes into SCRAM, RFC 4013. Throws PrecisError.
 *
 * RFC 8265 would have OpaqueString (NFC), but the client computes with its own form of the password and the
 * server never sees it: RFC 5802 §2.2 asks for SASLprep, and clients apply it or at least its NFKC. The two
 * differ for compatibility characters only (ﬁ, ½, fullwidth letters), where OpaqueString would lock them out.
 * Code points assigned after Unicode 3.2 (emoji among them) are let through, as in RFC 3454 §7 "queries":
 * no client refuses them, and refusing here would lock those passwords out as well.
 */
export function saslprep(input: string): string {
  const text = /^[ -~]*$/.test(input)
    ? input
    : input.replace(SPACE, ' ').replace(NOTHING, '').normalize('NFKC')
  if (text === '') throw new PrecisError('is empty')
  const prohibited = PROHIBITED.exec(text)
  if (prohibited) throw new PrecisError(`holds ${codePointName(prohibited[0])}, which is not allowed there`)
  checkStringprepBidi(text)
  return text
}

/** RFC 3454 §6: text with a right-to-left letter has no left-to-right one, and begins and ends with such. */
function checkStringprepBidi(text: string): void {
  if (/^[\p{ASCII}\u0080-\u058f]*$/u.test(text)) return
  const classes = Array.from(text, bidiClass)
  const rtl = classes.map(name => name === 'R' || name === 'AL')
  if (!rtl.includes(true)) return
  if (classes.includes('L') || !rtl[0] || !rtl[rtl.length - 1]) {
    throw new PrecisError('mixes directions (RFC 3454 §6)')
  }
}
