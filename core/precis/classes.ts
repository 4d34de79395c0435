import { codePointName, PrecisError } from './error'

// RFC 8264 §8 and RFC 5892 §3 derive what a code point is from Unicode properties, in this order. The tests
// "unassigned" and so on use the Unicode version of Node (process.versions.unicode).

/** Exceptions (F), RFC 5892 §2.6; those that need a rule are in CONTEXT. */
const EXCEPTION_VALID = /[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]/u
const EXCEPTION_DISALLOWED = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u
const CONTEXT = /[\u00b7\u0375\u05f3\u05f4\u0660-\u0669\u06f0-\u06f9\u30fb\p{Join_Control}]/u
/** Old Hangul Jamo (I), RFC 5892 §2.9: the conjoining jamo. */
const OLD_HANGUL_JAMO = /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/u
/** LetterDigits (A), RFC 5892 §2.1. */
const LETTER_DIGIT = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u
/** PrecisIgnorableProperties (M), RFC 8264 §9.13. */
const IGNORABLE = /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u
/** OtherLetterDigits, Spaces, Symbols, Punctuation (R, N, O, P), RFC 8264 §9.14 to §9.18. */
const FREEFORM_ONLY = /[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]/u
/** IgnorableProperties and IgnorableBlocks (C, D), RFC 5892 §2.3, §2.4. */
const IDNA_IGNORABLE = /[\p{Default_Ignorable_Code_Point}\p{White_Space}\p{Noncharacter_Code_Point}]/u
const IDNA_IGNORABLE_BLOCK = /[\u20d0-\u20ff\u{1d100}-\u{1d24f}]/u

/** Every code point of the text may occur in the IdentifierClass (RFC 8264 §4.2). Throws PrecisError. */
export function checkIdentifierClass(text: string): void {
  for (const char of text) if (!inIdentifierClass(char)) refuse(char)
}

/** Every code point of the text may occur in the FreeformClass (RFC 8264 §4.3). Throws PrecisError. */
export function checkFreeformClass(text: string): void {
  for (const char of text) if (!inFreeformClass(char)) refuse(char)
}

/** Every code point of the label may occur in a U-label (RFC 5892 §3). Throws PrecisError. */
export function checkIdna(label: string): void {
  for (const char of label) if (!inIdna(char)) refuse(char)
}

/** Valid, or valid where its contextual rule holds. */
export function inIdentifierClass(char: string): boolean {
  if (char >= '!' && char <= '~') return true // ASCII7
  if (EXCEPTION_VALID.test(char) || CONTEXT.test(char)) return true
  if (excluded(char)) return false
  return LETTER_DIGIT.test(char) && char.normalize('NFKC') === char
}

/** Valid, or valid where its contextual rule holds. */
export function inFreeformClass(char: string): boolean {
  if (char >= ' ' && char <= '~') return true
  if (EXCEPTION_VALID.test(char) || CONTEXT.test(char)) return true
  if (excluded(char)) return false
  return LETTER_DIGIT.test(char) || FREEFORM_ONLY.test(char) || char.normalize('NFKC') !== char
}

/** PVALID, CONTEXTJ or CONTEXTO of IDNA2008. */
export function inIdna(char: string): boolean {
  if (/^[a-z0-9-]$/.test(char)) return true
  if (EXCEPTION_VALID.test(char) || CONTEXT.test(char)) return true
  if (EXCEPTION_DISALLOWED.test(char) || OLD_HANGUL_JAMO.test(char)) return false
  if (IDNA_IGNORABLE.test(char) || IDNA_IGNORABLE_BLOCK.test(char)) return false
  return LETTER_DIGIT.test(char) && isStable(char)
}

/** What both classes refuse before anything else makes it valid: RFC 8264 §8. */
function excluded(char: string): boolean {
  return (
    EXCEPTION_DISALLOWED.test(char) ||
    /[\p{Cn}\p{Cs}\p{Cc}]/u.test(char) ||
    OLD_HANGUL_JAMO.test(char) ||
    IGNORABLE.test(char)
  )
}

/** Not Unstable (B), RFC 5892 §2.2: NFKC(casefold(NFKC(cp))) = cp. */
function isStable(char: string): boolean {
  return foldCase(char.normalize('NFKC')).normalize('NFKC') === char
}

/** Full case folding, which JavaScript has not: up and down again is the same but for these two. */
function foldCase(text: string): string {
  return Array.from(text, char => {
    if (char === '\u0131') return char // dotless i folds to itself
    if (/\p{Script=Cherokee}/u.test(char)) return char.toUpperCase() // and Cherokee to upper case
    return char.toUpperCase().toLowerCase()
  }).join('')
}

function refuse(char: string): never {
  if (/\p{Cs}/u.test(char)) throw new PrecisError('holds half a surrogate pair')
  const why = /\p{Cn}/u.test(char) ? 'which Unicode has not assigned' : 'which is not allowed there'
  throw new PrecisError(`holds ${codePointName(char)}, ${why}`)
}
