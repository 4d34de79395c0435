import { EXIT, Failure } from '../exit'
import type { AskedField, AskedForm } from './protocol'

/** What people say for a boolean. */
export const YES: ReadonlySet<string> = new Set(['yes', 'y', 'true', '1'])
export const NO: ReadonlySet<string> = new Set(['no', 'n', 'false', '0'])

/** What was given as `field=value`: by field, all values in their order. */
export class Given {
  readonly #values = new Map<string, string[]>()
  /** Names that some form has. */
  readonly #used = new Set<string>()

  /** Throws a Failure for what is no `field=value`. */
  constructor(args: readonly string[]) {
    for (const arg of args) {
      const at = arg.indexOf('=')
      if (at < 1) throw new Failure(`field=value is expected, not '${arg}'.`, EXIT.usage)
      const name = arg.slice(0, at)
      this.#values.set(name, [...(this.#values.get(name) ?? []), arg.slice(at + 1)])
    }
  }

  get names(): string[] {
    return [...this.#values.keys()]
  }

  values(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  /** The values for each field of a form. Throws a Failure where a secret is given, or a field twice. */
  of({ fields }: AskedForm): Map<string, string[]> {
    const found = new Map<string, string[]>()
    for (const [name, values] of this.#values) {
      const field = fieldNamed(fields, name)
      if (!field) continue
      this.#used.add(name)
      if (field.type === 'text-private') throw secretGiven(name)
      if (found.has(field.var))
        throw new Failure(`${name} is ${field.var}, which is given already.`, EXIT.usage)
      found.set(field.var, field.type === 'boolean' ? values.map(asBoolean) : values)
    }
    return found
  }

  /** Throws a Failure if there is something that no form has; `forms` are all of them. */
  mustBeUsed(forms: readonly AskedForm[]): void {
    const unknown = this.names.filter(name => !this.#used.has(name))
    if (unknown.length === 0) return
    const there = forms.flatMap(form => askedOf(form).map(field => shortField(field, form)))
    const known = there.length > 0 ? `there is: ${there.join(', ')}` : 'it takes none'
    throw new Failure(
      `The command has no field ${unknown.join(', ')}; ${known}. Nothing was done.`,
      EXIT.usage
    )
  }
}

/** XEP-0004 §3.3 knows no yes and no; what is neither stays as it is, and is refused by the form. */
function asBoolean(value: string): string {
  const said = value.toLowerCase()
  if (YES.has(said)) return '1'
  return NO.has(said) ? '0' : value
}

/** The fields that somebody fills in. */
export function askedOf({ fields }: AskedForm): AskedField[] {
  return fields.filter(({ type }) => type !== 'fixed' && type !== 'hidden')
}

/** What the command line calls a field: without its namespace (`{urn:x}after`, `urn:x#after`) where that will do. */
export function shortField(field: AskedField, { fields }: AskedForm): string {
  const short = shortName(field.var)
  return fieldNamed(fields, short) === field ? short : field.var
}

/** The name, without what stands before it to make it unlike any other's. */
export function shortName(name: string): string {
  return /[^#}]+$/.exec(name)?.[0] ?? name
}

function fieldNamed(fields: readonly AskedField[], name: string): AskedField | undefined {
  const mine = fields.filter(({ type }) => type !== 'fixed')
  const exact = mine.find(field => field.var === name)
  if (exact) return exact
  const short = mine.filter(field => shortName(field.var) === name)
  return short.length === 1 ? short[0] : undefined
}

function secretGiven(name: string): Failure {
  return new Failure(
    `${name} is a secret, and everybody on this machine can see what a command is given (this one may have been ` +
      `seen already). Leave it out: it is asked for on the terminal, or read from standard input, a line. ` +
      `Nothing was done.`,
    EXIT.usage
  )
}
