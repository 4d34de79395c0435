import { PrecisError } from './error'

/** XEP-0106 Table 1, less the backslash. */
const DISALLOWED = /[ "&'/:<>@]/g
const ESCAPED = /\\(20|22|26|27|2f|3a|3c|3e|40|5c)/g

/**
 * A name of another world as a localpart, XEP-0106 §4.2: `d'artagnan` becomes `d\27artagnan`. What comes out
 * has still to be enforced as a localpart. Throws PrecisError where a space stands at either end.
 */
export function escapeLocal(name: string): string {
  // XEP-0106 §4.1 rule 6
  if (/^ | $/.test(name)) throw new PrecisError('begins or ends with a space, which cannot be escaped')
  return name
    .replace(ESCAPED, '\\5c$1')
    .replace(DISALLOWED, char => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** The reverse, for display and for gateways, never for comparing (XEP-0106 §4.1 rule 5). */
export function unescapeLocal(local: string): string {
  return local.replace(ESCAPED, (whole, hex: string, at: number) => {
    // no localpart may begin or end so, hence it was never meant as an escape
    if (hex === '20' && (at === 0 || at + whole.length === local.length)) return whole
    return String.fromCharCode(parseInt(hex, 16))
  })
}
