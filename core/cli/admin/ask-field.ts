import type { Asker } from './asker'
import { NO, YES } from './given'
import type { AskedField } from './protocol'

const MULTI: ReadonlySet<string> = new Set(['jid-multi', 'list-multi', 'text-multi'])

/** What stands for no value, where there is one already. */
const NONE = '-'

/** Asks for one field until there is an answer that could be one; undefined for none. */
export async function askField(
  field: AskedField,
  name: string,
  asker: Asker
): Promise<readonly string[] | undefined> {
  const { label, required } = field
  const question = label === undefined || label === name ? name : `${label} (${name})`
  // What has to be read first stands above the line in which the answer is typed
  const prompt = describe(field, question, asker) ? '' : question
  for (;;) {
    const values = await valuesFor(field, prompt, asker)
    if (values === 'again') continue
    if (!required || values?.some(value => value !== '')) return values
    asker.say('A value is required.')
  }
}

/** Whether there was anything to say. */
function describe({ type, desc, options, open }: AskedField, question: string, asker: Asker): boolean {
  if (desc === undefined && !options && !MULTI.has(type)) return false
  asker.say(question)
  if (desc !== undefined) asker.say(`  ${desc}`)
  const width = Math.max(0, ...(options ?? []).map(({ value }) => value.length))
  for (const { value, label } of options ?? [])
    asker.say(`  ${label === undefined || label === value ? value : `${value.padEnd(width)}  ${label}`}`)
  if (options && open) asker.say('  or another')
  return true
}

async function valuesFor(
  field: AskedField,
  prompt: string,
  asker: Asker
): Promise<readonly string[] | 'again' | undefined> {
  if (field.type === 'text-private') {
    const secret = await asker.secret(`${joined(prompt, 'not shown')}: `)
    return secret === '' ? undefined : [secret]
  }
  if (field.type === 'boolean') return yesOrNo(field, prompt, asker)
  return MULTI.has(field.type) ? several(field, asker) : one(field, prompt, asker)
}

async function yesOrNo(
  { values }: AskedField,
  prompt: string,
  asker: Asker
): Promise<readonly string[] | 'again' | undefined> {
  const now = values[0] === undefined ? '' : ` [${YES.has(values[0]) ? 'yes' : 'no'}]`
  const said = (await asker.line(`${joined(prompt, 'yes or no')}${now}: `)).toLowerCase()
  if (said === '') return values.length > 0 ? values : undefined
  if (YES.has(said)) return ['1']
  if (NO.has(said)) return ['0']
  asker.say('Yes or no?')
  return 'again'
}

async function one(
  field: AskedField,
  prompt: string,
  asker: Asker
): Promise<readonly string[] | 'again' | undefined> {
  const { values, required } = field
  const now = values[0] ? `[${values[0]}]` : ''
  const hint = now === '' || required ? now : `${now}, ${NONE} for none`
  const said = await asker.line(`${[prompt, hint].filter(Boolean).join(' ')}: `)
  if (said === '') return values.length > 0 ? values : undefined
  if (said === NONE && now !== '' && !required) return ['']
  return isChoice(field, said, asker) ? [said] : 'again'
}

function joined(...parts: string[]): string {
  return parts.filter(Boolean).join(', ')
}

/** A line each; an empty one ends them. */
async function several(field: AskedField, asker: Asker): Promise<readonly string[] | 'again' | undefined> {
  const { values } = field
  if (values.length > 0) asker.say(`  now: ${values.join(field.type === 'text-multi' ? '\n       ' : ', ')}`)
  const keep =
    values.length > 0 ? `; an empty one keeps what is there, ${NONE} empties it` : ', an empty one ends'
  asker.say(`  one a line${keep}`)
  const said: string[] = []
  for (;;) {
    const line = await asker.line(': ')
    if (line === '') break
    if (line === NONE && said.length === 0 && values.length > 0) return ['']
    if (isChoice(field, line, asker)) said.push(line)
  }
  if (said.length > 0) return said
  return values.length > 0 ? values : undefined
}

function isChoice({ options, open }: AskedField, said: string, asker: Asker): boolean {
  if (!options || open || options.some(({ value }) => value === said)) return true
  asker.say(`It must be one of: ${options.map(({ value }) => value).join(', ')}`)
  return false
}
