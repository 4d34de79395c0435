import { isUtf8 } from 'node:buffer'
import { StreamError } from '../errors'

/** What Buffer's own methods are made of; `toString` with an encoding takes up to half as long again. */
interface Slices {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

// RFC 6120 §11.6, XML 1.0 §2.2: what is not UTF-8 becomes U+FFFD when it is decoded, which may itself be sent.
const SUSPECT = /[\ufffd-\uffff]/

/** A string of its own: nothing of the chunk is kept alive by it. */
export function ascii(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Slices).latin1Slice(start, end)
}

/** Throws a StreamError where the bytes are not UTF-8 or hold U+FFFE or U+FFFF. */
export function utf8(bytes: Buffer, start: number, end: number): string {
  const text = (bytes as unknown as Slices).utf8Slice(start, end)
  if (!SUSPECT.test(text)) return text
  if (!isUtf8(bytes.subarray(start, end)))
    throw new StreamError('unsupported-encoding', 'the bytes are not UTF-8')
  if (/[\ufffe\uffff]/.test(text)) throw illegal(text)
  return text
}

// XML 1.0 §2.2 [2] Char, less what cannot come out of UTF-8.
const ILLEGAL = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/

function illegal(text: string): StreamError {
  const code = ILLEGAL.exec(text)?.[0].charCodeAt(0) ?? 0
  const hex = code.toString(16).toUpperCase().padStart(4, '0')
  return new StreamError('not-well-formed', `U+${hex} is not a character of XML 1.0`)
}

/** Character data as it was sent: characters checked, line ends (XML 1.0 §2.11) and references resolved. */
export function characterData(raw: string): string {
  if (raw.includes(']]>')) throw new StreamError('not-well-formed', '"]]>" stands in text (XML 1.0 §2.4)')
  return expand(sectionData(raw))
}

/** The inside of a CDATA section, or text before its references are resolved. */
export function sectionData(raw: string): string {
  if (ILLEGAL.test(raw)) throw illegal(raw)
  return raw.includes('\r') ? raw.replace(/\r\n?/g, '\n') : raw
}

/** An attribute value as it was sent: white space becomes spaces (XML 1.0 §3.3.3), references are resolved. */
export function attributeValue(raw: string): string {
  if (raw.includes('<')) throw new StreamError('not-well-formed', '"<" stands in an attribute value')
  if (ILLEGAL.test(raw)) throw illegal(raw)
  return expand(raw.replace(/\r\n|[\t\r\n]/g, ' '))
}

const ENTITIES = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"]
])

function expand(text: string): string {
  let at = text.indexOf('&')
  if (at < 0) return text
  let expanded = ''
  let done = 0
  while (at >= 0) {
    const end = text.indexOf(';', at)
    if (end < 0) throw new StreamError('not-well-formed', 'a "&" starts no reference; write &amp;')
    const name = text.slice(at + 1, end)
    expanded += text.slice(done, at) + (ENTITIES.get(name) ?? reference(name))
    done = end + 1
    at = text.indexOf('&', done)
  }
  return expanded + text.slice(done)
}

/** A character reference (XML 1.0 §4.1 [66]). */
function reference(name: string): string {
  const [, decimal, hex] = /^#(?:([0-9]+)|x([0-9A-Fa-f]+))$/.exec(name) ?? []
  if (decimal === undefined && hex === undefined) {
    // RFC 6120 §11.1: only the predefined entities exist.
    const entity = isName(name)
    throw new StreamError(
      entity ? 'restricted-xml' : 'not-well-formed',
      entity ? 'only the entities lt, gt, amp, quot and apos exist' : 'a "&" starts no reference; write &amp;'
    )
  }
  const code = decimal === undefined ? parseInt(hex ?? '', 16) : parseInt(decimal, 10)
  if (!isCharacter(code))
    throw new StreamError('not-well-formed', 'a reference is to no character of XML 1.0')
  return String.fromCodePoint(code)
}

// XML 1.0 §2.2 [2]
function isCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
}

// XML 1.0 (fifth edition) §2.3 [4] and [4a], without the colon: Namespaces in XML 1.0 §3 [4] NCName.
const FIRST =
  'A-Z_a-z\\u{c0}-\\u{d6}\\u{d8}-\\u{f6}\\u{f8}-\\u{2ff}\\u{370}-\\u{37d}\\u{37f}-\\u{1fff}\\u{200c}\\u{200d}' +
  '\\u{2070}-\\u{218f}\\u{2c00}-\\u{2fef}\\u{3001}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{fffd}\\u{10000}-\\u{effff}'
const LATER = FIRST + '\\-.0-9\\u{b7}\\u{300}-\\u{36f}\\u{203f}\\u{2040}'
const NCNAME = new RegExp(`^[${FIRST}][${LATER}]*$`, 'u')
const ANY_NAME = new RegExp(`^[:${FIRST}][:${LATER}]*$`, 'u')

export function isNcName(name: string): boolean {
  return NCNAME.test(name)
}

export function isName(name: string): boolean {
  return ANY_NAME.test(name)
}
