import { codePointName, PrecisError } from './error'
import { RangeMap } from './ranges'
import { JOINING_TYPE, VIRAMA } from './tables'

// The code points that need a rule, RFC 5892 Appendix A
const CONTEXTUAL = /[\u00b7\u0375\u05f3\u05f4\u0660-\u0669\u06f0-\u06f9\u200c\u200d\u30fb]/u

let joining: RangeMap | undefined
let viramas: RangeMap | undefined

/** CONTEXTJ and CONTEXTO: every contextual code point stands where its rule allows. Throws PrecisError. */
export function checkContext(text: string): void {
  if (!CONTEXTUAL.test(text)) return
  const chars = Array.from(text)
  const whole = wholeOf(text)
  chars.forEach((char, index) => {
    if (CONTEXTUAL.test(char) && !allowed(char, index, chars, whole)) {
      throw new PrecisError(`holds ${codePointName(char)}, which is not allowed in that place (RFC 5892 A)`)
    }
  })
}

/** What rules ask of the whole text: found once, or many of their characters would take quadratic time. */
interface Whole {
  /** Hiragana, Katakana or Han is there. */
  japanese: boolean
  /** Arabic-Indic digits and extended ones are there. */
  mixedDigits: boolean
}

function wholeOf(text: string): Whole {
  return {
    japanese: /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(text),
    mixedDigits: /[\u0660-\u0669]/u.test(text) && /[\u06f0-\u06f9]/u.test(text)
  }
}

function allowed(char: string, index: number, chars: string[], whole: Whole): boolean {
  const before = chars[index - 1] ?? ''
  const after = chars[index + 1] ?? ''
  switch (char) {
    case '\u200c': // A.1 ZERO WIDTH NON-JOINER
      return isVirama(before) || joins(index, chars)
    case '\u200d': // A.2 ZERO WIDTH JOINER
      return isVirama(before)
    case '\u00b7': // A.3 MIDDLE DOT, of the Catalan l·l
      return before === 'l' && after === 'l'
    case '\u0375': // A.4 GREEK LOWER NUMERAL SIGN (KERAIA)
      return /\p{Script=Greek}/u.test(after)
    case '\u05f3': // A.5 HEBREW PUNCTUATION GERESH
    case '\u05f4': // A.6 HEBREW PUNCTUATION GERSHAYIM
      return /\p{Script=Hebrew}/u.test(before)
    case '\u30fb': // A.7 KATAKANA MIDDLE DOT
      return whole.japanese
    default: // A.8, A.9 ARABIC-INDIC DIGITS of one kind only
      return !whole.mixedDigits
  }
}

/** A.1: the characters around join, transparent ones overlooked: {L,D} T* ZWNJ T* {R,D}. */
function joins(index: number, chars: string[]): boolean {
  let left = index - 1
  while (joiningType(chars[left]) === 'T') left--
  let right = index + 1
  while (joiningType(chars[right]) === 'T') right++
  return /^[LD]$/.test(joiningType(chars[left])) && /^[RD]$/.test(joiningType(chars[right]))
}

/** Joining_Type D, L, R or T; U for all others. */
export function joiningType(char: string | undefined): string {
  joining ??= new RangeMap(JOINING_TYPE)
  return (char && joining.get(char.codePointAt(0) ?? 0)) || 'U'
}

/** Canonical_Combining_Class is Virama. */
export function isVirama(char: string): boolean {
  viramas ??= new RangeMap({ V: VIRAMA })
  return char !== '' && viramas.get(char.codePointAt(0) ?? 0) !== undefined
}
