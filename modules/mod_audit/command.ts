import {
  FormError,
  JID,
  readDateTime,
  renderTable,
  type AdhocCommand,
  type CommandResult,
  type Context,
  type FormDef,
  type FormField,
  type FormValues,
  type Role
} from '#core'
import { OWN } from '../lib_admin'
import type { Acts, Filter, KeptAct } from './acts'

const TABLE: FormDef = {
  formType: OWN,
  title: 'Audit log',
  fields: [
    { var: 'at', label: 'When' },
    { var: 'actor', label: 'Who' },
    { var: 'command', label: 'Command' },
    { var: 'target', label: 'On whom or what' },
    { var: 'result', label: 'Result' },
    { var: 'times', label: 'How often' },
    { var: 'host', label: 'Host' },
    // The longest is the last: tables of text stay readable
    { var: 'detail', label: 'More' }
  ]
}

const SIZES: readonly string[] = ['25', '50', '75', '100', '150', '200']

/** Of all hosts, and of the server as a whole: for operators. */
const SCOPE: FormField = {
  var: 'scope',
  type: 'list-single',
  label: 'Of',
  options: [
    { value: 'host', label: 'This host' },
    { value: 'server', label: 'The server as a whole' },
    { value: 'all', label: 'Everything' }
  ]
}

const FIELDS: readonly FormField[] = [
  { var: 'actor', label: 'Who: an address, or local:USER for the command line', check: address },
  { var: 'command', label: 'Command, as module-reload' },
  { var: 'target', label: 'On whom or what: an address, a domain, a module', check: address },
  { var: 'since', datatype: 'xs:dateTime', label: 'Not before, as 2026-12-31T00:00:00Z' },
  { var: 'until', datatype: 'xs:dateTime', label: 'Not after' },
  {
    var: 'result',
    type: 'list-single',
    label: 'Result',
    options: [
      { value: 'any', label: 'Any' },
      { value: 'done', label: 'Done' },
      { value: 'undone', label: 'Failed or refused' },
      { value: 'denied', label: 'Denied for want of a role' }
    ]
  },
  { var: 'max_items', type: 'list-single', label: 'Entries at most', options: SIZES },
  { var: 'after', label: 'Only those behind this place, with which the last page ended', check: place }
]

/** The audit of a host, newest first, to its administrators; to operators that of the server too. */
export function auditCommand(ctx: Context, acts: Acts): AdhocCommand {
  return {
    node: `${OWN}#audit`,
    name: 'Read the Audit Log',
    access: 'admin',
    onAccount: true,
    reads: true,
    stages: [
      {
        form: (_, { role }) => ({
          formType: OWN,
          title: 'Audit log',
          instructions:
            'What administrators did, and who was refused, newest first. Empty fields do not matter.',
          fields: role === 'operator' ? [SCOPE, ...FIELDS] : FIELDS,
          values: { scope: 'host', result: 'any', max_items: '50' }
        }),
        check({ since, until }) {
          const [from, to] = [timeOf(since), timeOf(until)]
          if (from !== undefined && to !== undefined && from > to)
            throw new FormError('is before the other end', 'until')
        }
      }
    ],
    finish: (said, { role }) => read(acts, hostOf(ctx, said, role), said)
  }
}

/** Undefined for all. Who is no operator any more has not what an operator has said. */
function hostOf(ctx: Context, { scope }: FormValues, role: Role): string | undefined {
  if (role !== 'operator' || scope === undefined || scope === 'host' || scope === '') return ctx.host.name
  return scope === 'server' ? '' : undefined
}

async function read(acts: Acts, host: string | undefined, said: FormValues): Promise<CommandResult> {
  const limit = Number(said.max_items) || 50
  const found = await acts.page(host, filterOf(said), limit + 1)
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  const form = renderTable(TABLE, shown.map(rowOf))
  if (!last) return { form, notes: [{ type: 'info', text: 'There is nothing that fits.' }] }
  if (found.length <= limit) return { form }
  return {
    form,
    notes: [{ type: 'info', text: `There is more. The next page is what is behind ${last.at}-${last.id}.` }]
  }
}

function filterOf(said: FormValues): Filter {
  const since = timeOf(said.since)
  const until = timeOf(said.until)
  const after = /^(\d+)-(\d+)$/.exec((said.after as string | undefined) ?? '')
  return {
    ...(said.actor ? { actor: said.actor as string } : {}),
    ...(said.command ? { command: said.command as string } : {}),
    ...(said.target ? { target: said.target as string } : {}),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(said.result && said.result !== 'any' ? { result: said.result as 'done' } : {}),
    ...(after ? { after: { at: Number(after[1]), id: Number(after[2]) } } : {})
  }
}

function timeOf(value: FormValues[string]): number | undefined {
  return typeof value === 'string' && value !== '' ? readDateTime(value) : undefined
}

function rowOf({ at, actor, command, target, result, detail, times, last, host }: KeptAct): FormValues {
  return {
    at: dateTime(at),
    actor: actor === '' ? 'the server' : actor,
    command,
    target,
    result,
    detail,
    times: times === 1 ? '1' : `${times}, the last time ${dateTime(last)}`,
    host: host === '' ? 'the server' : host
  }
}

/** XEP-0082 §3.2. */
function dateTime(time: number): string {
  return new Date(Number(time)).toISOString()
}

/** As it was kept: prepared where it is an address. */
function address(value: string): string {
  return JID.tryParse(value)?.full ?? value
}

function place(value: string): string {
  if (!/^\d{1,15}-\d{1,15}$/.test(value)) throw new Error('is no place in this list')
  return value
}
