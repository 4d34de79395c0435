import { createHash } from 'node:crypto'
import { CodedError } from '../errors'
import { checkName, nameHash } from './names'

/** How many bytes of a key its entries are ordered by. */
const HEAD_BYTES = 512
const MAX_PREFIX = 500
const NOTHING = Buffer.alloc(0)

/** A key as it is stored: what an index can order, and the rest. */
export interface KeyParts {
  readonly head: string
  readonly tail: string
  /** Tells keys with the same head apart; empty where there is no tail. */
  readonly tailHash: Buffer
}

export const BEFORE_ALL: KeyParts = { head: '', tail: '', tailHash: NOTHING }

/** Throws `ERR_STORAGE_NAME`. */
export function splitKey(key: string): KeyParts {
  checkName(key, 'key')
  if (key.length * 3 <= HEAD_BYTES) return { head: key, tail: '', tailHash: NOTHING }
  const bytes = Buffer.from(key)
  if (bytes.length <= HEAD_BYTES) return { head: key, tail: '', tailHash: NOTHING }
  let cut = HEAD_BYTES
  while (((bytes[cut] as number) & 0xc0) === 0x80) cut-- // not within a character
  const tail = bytes.toString('utf8', cut)
  return { head: bytes.toString('utf8', 0, cut), tail, tailHash: nameHash(tail) }
}

export function checkPrefix(prefix: string): void {
  if (Buffer.byteLength(prefix) > MAX_PREFIX)
    throw new CodedError('ERR_STORAGE_NAME', `A prefix of keys is ${MAX_PREFIX} bytes long at most`)
}

/** A short name for several long ones together: one column in an index, whatever their length. */
export function digest(...names: string[]): Buffer {
  // As JSON, so that what ends one name cannot begin the next.
  return createHash('sha256').update(JSON.stringify(names)).digest().subarray(0, 16)
}
