import type { Random } from './random'

const CHARS = [
  '<',
  '>',
  '/',
  '&',
  ';',
  '"',
  "'",
  '=',
  ' ',
  '\n',
  '\r',
  ':',
  '!',
  '?',
  '[',
  ']',
  '-',
  '#',
  'a',
  'x',
  '0',
  'é',
  '😀',
  '\0',
  '\x0b',
  '\ufffe',
  'xmlns',
  'xmlns:p=""',
  '<a>',
  '</a>',
  '<!--',
  '-->',
  ']]>',
  '<![CDATA[',
  '&#x',
  '<?'
] as const
const BYTES = [
  0x00, 0x3c, 0x3e, 0x80, 0xbf, 0xc0, 0xc1, 0xc3, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xfe, 0xff
] as const

/** A few changes anywhere; whole characters stay whole. */
export function mutate(random: Random, text: string): string {
  const chars = [...text]
  for (let i = random.below(3); i >= 0; i--) {
    const at = random.below(chars.length + 1)
    const choice = random.below(6)
    if (choice === 0) chars.splice(at, 1 + random.below(3))
    else if (choice === 1) chars.splice(at, 0, random.pick(CHARS))
    else if (choice === 2) chars.splice(at, 1, random.pick(CHARS))
    else if (choice === 3) chars.splice(at, 0, ...chars.slice(at, at + random.below(12)))
    else if (choice === 4)
      chars.splice(random.below(chars.length + 1), 0, ...chars.splice(at, random.below(12)))
    else if (random.once(4)) chars.length = Math.min(at, chars.length)
  }
  return chars.join('')
}

/** Bytes that need not be UTF-8 any more. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  const list = [...bytes]
  for (let i = random.below(2); i >= 0; i--) {
    const at = random.below(list.length + 1)
    const choice = random.below(3)
    if (choice === 0) list.splice(at, 1)
    else if (choice === 1) list.splice(at, 0, random.pick(BYTES))
    else list.splice(at, 1, random.pick(BYTES))
  }
  return Buffer.from(list)
}

/** The bytes in pieces: now whole, now byte by byte, mostly in between. */
export function cut(random: Random, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  const most = random.pick([1, 3, 16, 64, 300])
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(most)
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}
