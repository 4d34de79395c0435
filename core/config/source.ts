import fs from 'node:fs'
import path from 'node:path'
import type { Faults, Place } from './faults'

/** A config file by its path, or as text with the name that faults give it. */
export type ConfigSource =
  string | { text: string; name: string; /** Relative paths in it start here. */ folder?: string }

/** More is no config file but a mistake, and not worth the memory. */
export const MAX_CONFIG_BYTES = 1024 * 1024

const TOP: Place = { line: 1, column: 1, path: '' }

export function sourceName(source: ConfigSource): string {
  return typeof source === 'string' ? source : source.name
}

/** The folder that relative paths in the file start from. */
export function sourceFolder(source: ConfigSource): string {
  if (typeof source === 'string') return path.dirname(path.resolve(source))
  return path.resolve(source.folder ?? '.')
}

/** The text of the file; undefined and a fault where it cannot be had. */
export function readSource(source: ConfigSource, faults: Faults): string | undefined {
  if (typeof source !== 'string') return withinLimit(source.text.length, faults) ? source.text : undefined
  const bytes = readBytes(source, faults)
  if (!bytes || !withinLimit(bytes.length, faults)) return undefined
  const bad = firstLineNotUtf8(bytes)
  if (bad === 0) return bytes.toString('utf8').replace(/^\uFEFF/, '')
  faults.add({ line: bad, column: 1, path: '' }, 'this line is not UTF-8; save the file as UTF-8')
  return undefined
}

function readBytes(file: string, faults: Faults): Buffer | undefined {
  try {
    // Without this a pipe or a device in the file's place would be read for ever
    const stat = fs.statSync(file)
    if (stat.isFile() && withinLimit(stat.size, faults)) return fs.readFileSync(file)
    if (!stat.isFile()) faults.add(TOP, 'this is not a file')
  } catch (error) {
    faults.add(TOP, `cannot be read: ${reason(error)}`)
  }
  return undefined
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'no permission to read it'
  return error instanceof Error ? error.message : String(error)
}

function withinLimit(size: number, faults: Faults): boolean {
  if (size <= MAX_CONFIG_BYTES) return true
  faults.add(TOP, `the file is bigger than ${MAX_CONFIG_BYTES} bytes`)
  return false
}

/** The number of the first line that is not UTF-8, 0 where all are. */
function firstLineNotUtf8(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 1
  for (let start = 0; start <= bytes.length; line++) {
    const found = bytes.indexOf(0x0a, start)
    const end = found < 0 ? bytes.length : found
    try {
      decoder.decode(bytes.subarray(start, end))
    } catch {
      return line
    }
    start = end + 1
  }
  return 0
}
