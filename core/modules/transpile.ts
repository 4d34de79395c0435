import { createHash } from 'node:crypto'
import { compile } from './compile'
import { CodedError } from '../errors'

/**
 * TypeScript to CommonJS, line for line, as bin/register.js does it for core. Throws `ERR_MODULE_SYNTAX` with
 * file, line and column.
 */
export function transpile(source: string, file: string): string {
  try {
    return compile(source, file)
  } catch (error) {
    throw syntaxError(error, file)
  }
}

interface Transpiled {
  digest: string
  code: string
}

/** Files that are remembered; more than all modules have. */
const MAX_FILES = 5000

/** Remembers what it has transpiled: a reload reads every file again, and pays only for those that were edited. */
export class Transpiler {
  readonly #known = new Map<string, Transpiled>()

  /** As `transpile`. */
  transpile(source: string, file: string): string {
    const digest = createHash('sha256').update(source).digest('base64')
    const known = this.#known.get(file)
    if (known?.digest === digest) return known.code
    const code = transpile(source, file)
    this.#known.delete(file)
    this.#known.set(file, { digest, code })
    if (this.#known.size > MAX_FILES) this.#known.delete(this.#known.keys().next().value as string)
    return code
  }
}

function syntaxError(error: unknown, file: string): CodedError {
  const message = error instanceof Error ? error.message : String(error)
  const [, what, line, column] = /^(?:Error transforming .*?: )?([^]*) \((\d+):(\d+)\)$/.exec(message) ?? []
  const place = line === undefined ? file : `${file}:${line}:${column}`
  return new CodedError('ERR_MODULE_SYNTAX', `${place}: ${what ?? message}`)
}
