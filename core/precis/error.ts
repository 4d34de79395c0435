/** A string does not fit its profile. The message goes on after a subject: "is empty", "holds U+0020 ...". */
export class PrecisError extends Error {
  override readonly name = 'PrecisError'
}

/** "U+2163", as messages write a code point. */
export function codePointName(char: string): string {
  const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase()
  return `U+${hex.padStart(4, '0')}`
}
