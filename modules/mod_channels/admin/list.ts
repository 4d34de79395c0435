import {
  FormError,
  renderTable,
  type AdhocCommand,
  type CommandNote,
  type CommandResult,
  type FormDef,
  type FormValues
} from '#core'
import { done, OWN } from '../../lib_admin'
import type { ListedRow } from '../store/overview-table'
import { bareIn, COMMON, date, limitOf, MAX_ITEMS, textOf, USUAL } from './common'
import type { Desk } from './index'

const COMMAND = 'channels-list'
/** Channels that are looked at for a text, in one request and at a time. */
const LOOKED_AT = 20_000
const BATCH = 1000
/** Owners of the channels of a page that are told. */
const MAX_OWNERS = 1000
const KINDS = ['personal', 'topic', 'ephemeral'] as const

const FORM: FormDef = {
  formType: OWN,
  title: 'Channels',
  instructions: 'In the order in which they were made. Empty fields do not matter.',
  fields: [
    {
      var: 'kind',
      type: 'list-single',
      label: 'Kind',
      options: [{ value: 'any', label: 'Any' }, ...KINDS.map(value => ({ value, label: value }))]
    },
    { var: 'owner', type: 'jid-single', label: 'Owned by' },
    { var: 'text', label: 'With this in the name or the title', maxLength: 128 },
    MAX_ITEMS,
    { var: 'after', type: 'jid-single', label: 'Only those after this one, with which the last page ended' }
  ]
}

const TABLE: FormDef = {
  formType: OWN,
  title: 'Channels',
  fields: [
    { var: 'channel', type: 'jid-single', label: 'Channel' },
    { var: 'kind', label: 'Kind' },
    { var: 'title', label: 'Title' },
    { var: 'owners', type: 'jid-multi', label: 'Owners' },
    { var: 'items', label: 'Items' },
    { var: 'last', label: 'Last item' },
    { var: 'created', label: 'Created' }
  ]
}

interface Found {
  rows: ListedRow[]
  /** There are more, behind the last row or behind what was looked at. */
  more: boolean
  /** How far was looked in vain. */
  lookedUpTo: ListedRow | undefined
}

/** All channels of the host, ephemeral and hidden ones too: in pages, as the lists of XEP-0133. */
export function listCommand(desk: Desk): AdhocCommand {
  const { ctx, overview } = desk
  return {
    ...COMMON,
    node: `${OWN}#${COMMAND}`,
    name: 'List channels',
    reads: true,
    stages: [
      {
        form: () => ({ ...FORM, values: { kind: 'any', max_items: USUAL } }),
        async check(said) {
          if (textOf(said.owner) !== '') bareIn(said, 'owner', 'an account')
          await placeOf(desk, said)
        }
      }
    ],
    async finish(said, run): Promise<CommandResult> {
      const found = await find(desk, said, await placeOf(desk, said))
      done({ ctx, run, command: COMMAND }, ctx.host.name)
      return {
        form: renderTable(TABLE, await rowsOf(desk, found.rows)),
        notes: notesOf(found, await overview.count(ctx.db.read))
      }
    }
  }
}

/** The key of the channel with which the page before ended. */
async function placeOf({ overview, ctx }: Desk, said: FormValues): Promise<number> {
  if (textOf(said.after) === '') return -1
  const jid = bareIn(said, 'after', 'the name of a channel')
  const row = await overview.one(ctx.db.read, jid)
  if (row === undefined) throw new FormError(`there is no channel ${jid} any more: begin anew`, 'after')
  return row.id
}

async function find({ overview, ctx }: Desk, said: FormValues, after: number): Promise<Found> {
  const limit = limitOf(said)
  const text = textOf(said.text).toLowerCase().normalize('NFC')
  const kind = KINDS.find(one => one === said.kind)
  const owner = textOf(said.owner) === '' ? undefined : bareIn(said, 'owner', 'an account')
  const fits = (row: ListedRow): boolean =>
    (kind === undefined || row.kind === kind) &&
    (text === '' || row.jid.includes(text) || row.title.toLowerCase().includes(text))
  const rows: ListedRow[] = []
  let place = after
  let last: ListedRow | undefined
  const reader = text === '' ? ctx.db.read : ctx.db.wide
  const batch = text === '' && (owner === undefined || kind === undefined) ? limit + 1 : BATCH
  for (let looked = 0; looked < LOOKED_AT;) {
    const page = await overview.list(reader, {
      ...(kind && { kind }),
      ...(owner !== undefined && { owner }),
      after: place,
      limit: batch
    })
    for (const row of page) {
      if (!fits(row)) continue
      if (rows.length === limit) return { rows, more: true, lookedUpTo: undefined }
      rows.push(row)
    }
    last = page.at(-1)
    if (last === undefined || page.length < batch) return { rows, more: false, lookedUpTo: undefined }
    place = last.id
    looked += page.length
  }
  return { rows, more: true, lookedUpTo: last }
}

async function rowsOf({ overview, channels, ctx }: Desk, rows: readonly ListedRow[]): Promise<FormValues[]> {
  const keys = rows.map(row => row.id)
  const sums = await overview.sums(ctx.db.read, keys)
  const owners = await channels.tables.followed.owners(ctx.db.read, keys, MAX_OWNERS)
  return rows.map(({ id, jid, kind, title, created }) => ({
    channel: jid,
    kind,
    title,
    owners: owners.get(id) ?? [],
    items: String(sums.get(id)?.items ?? 0),
    last: date(sums.get(id)?.lastItem),
    created: date(created)
  }))
}

function notesOf({ rows, more, lookedUpTo }: Found, total: number): CommandNote[] {
  if (lookedUpTo) {
    const text = `${LOOKED_AT} channels were looked at; the search goes on after ${lookedUpTo.jid}.`
    return [{ type: 'warn', text }]
  }
  if (more) {
    const text = `There is more; ${total} channels are on this host. The next page is what comes after ${rows.at(-1)?.jid}.`
    return [{ type: 'warn', text }]
  }
  return rows.length > 0 ? [] : [{ type: 'info', text: 'There is no channel that fits.' }]
}
