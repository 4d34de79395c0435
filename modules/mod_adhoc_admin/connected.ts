import {
  JID,
  renderTable,
  type AdhocCommand,
  type ClientSession,
  type Context,
  type FormDef,
  type FormValues
} from '#core'
import { date, done, OWN } from '../lib_admin'
import { ownAccount } from './addresses'
import type { AdminConfig } from './index'

const COMMAND = 'sessions-list'

/** Who is connected, and how: one row for each session. */
export function connectedCommands(ctx: Context<AdminConfig>): AdhocCommand[] {
  return [
    {
      node: `${OWN}#${COMMAND}`,
      name: 'List sessions',
      access: 'admin',
      onAccount: true,
      reads: true,
      stages: [{ form: () => listForm(ctx) }],
      finish(said, run) {
        const asked = Number(said.max_items) || Infinity // `none`, or nothing was chosen
        const limit = Math.min(asked, ctx.config.maxListed)
        const found = sessionsAfter(ctx, said, limit + 1)
        const page = found.slice(0, limit)
        done({ ctx, run, command: COMMAND }, ctx.host.name)
        const form = renderTable(TABLE, page.map(rowOf))
        if (found.length <= limit) return { form }
        const text = `There are more. The next page is what comes after ${page.at(-1)?.jid?.full ?? ''}.`
        return { form, notes: [{ type: 'warn', text }] }
      }
    }
  ]
}

const TABLE: FormDef = {
  formType: OWN,
  title: 'Sessions',
  fields: [
    { var: 'jid', type: 'jid-single', label: 'Address' },
    { var: 'ip', label: 'Connected from' },
    { var: 'since', label: 'Since' },
    { var: 'idle', label: 'Seconds without doing anything' },
    { var: 'security', label: 'Transport, TLS' },
    { var: 'presence', label: 'Presence, priority' },
    { var: 'management', label: 'Stream management' }
  ]
}

function listForm(ctx: Context): FormDef {
  const options = ['25', '50', '75', '100', '150', '200'].map(value => ({ value, label: value }))
  return {
    formType: OWN,
    title: 'List of sessions',
    instructions: 'Fill out this form to see who is connected, and how.',
    fields: [
      {
        var: 'account',
        type: 'jid-single',
        label: 'Only those of this account',
        check: value => ownAccount(ctx, value).full
      },
      {
        var: 'max_items',
        type: 'list-single',
        label: 'Maximum number of items to show',
        options: [...options, { value: 'none', label: 'None' }]
      },
      {
        var: 'after',
        type: 'jid-single',
        label: 'Only those after this one, with which the last page ended',
        check: value => ownAccount(ctx, value, true).full
      }
    ]
  }
}

/** In the order of their addresses. */
function sessionsAfter(ctx: Context, said: FormValues, limit: number): ClientSession[] {
  const { sessions } = ctx.host
  const account = jidIn(said.account)?.local
  const after = jidIn(said.after)
  const users = account === undefined ? [...sessions.users()] : [account]
  const found: ClientSession[] = []
  for (const user of users.filter(one => after === undefined || one >= after.local).sort()) {
    const resources = [...sessions.of(user)].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [resource, session] of resources) {
      if (found.length === limit) return found
      if (user !== after?.local || resource > after.resource) found.push(session)
    }
  }
  return found
}

function jidIn(value: unknown): JID | undefined {
  return typeof value === 'string' && value !== '' ? JID.parse(value) : undefined
}

function rowOf(session: ClientSession): FormValues {
  const { jid, remoteAddress, since, active, secure, transport, state, managed, hibernating } = session
  return {
    jid: jid?.full ?? '',
    ip: remoteAddress,
    since: date(since),
    idle: String(Math.max(0, Math.floor((Date.now() - active) / 1000))),
    security: `${transport === 'websocket' ? 'WebSocket' : 'TCP'}, ${secure ? (transport === 'tls' ? 'direct TLS' : 'TLS') : 'no TLS'}`,
    presence: state.priority === undefined ? 'not available' : `available, ${state.priority}`,
    management: hibernating ? 'without a connection, may come back' : managed ? 'yes' : 'no'
  }
}
