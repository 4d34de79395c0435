import type { AdhocCommand, StageForm } from '#core'
import { date, done, OWN } from '../../lib_admin'
import { POLICIES, type Policy, type PolicyInForce } from '../policy'
import { COMMON } from './common'
import type { CommandsParts } from './index'

const MEANING: Record<Policy, string> = {
  ask: 'Ask an administrator',
  always: 'Approve all',
  listed: 'Approve the listed domains, ask about others',
  never: 'Refuse all'
}

/** What is done with requests of others: shown, changed, and given back to the file. */
export function policyCommand({ ctx, policy, published }: CommandsParts): AdhocCommand {
  return {
    ...COMMON,
    node: `${OWN}#server-buddy-policy`,
    name: 'Policy for buddy requests',
    stages: [{ form: () => policyForm(policy, published.pending) }],
    async finish(said, run) {
      const chosen = said.policy as Policy | 'file'
      await policy.set(chosen === 'file' ? undefined : { policy: chosen, by: run.actor, at: Date.now() })
      done({ ctx, run, command: 'server-buddy-policy' }, ctx.host.name, chosen)
      return { notes: [{ type: 'info', text: `The policy is: ${await policy.current()}` }] }
    }
  }
}

async function policyForm(policy: PolicyInForce, pending: number): Promise<StageForm> {
  const set = await policy.override()
  const reset = { value: 'file', label: `As the config file says (${policy.fromFile})` }
  return {
    formType: OWN,
    title: 'Policy for buddy requests',
    // One text: converse.js shows the last alone
    instructions: [
      set
        ? `Set by ${set.by} on ${date(set.at)}; the config file says: ${policy.fromFile}.`
        : 'The config file decides; what is set here holds in its place, also after a restart.',
      `Requests that wait already stay as they are: ${pending}.`
    ].join(' '),
    fields: [
      {
        var: 'policy',
        type: 'list-single',
        label: 'Requests of other servers',
        required: true,
        options: [...POLICIES.map(value => ({ value, label: MEANING[value] })), reset]
      }
    ],
    values: { policy: set?.policy ?? 'file' }
  }
}
