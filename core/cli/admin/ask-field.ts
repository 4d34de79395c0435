import type { Asker } from './asker'
import type { AskedField } from './protocol'

const YES = new Set(['yes', 'y', 'true', '1'])
const NO = new Set(['no', 'n', 'false', '0'])

const MULTI: ReadonlySet<string> = new Set(['jid-multi', 'list-multi', 'text-multi'])

/** What stands for no value, where there is one already. */
const NONE = '-'

/** Asks for one field until there is an answer that could be one; undefined for none. */
export async function askField(
  field: AskedField,
  name: string,
  asker: Asker
): Promise<readonly string[] | undefined> {
  describe(field, name, asker)
  for (;;) {
    const values = await valuesFor(field, asker)
    if (values === 'again') continue
    if (!field.required || values?.some(value => value !== '')) return values
    asker.say('A value is required.')
  }
}

function describe({ label, desc, options, open }: AskedField, name: string, asker: Asker): void {
  asker.say(label === undefined || label === name ? name : `${label} (${name})`)
  if (desc !== undefined) asker.say(`  ${desc}`)
  if (!options) return
  const width = Math.max(0, ...options.map(({ value }) => value.length))
  for (const { value, label: text } of options)
    asker.say(`  ${text === undefined || text === value ? value : `${value.padEnd(width)}  ${text}`}`)
  if (open) asker.say('  or another')
}

async function valuesFor(field: AskedField, asker: Asker): Promise<readonly string[] | 'again' | undefined> {
  if (field.type === 'text-private') {
    const secret = await asker.secret('not shown: ')
    return secret === '' ? undefined : [secret]
  }
  if (field.type === 'boolean') return yesOrNo(field, asker)
  if (MULTI.has(field.type)) return several(field, asker)
  return one(field, asker)
}

async function yesOrNo(
  { values }: AskedField,
  asker: Asker
): Promise<readonly string[] | 'again' | undefined> {
  const now = values[0] === undefined ? undefined : YES.has(values[0])
  const said = (
    await asker.line(`yes or no${now === undefined ? '' : ` [${now ? 'yes' : 'no'}]`}: `)
  ).toLowerCase()
  if (said === '') return values.length > 0 ? values : undefined
  if (YES.has(said)) return ['1']
  if (NO.has(said)) return ['0']
  asker.say('Yes or no?')
  return 'again'
}

async function one(field: AskedField, asker: Asker): Promise<readonly string[] | 'again' | undefined> {
  const { values } = field
  const hint = values[0] ? ` [${values[0]}]${field.required ? '' : `, ${NONE} for none`}` : ''
  const said = await asker.line(`${hint === '' ? '' : hint.trim()}: `)
  if (said === '') return values.length > 0 ? values : undefined
  if (said === NONE && values[0] && !field.required) return ['']
  return isChoice(field, said, asker) ? [said] : 'again'
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
