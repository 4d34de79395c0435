/*
 * The numbers of stream management count stanzas modulo 2^32 (XEP-0198 §4): what follows 4294967295 is 0.
 */

/** How many stanzas lie between two counts, going forward. */
export function distance(from: number, to: number): number {
  return (to - from) >>> 0
}

/** A count, so many stanzas further. */
export function advance(count: number, by = 1): number {
  return (count + by) >>> 0
}

const DIGITS = /^\s*\+?0*(\d{1,10})\s*$/

/** Reads an `h`: an unsignedInt of XML Schema; undefined for whatever is none. */
export function readCount(text: string | undefined): number | undefined {
  const digits = DIGITS.exec(text ?? '')?.[1]
  if (digits === undefined) return undefined
  const count = Number(digits)
  return count <= 0xffffffff ? count : undefined
}
