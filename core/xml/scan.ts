import { CLASS, NAME, SPACE } from './bytes'
import { hashed } from './names'

/*
 * Loops over bytes. Each answers where it stopped, which is `end` when the bytes ran out; what else it found is
 * left in `found` until the next call, for a second return value would be an object for each attribute.
 */
export const found = {
  /** By `nameEnd`: the name's hash. */
  hash: 0,
  /** By `valueEnd` and `textEnd`: all classes of the bytes in between. */
  classes: 0
}

export function spaceEnd(bytes: Buffer, from: number, end: number): number {
  let i = from
  while (i < end && ((CLASS[bytes[i] as number] as number) & SPACE) !== 0) i++
  return i
}

export function nameEnd(bytes: Buffer, from: number, end: number): number {
  let hash = 0
  let i = from
  for (; i < end; i++) {
    const byte = bytes[i] as number
    if (((CLASS[byte] as number) & NAME) === 0) break
    hash = hashed(hash, byte)
  }
  found.hash = hash
  return i
}

/** Where the byte `stop` is: a quote that ends a value, or the `<` that ends text. */
export function endOf(stop: number, bytes: Buffer, from: number, end: number): number {
  let classes = 0
  let i = from
  for (; i < end; i++) {
    const byte = bytes[i] as number
    if (byte === stop) break
    classes |= CLASS[byte] as number
  }
  found.classes = classes
  return i
}
