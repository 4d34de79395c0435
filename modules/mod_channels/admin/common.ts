import { FormError, JID, StanzaError, type CommandRun, type FormField, type FormValues } from '#core'
import { date as dateOf } from '../../lib_admin'
import { preparedPattern } from '../../lib_domains'
import type { DescribedRow } from '../store/overview-table'
import type { Desk } from './index'

/** Of all commands here. */
export const COMMON = { access: 'admin' } as const

const SIZES: readonly string[] = ['25', '50', '75', '100', '150', '200', '250']
/** Rows of a page where nothing was chosen. */
export const USUAL = '50'

/** As in the lists of XEP-0133. */
export const MAX_ITEMS: FormField = {
  var: 'max_items',
  type: 'list-single',
  label: 'Maximum number of items to show',
  options: SIZES
}

export function limitOf(said: FormValues): number {
  return Number(said.max_items) || Number(USUAL)
}

/** What was typed; '' for nothing. */
export function textOf(value: FormValues[string]): string {
  return typeof value === 'string' ? value.trim() : ''
}

/** Lines that are not empty. */
export function linesOf(value: FormValues[string]): string[] {
  const lines = Array.isArray(value) ? value : textOf(value).split('\n')
  return [...new Set(lines.map(line => line.trim()).filter(line => line !== ''))]
}

/** For a person; nothing for never, which is 0 in the tables. */
export function date(time: number | undefined): string {
  return time ? dateOf(Number(time)) : ''
}

/** A bare JID in a field, prepared. */
export function bareIn(said: FormValues, field: string, what: string): string {
  const jid = JID.tryParse(textOf(said[field]))
  if (jid === undefined || jid.local === '')
    throw new FormError(`${what} is expected, like name@domain`, field)
  return jid.bare
}

/** An account or a domain, prepared; whoever writes a resource means the account. */
export function patternOf(line: string, field: string): string {
  const jid = JID.tryParse(line)
  if (jid && jid.local !== '') return jid.bare
  const pattern = preparedPattern(line)
  if (pattern !== undefined) return pattern
  throw new FormError(
    `expected an account, a domain, or *.example.org for all domains below it, got ${JSON.stringify(line.slice(0, 80))}`,
    field
  )
}

/** The channel that a field names. Throws a FormError where it is not there. */
export async function channelIn(
  { overview, ctx }: Desk,
  said: FormValues,
  field: string
): Promise<DescribedRow> {
  const jid = bareIn(said, field, 'the name of a channel')
  const row = await overview.one(ctx.db.read, jid)
  if (row === undefined) throw new FormError(`there is no channel ${jid}`, field)
  return row
}

/** What was there when the form was filled in is gone. */
export function gone(channel: string): StanzaError {
  return new StanzaError('item-not-found', `there is no channel ${channel} any more`)
}

/** Whether somebody asks over XMPP who is that account, or in that domain. */
export function isRequester({ requester }: CommandRun, covers: (bare: string) => boolean): boolean {
  return requester !== undefined && covers(requester.bare)
}
