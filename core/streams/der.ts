/*
 * As much of DER as it takes to read single fields of a certificate (RFC 5280): the libraries that read certificates
 * are too large to be loaded for a few bytes.
 */

export const SEQUENCE = 0x30
export const OBJECT_IDENTIFIER = 0x06
export const BOOLEAN = 0x01
export const INTEGER = 0x02
export const OCTET_STRING = 0x04
export const UTF8_STRING = 0x0c
export const IA5_STRING = 0x16

/** [number], implicit or holding one value (constructed). */
export function context(number: number, constructed = false): number {
  return (constructed ? 0xa0 : 0x80) + number
}

export interface Field {
  tag: number
  whole: Buffer
  content: Buffer
}

/** What a constructed value of that tag holds; nothing where it is something else, or ends in the middle. */
export function fieldsOf(data: Buffer, tag: number): Field[] {
  const outer = fieldAt(data, 0)
  return outer?.tag === tag ? fieldsIn(outer.content) : []
}

/** Values one after the other. */
export function fieldsIn(content: Buffer): Field[] {
  const fields: Field[] = []
  for (let at = 0; at < content.length;) {
    const field = fieldAt(content, at)
    if (!field) return []
    fields.push(field)
    at += field.whole.length
  }
  return fields
}

/** X.690 §8.1 as far as certificates need it: tags of one byte, definite lengths of up to four. */
function fieldAt(data: Buffer, at: number): Field | undefined {
  const tag = data[at]
  let length = data[at + 1]
  if (tag === undefined || length === undefined) return undefined
  let start = at + 2
  if (length >= 0x80) {
    const count = length - 0x80
    if (count < 1 || count > 4 || start + count > data.length) return undefined
    length = data.readUIntBE(start, count)
    start += count
  }
  const end = start + length
  if (end > data.length) return undefined
  return { tag, whole: data.subarray(at, end), content: data.subarray(start, end) }
}
