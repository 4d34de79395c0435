/** What a byte of UTF-8 may be; several at once. */
export const SPACE = 1
/** May stand in a name; which characters beyond ASCII may is looked at when the name is read. */
export const NAME = 2
/** May start a name. */
export const START = 4
/** Text that holds one is more than a copy of its bytes: `&`, `]` (of `]]>`), CR and what no text may hold. */
export const MARKED_TEXT = 8
/** The same for attribute values: `&`, TAB, LF, CR and what no value may hold. */
export const MARKED_VALUE = 16
/** Part of a character beyond ASCII. */
export const HIGH = 32

export const TAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const BANG = 0x21
export const DOUBLE_QUOTE = 0x22
export const SINGLE_QUOTE = 0x27
export const SLASH = 0x2f
export const LT = 0x3c
export const EQUALS = 0x3d
export const GT = 0x3e
export const QUESTION = 0x3f
export const OPEN_BRACKET = 0x5b
export const CLOSE_BRACKET = 0x5d

/** The classes of each byte. */
export const CLASS = Uint8Array.from({ length: 256 }, (_, byte) => classOf(byte))

function classOf(byte: number): number {
  if (byte >= 0x80) return NAME | START | HIGH
  const char = String.fromCharCode(byte)
  if (/[A-Za-z_:]/.test(char)) return NAME | START
  if (/[0-9.-]/.test(char)) return NAME
  if (char === ' ') return SPACE
  if (char === '\t' || char === '\n') return SPACE | MARKED_VALUE
  if (char === '\r') return SPACE | MARKED_TEXT | MARKED_VALUE
  if (byte < 0x20 || char === '&') return MARKED_TEXT | MARKED_VALUE
  if (char === '<') return MARKED_VALUE
  return char === ']' ? MARKED_TEXT : 0
}
