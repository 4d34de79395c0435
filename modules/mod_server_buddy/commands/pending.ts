import type { AdhocCommand, FormValues, StageForm } from '#core'
import { date, OWN } from '../../lib_admin'
import type { Buddies } from '../buddies'
import { actOf, carryOut } from '../decide'
import { shown } from '../names'
import { DECISION } from '../request-form'
import { COMMON, onChosen } from './common'
import type { CommandsParts } from './index'

/** Requests that wait: several at once may be approved or refused, with a note. */
export function pendingCommand({ ctx, buddies }: CommandsParts): AdhocCommand {
  return {
    ...COMMON,
    node: `${OWN}#server-buddy-pending`,
    name: 'Pending buddy requests',
    stages: [{ form: () => pendingForm(buddies) }],
    finish: (said: FormValues, run) =>
      onChosen(actOf(ctx, run, said), said, peer => carryOut(buddies, run.actor, peer, said))
  }
}

async function pendingForm(buddies: Buddies): Promise<StageForm> {
  const waiting: { value: string; label: string }[] = []
  for await (const [domain, buddy] of buddies.all()) {
    if (buddy.pendingIn)
      waiting.push({ value: domain, label: `${shown(domain)}, since ${date(buddy.receivedAt)}` })
  }
  return {
    formType: OWN,
    title: 'Pending buddy requests',
    instructions:
      waiting.length === 0 ? 'No request waits.' : 'Choose the servers, and what to do with their requests.',
    fields: [
      {
        var: 'peers',
        type: 'list-multi',
        label: 'Servers that ask',
        options: waiting,
        // Who is gone meanwhile is told as such, beside what is done to the others
        open: true
      },
      ...DECISION
    ],
    values: { decision: 'approve' }
  }
}
