import { print, printError, table } from '../output'
import { askedOf, shortField } from './given'
import { shortNode } from './pick'
import type { AskedField, AskedForm, CommandInfo, Completed, ResultField, ResultForm } from './protocol'

/** Commands by node, each with the hosts that have it. */
export function showCommands(commands: readonly CommandInfo[]): void {
  const byNode = new Map<string, CommandInfo[]>()
  for (const command of commands) byNode.set(command.node, [...(byNode.get(command.node) ?? []), command])
  const short = [...byNode.keys()].map(shortNode)
  const rows = [...byNode.entries()].map(([node, [first, ...others]]) => {
    const name = shortNode(node)
    const all = first ? [first, ...others] : []
    return [
      // Of two commands of one name neither can be called by it
      short.filter(one => one === name).length > 1 ? node : name,
      first?.access === 'any' ? 'anybody' : (first?.access ?? ''),
      first?.name ?? '',
      first?.serverWide ? '(any)' : all.map(({ host }) => host).join(', ')
    ]
  })
  print(
    table(
      ['COMMAND', 'FOR', 'WHAT', 'HOSTS'],
      rows.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
    )
  )
}

/** The fields of a form, for `--help`. */
export function showForm(form: AskedForm): void {
  const texts = [form.title, ...form.instructions].filter(Boolean)
  if (texts.length > 0) print(`${texts.join('\n')}\n`)
  const fields = askedOf(form)
  for (const field of fields) showField(field, shortField(field, form))
}

function showField(field: AskedField, name: string): void {
  const { label, desc, type, required, options, open, values } = field
  const now = type === 'boolean' ? values.map(yesOrNo) : values
  const shown = now.some(value => value !== '')
  const several = shown
    ? ', may be given several times, in place of all there is now'
    : ', may be given several times'
  const how =
    type === 'text-private' ? `${name}  (asked for, or a line of standard input; never given)` : `${name}=…`
  print(`  ${how}`)
  for (const line of [label, desc]) if (line) print(`      ${line}`)
  print(`      ${type}${required ? ', required' : ''}${type.endsWith('-multi') ? several : ''}`)
  if (shown) print(`      now: ${now.join(', ')}`)
  if (!options) return
  const width = Math.max(0, ...options.map(({ value }) => value.length))
  for (const { value, label: text = '' } of options)
    print(`        ${(text === value ? value : value.padEnd(width) + (text && `  ${text}`)).trimEnd()}`)
  if (open) print('        or another')
}

/** What a command has told: results go to standard output, warnings and errors to the other one. */
export function showResult({ notes, form }: Completed): void {
  const said = new Set(notes.map(({ text }) => text))
  for (const { type, text } of notes) if (type === 'info') print(text)
  if (form) showResultForm(form, said)
  for (const { type, text } of notes) if (type !== 'info') printError(text)
  if (!form && notes.length === 0) print('Done.')
}

function showResultForm(
  { title, fields, reported, items, others }: ResultForm,
  said: ReadonlySet<string>
): void {
  if (title !== undefined && !said.has(title)) print(`${title}:`)
  for (const field of fields) showResultField(field)
  if (reported) {
    const head = reported.map(({ var: name, label }) => (label ?? name).toUpperCase())
    if (items.length === 0) print('  (none)')
    else
      print(
        rowsOf(
          head,
          items.map(item => item.map(values => values.join(', ')))
        )
      )
  }
  for (const { name, columns, rows } of others) {
    print(`${name}:`)
    print(
      rows.length === 0
        ? '  (none)'
        : rowsOf(
            columns.map(column => column.toUpperCase()),
            rows
          )
    )
  }
}

function rowsOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return table(
    head,
    rows.map(row => row.map(cell => cell.replaceAll('\n', ' ')))
  )
}

function showResultField({ var: name, label = name, type, values }: ResultField): void {
  if (type === 'fixed') return print(values.join('\n'))
  const told = type === 'boolean' ? values.map(yesOrNo) : values
  if (told.length > 1 || type.endsWith('-multi')) {
    print(`${label}:${told.length === 0 ? ' (none)' : ''}`)
    for (const value of told) print(`  ${value}`)
  } else print(`${label}: ${told[0] ?? ''}`.trimEnd())
}

function yesOrNo(value: string): string {
  return value === '1' || value === 'true' ? 'yes' : 'no'
}

/** For scripts. */
export function asJson({ host, node }: CommandInfo, { notes, form }: Completed): unknown {
  if (!form) return { host, node, notes }
  const { title, fields, reported, items, others } = form
  return {
    host,
    node,
    notes,
    form: {
      title,
      fields: Object.fromEntries(fields.map(field => [field.var, field.values])),
      ...(reported
        ? {
            items: items.map(item =>
              Object.fromEntries(reported.map((column, at) => [column.var, item[at] ?? []]))
            )
          }
        : {}),
      ...(others.length > 0
        ? {
            others: others.map(({ name, columns, rows }) => ({
              name,
              items: rows.map(row => Object.fromEntries(columns.map((column, at) => [column, row[at]])))
            }))
          }
        : {})
    }
  }
}
