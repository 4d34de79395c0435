import { StreamError } from '../errors'
import { HIGH, CLASS } from './bytes'
import { ascii, isNcName, utf8 } from './decode'

/** What an attribute of that name is. */
export const PLAIN = 0
/** `xmlns`: declares the default namespace. */
export const DEFAULT_NS = 1
/** `xmlns:prefix`: declares a prefix. */
export const PREFIX_NS = 2
/** `xml:lang` and the like, which need no declaration. */
export const XML = 3
/** Any other prefix. */
export const PREFIXED = 4

/** A qualified name (Namespaces in XML 1.0 §4). */
export interface Name {
  readonly raw: string
  /** '' where there is none. */
  readonly prefix: string
  readonly local: string
  readonly kind: number
  readonly hash: number
}

// XMPP uses few names: those lately read are found by their bytes, so that no string is made for them. What a
// hostile peer puts here drives out another entry and costs that entry's next reader one string.
const SLOTS = 2048
const MAX_CACHED = 64
const cache: (Name | undefined)[] = new Array<Name | undefined>(SLOTS).fill(undefined)
const namespaces: (string | undefined)[] = new Array<string | undefined>(SLOTS).fill(undefined)

/** The hash that `readName` wants, one byte further. */
export function hashed(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0
}

/** The name in these bytes, all of them of class NAME, the first of class START. Throws a StreamError. */
export function readName(bytes: Buffer, start: number, end: number, hash: number): Name {
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
  const cached = cache[slot]
  if (cached !== undefined && cached.hash === hash && isAt(cached.raw, bytes, start, end)) return cached
  const name = parseName(bytes, start, end, hash)
  if (end - start <= MAX_CACHED && name.raw.length === end - start) cache[slot] = name
  return name
}

function isAt(raw: string, bytes: Buffer, start: number, end: number): boolean {
  if (raw.length !== end - start) return false
  for (let i = 0; i < raw.length; i++) if (raw.charCodeAt(i) !== bytes[start + i]) return false
  return true
}

/** A namespace in bytes that are plain ASCII; few are in use, and comparing those is comparing pointers. */
export function readNamespace(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  if (length < 4 || length > MAX_CACHED) return ascii(bytes, start, end)
  // Namespaces begin alike: a few bytes of the rest tell them apart well enough.
  const middle = start + (length >> 1)
  let hash = hashed(length, bytes[end - 1] as number)
  hash = hashed(hash, bytes[end - 3] as number)
  hash = hashed(hash, bytes[middle] as number)
  hash = hashed(hash, bytes[middle + (length >> 2)] as number)
  const slot = (hash ^ (hash >>> 11)) & (SLOTS - 1)
  const cached = namespaces[slot]
  if (cached !== undefined && isAt(cached, bytes, start, end)) return cached
  return (namespaces[slot] = interned(ascii(bytes, start, end)))
}

function parseName(bytes: Buffer, start: number, end: number, hash: number): Name {
  const raw = interned(isHigh(bytes, start, end) ? utf8(bytes, start, end) : ascii(bytes, start, end))
  const colon = raw.indexOf(':')
  const prefix = colon < 0 ? '' : interned(raw.slice(0, colon))
  const local = colon < 0 ? raw : interned(raw.slice(colon + 1))
  if (!isNcName(local) || (colon >= 0 && !isNcName(prefix))) {
    throw new StreamError('not-well-formed', 'an element or attribute has a name that is no qualified name')
  }
  return { raw, prefix, local, kind: kindOf(prefix, local), hash }
}

function isHigh(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((CLASS[bytes[i] as number] as number) & HIGH) return true
  return false
}

function kindOf(prefix: string, local: string): number {
  if (prefix === '') return local === 'xmlns' ? DEFAULT_NS : PLAIN
  if (prefix === 'xmlns') return PREFIX_NS
  return prefix === 'xml' ? XML : PREFIXED
}

// An object without a prototype is a hash table from the start: names that a peer makes up leave no trace in the
// shapes that the engine keeps of objects.
const table = Object.create(null) as Record<string, true>

/** The engine's own copy, as property keys are: comparing two of them is comparing two pointers. */
function interned(name: string): string {
  table[name] = true
  const key = Object.keys(table)[0] ?? name
  delete table[name]
  return key
}
