import { renderTable, type AdhocCommand, type Element, type FormDef, type FormValues } from '#core'
import { date, OWN } from '../../lib_admin'
import { isTo, type Buddy } from '../buddy'
import type { PeerPresence } from '../presences'
import { COMMON } from './common'
import type { CommandsParts } from './index'

const TABLE: FormDef = {
  formType: OWN,
  title: 'Server buddies',
  fields: [
    { var: 'peerjid', type: 'jid-single', label: 'Server' },
    { var: 'subscription', label: 'Subscription' },
    { var: 'pending', label: 'Pending' },
    { var: 'presence', label: 'Presence' },
    { var: 'out', label: 'Our request' },
    { var: 'in', label: 'Their request' },
    { var: 'note', label: 'Note' }
  ]
}

/** The server roster: what is there, how it came, and who is online. */
export function listCommand(parts: CommandsParts): AdhocCommand {
  return {
    ...COMMON,
    node: `${OWN}#server-buddy-list`,
    name: 'List server buddies',
    reads: true,
    stages: [],
    finish: async () => ({ form: await listForm(parts) })
  }
}

async function listForm({ buddies, presences }: CommandsParts): Promise<Element> {
  const rows: FormValues[] = []
  for await (const [peerjid, buddy] of buddies.all())
    rows.push({ peerjid, ...describe(buddy, presences.get(peerjid)) })
  return renderTable(TABLE, rows)
}

function describe(buddy: Buddy, presence: PeerPresence | undefined): FormValues {
  return {
    subscription: buddy.subscription,
    pending: listed([buddy.ask && 'out', buddy.pendingIn && 'in'], ', '),
    presence: isTo(buddy) ? described(presence) : '',
    out: listed([
      buddy.requestedBy && `requested by ${buddy.requestedBy} ${date(buddy.requestedAt)}`,
      buddy.acceptedAt && `approved ${date(buddy.acceptedAt)}`,
      buddy.problem && `problem: ${buddy.problem}`
    ]),
    in: listed([
      buddy.receivedAt && `asked ${date(buddy.receivedAt)}`,
      buddy.approvedBy && `approved by ${buddy.approvedBy} ${date(buddy.approvedAt)}`
    ]),
    note: buddy.note ?? ''
  }
}

function described(presence: PeerPresence | undefined): string {
  if (!presence) return 'not known'
  return `${presence.online ? 'online' : 'away'} since ${date(presence.since)}`
}

function listed(parts: (string | number | boolean | undefined)[], between = '; '): string {
  return parts.filter(Boolean).join(between)
}
