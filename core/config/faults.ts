/** Where something stands in the config file. */
export interface Place {
  /** From 1. */
  line: number
  /** From 1. */
  column: number
  /** As an operator reads it: `modules.c2s.listen[0].port`; '' for the file as a whole. */
  path: string
}

/** One thing that is wrong in the config file, and where. */
export interface Fault extends Place {
  /** The file as it was named to `loadConfig`. */
  file: string
  /** What is wrong and what to do about it, in one line. Never holds a secret. */
  message: string
}

/** Collects faults while a file is checked. */
export class Faults {
  readonly #seen = new Map<string, Fault>()

  constructor(readonly file: string) {}

  get any(): boolean {
    return this.#seen.size > 0
  }

  /** A fault at one place that several hosts share (a global option) is told once. */
  add(place: Place, message: string): void {
    const fault = {
      file: this.file,
      line: place.line,
      column: place.column,
      path: place.path,
      message: printable(message)
    }
    const key = `${place.line}:${place.column} ${place.path} ${message}`
    if (!this.#seen.has(key)) this.#seen.set(key, fault)
  }

  addAll(others: Faults): void {
    for (const [key, fault] of others.#seen) if (!this.#seen.has(key)) this.#seen.set(key, fault)
  }

  /** In the order of the file. */
  list(): Fault[] {
    return [...this.#seen.values()].sort((a, b) => a.line - b.line || a.column - b.column)
  }
}

const MOST_PRINTED = 200

/** The faults for a person, a line each: `balcony.yaml:12:5  hosts.localhost.modules.rostr: unknown module; …`. */
export function formatFaults(faults: readonly Fault[]): string {
  const lines = faults.slice(0, MOST_PRINTED).map(fault => {
    const path = fault.path === '' ? '' : `${printable(fault.path)}: `
    return `${fault.file}:${fault.line}:${fault.column}  ${path}${fault.message}`
  })
  if (faults.length > MOST_PRINTED) lines.push(`and ${faults.length - MOST_PRINTED} more`)
  return lines.join('\n')
}

/** The path of an entry below another. Names that hold dots, as hosts do, are quoted. */
export function pathBelow(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`
  if (!/^[\w-]+$/.test(key)) return `${parent}[${quoted(key)}]`
  return parent === '' ? key : `${parent}.${key}`
}

/** A string out of the file as it can be shown: in quotes, short, without control characters. */
export function quoted(text: string): string {
  return printable(JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text))
}

// What would steer a terminal or reverse a line is shown as its code point
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    c => `\\u${c.codePointAt(0)?.toString(16).padStart(4, '0')}`
  )
}
