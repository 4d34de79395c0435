import { PrecisError } from './error'
import { RangeMap } from './ranges'
import { BIDI_CLASS } from './tables'

// The default Bidi_Class of unassigned code points is R or AL in these blocks (UAX #9): where Node's Unicode is
// newer than the table, a letter that the table does not know is judged as right-to-left, the stricter way.
const RTL_BLOCKS = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

let classes: RangeMap | undefined

/** Bidi_Class of a character, X for those that the Bidi Rule never allows. */
export function bidiClass(char: string): string {
  classes ??= new RangeMap(BIDI_CLASS)
  const known = classes.get(char.codePointAt(0) ?? 0)
  if (known) return known
  if (/\p{Mn}/u.test(char)) return 'NSM'
  return RTL_BLOCKS.test(char) ? 'R' : 'L'
}

/** Whether the text holds a right-to-left code point (R, AL, AN), so that the Bidi Rule applies to it. */
export function hasRtl(text: string): boolean {
  for (const char of text) {
    // nothing below Hebrew is right-to-left
    if (char > '\u058f' && /^(?:R|AL|AN)$/.test(bidiClass(char))) return true
  }
  return false
}

/** The six conditions of RFC 5893 §2 for one label or user name. Throws PrecisError. */
export function checkBidiRule(label: string): void {
  const found = Array.from(label, bidiClass)
  const direction = found[0] ?? ''
  if (!/^(?:L|R|AL)$/.test(direction)) {
    throw new PrecisError('mixes directions: it has to begin with a letter (RFC 5893 condition 1)')
  }
  const rtl = direction !== 'L'
  const allowed = rtl ? /^(?:R|AL|AN|EN|ES|CS|ET|ON|BN|NSM)$/ : /^(?:L|EN|ES|CS|ET|ON|BN|NSM)$/
  if (!found.every(name => allowed.test(name))) {
    throw new PrecisError(`mixes directions (RFC 5893 condition ${rtl ? 2 : 5})`)
  }
  const last = found.findLast(name => name !== 'NSM') ?? ''
  if (!(rtl ? /^(?:R|AL|EN|AN)$/ : /^(?:L|EN)$/).test(last)) {
    throw new PrecisError(
      `mixes directions: it has to end with a letter or digit (RFC 5893 condition ${rtl ? 3 : 6})`
    )
  }
  if (rtl && found.includes('EN') && found.includes('AN')) {
    throw new PrecisError('mixes European and Arabic digits (RFC 5893 condition 4)')
  }
}
