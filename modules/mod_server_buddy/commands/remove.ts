import type { AdhocCommand, FormDef } from '#core'
import { OWN } from '../../lib_admin'
import type { Buddies, Direction } from '../buddies'
import { shown } from '../names'
import { COMMON, onChosen } from './common'
import type { CommandsParts } from './index'

const ENDED: Record<Direction, string> = {
  both: 'was removed',
  to: 'is not subscribed to any longer',
  from: 'is not a subscriber any longer'
}

/** Ends subscriptions, requests of ours, and requests of the peer. */
export function removeCommand({ ctx, buddies }: CommandsParts): AdhocCommand {
  return {
    ...COMMON,
    node: `${OWN}#server-buddy-remove`,
    name: 'Remove server buddies',
    stages: [{ form: async () => ({ ...(await removeForm(buddies)), values: { direction: 'both' } }) }],
    finish: (said, run) =>
      onChosen({ ctx, run, command: 'server-buddy-remove' }, said, async peer => {
        const direction = (said.direction as Direction | undefined) ?? 'both'
        await buddies.remove(peer, direction)
        return ENDED[direction]
      })
  }
}

async function removeForm(buddies: Buddies): Promise<FormDef> {
  const options: { value: string; label: string }[] = []
  for await (const [domain] of buddies.all()) options.push({ value: domain, label: shown(domain) })
  return {
    formType: OWN,
    title: 'Remove server buddies',
    instructions: 'What is chosen ends, requests that wait too, and the server is told.',
    fields: [
      { var: 'peers', type: 'list-multi', label: 'Servers', options, open: true, required: true },
      {
        var: 'direction',
        type: 'list-single',
        label: 'What ends',
        options: [
          { value: 'both', label: 'All there is' },
          { value: 'to', label: 'Our subscription, or our request' },
          { value: 'from', label: 'Their subscription, or their request' }
        ]
      }
    ]
  }
}
