import { transform } from 'sucrase'
import { CodedError } from '../errors'

/**
 * TypeScript to CommonJS, line for line, as bin/register.js does it for core. Throws `ERR_MODULE_SYNTAX` with
 * file, line and column.
 */
export function transpile(source: string, file: string): string {
  try {
    return transform(source, {
      transforms: ['typescript', 'imports'],
      filePath: file,
      disableESTransforms: true,
      preserveDynamicImport: true
    }).code
  } catch (error) {
    throw syntaxError(error, file)
  }
}

function syntaxError(error: unknown, file: string): CodedError {
  const message = error instanceof Error ? error.message : String(error)
  const [, what, line, column] = /^(?:Error transforming .*?: )?([^]*) \((\d+):(\d+)\)$/.exec(message) ?? []
  const place = line === undefined ? file : `${file}:${line}:${column}`
  return new CodedError('ERR_MODULE_SYNTAX', `${place}: ${what ?? message}`)
}
