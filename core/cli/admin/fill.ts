import { EXIT, Failure } from '../exit'
import type { Asker, InputLines } from './asker'
import { askField } from './ask-field'
import { askedOf, shortField } from './given'
import type { Answer, AskedField, AskedForm, FormTurn } from './protocol'

/** Where answers come from that were not given. */
export interface Sources {
  /** On a terminal. */
  asker: Asker | undefined
  /** Secrets, where there is no terminal. */
  lines: InputLines | undefined
  /** Nothing is asked but secrets. */
  yes: boolean
}

/** What is filled in, by field. */
export type Filled = Map<string, readonly string[]>

/** XEP-0133 §4.1 has a field for typing a password again: `password-verify`. */
const AGAIN = '-verify'

/**
 * Fills a form with what was given, what the form suggests, and what is asked for: everything if nothing of this form
 * was given, else what is required and missing. Throws a Failure that names what nobody can be asked for.
 */
export async function fill(
  form: AskedForm,
  given: ReadonlyMap<string, readonly string[]>,
  { asker, lines, yes }: Sources
): Promise<Filled> {
  const filled: Filled = new Map()
  for (const field of form.fields) {
    const values = given.get(field.var) ?? field.values
    if (field.type !== 'fixed' && (given.has(field.var) || values.length > 0)) filled.set(field.var, values)
  }
  const asked = askedOf(form)
  const wanted = asked.filter(field => {
    if (given.has(field.var) || twinOf(field, form)) return false
    return field.type === 'text-private' || (!yes && (given.size === 0 || isMissing(field, filled)))
  })
  if (asker) {
    if (wanted.length > 0) introduce(form, asker)
    for (const field of wanted) await ask(field, form, filled, asker)
  } else {
    for (const field of wanted) {
      const line = field.type === 'text-private' ? await lines?.next() : undefined
      if (line !== undefined && line !== '') filled.set(field.var, [line])
    }
  }
  sayAgain(form, filled)
  const missing = asked.filter(field => isMissing(field, filled))
  if (missing.length > 0) throw incomplete(missing, form)
  return filled
}

/** Asks again for what was wrong. Throws a Failure where nobody can be asked. */
export async function mend(
  { form, fault }: FormTurn,
  before: Filled,
  { asker, yes }: Sources
): Promise<Filled> {
  const message = `${(fault?.message ?? 'The form cannot be taken').replace(/\.$/, '')}.`
  const field = askedOf(form).find(one => one.var === fault?.field)
  if (!asker || (yes && field?.type !== 'text-private'))
    throw new Failure(`${message} Nothing was done.`, EXIT.usage)
  asker.say(message)
  const filled: Filled = new Map(before)
  const twin = field && twinOf(field, form)
  for (const one of field ? [twin ?? field] : askedOf(form).filter(each => !twinOf(each, form)))
    await ask(one, form, filled, asker)
  sayAgain(form, filled)
  return filled
}

export function answerOf(filled: Filled): Answer {
  return [...filled]
}

async function ask(field: AskedField, form: AskedForm, filled: Filled, asker: Asker): Promise<void> {
  const now = filled.get(field.var) ?? []
  // An empty value is none to show
  const values = now.every(value => value === '') ? [] : [...now]
  const said = await askField({ ...field, values }, shortField(field, form), asker)
  if (said) filled.set(field.var, said)
  // Without an answer a field stays as the form has it; a secret that was refused does not
  else if (field.type === 'text-private') filled.delete(field.var)
}

function introduce({ title, instructions, fields }: AskedForm, asker: Asker): void {
  for (const line of [title, ...instructions]) if (line) asker.say(line)
  for (const { type, values, label } of fields)
    if (type === 'fixed') for (const line of values.length > 0 ? values : [label ?? '']) asker.say(line)
}

/** The secret that this field wants a second time: on the command line it is typed twice anyway. */
function twinOf({ var: name, type }: AskedField, { fields }: AskedForm): AskedField | undefined {
  if (type !== 'text-private' || !name.endsWith(AGAIN)) return undefined
  return fields.find(field => field.type === 'text-private' && `${field.var}${AGAIN}` === name)
}

function sayAgain(form: AskedForm, filled: Filled): void {
  for (const field of form.fields) {
    const twin = twinOf(field, form)
    if (!twin) continue
    const values = filled.get(twin.var)
    if (values) filled.set(field.var, values)
    else filled.delete(field.var)
  }
}

function isMissing({ required, var: name }: AskedField, filled: Filled): boolean {
  return required && (filled.get(name) ?? []).every(value => value === '')
}

function incomplete(missing: readonly AskedField[], form: AskedForm): Failure {
  const named = missing.map(field => {
    const name = shortField(field, form)
    return field.type === 'text-private'
      ? `  ${name} (a line of standard input)`
      : `  ${name}=… (${field.label ?? field.type})`
  })
  return new Failure(`These fields are needed:\n${named.join('\n')}\nNothing was done.`, EXIT.usage)
}
