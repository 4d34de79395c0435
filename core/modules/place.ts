import path from 'node:path'

export type Inside = (file: string) => boolean

/** Whether a file lies in the folder. */
export function within(folder: string): Inside {
  const start = folder.endsWith(path.sep) ? folder : folder + path.sep
  return file => file.startsWith(start)
}

/**
 * Where something went wrong: the topmost line of the stack that lies inside, as
 * `file:line`. Columns are left out: taking out types moves them.
 */
export function placeOf(error: unknown, inside: Inside): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const line of stack.split('\n')) {
    // `at f (file:line:column)`, `at file:line:column`, and `file:line` above what could not be compiled
    const [, file, place] = /^(?:\s+at (?:.*\()?)?(\/.*?)(:\d+)(?::\d+)?\)?$/.exec(line) ?? []
    if (file !== undefined && place !== undefined && inside(file)) return file + place
  }
  return undefined
}

/**
 * What was thrown, in one line for a person, with file and line where they are known. A string on purpose: an
 * Error holds on to the functions of its stack, and so to the whole version of the module that threw it.
 */
export function describe(error: unknown, inside: Inside): string {
  if (!(error instanceof Error)) return String(error)
  const [message = ''] = error.message.split('\n')
  if (/^\/.+:\d+/.test(message)) return message
  const named = error.name === 'Error' || error.name === 'CodedError' ? message : `${error.name}: ${message}`
  const place = placeOf(error, inside)
  return place === undefined ? named : `${place}: ${named}`
}
