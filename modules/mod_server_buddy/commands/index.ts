import {
  FormError,
  JID,
  renderTable,
  type AdhocCommand,
  type CommandResult,
  type Context,
  type FormDef,
  type FormValues
} from '#core'
import { actOnEach, ADMIN, done, OWN, type Act } from '../lib_admin'
import type { Buddies } from './buddies'
import { type Buddy } from './buddy'
import { POLICIES, type Policy, type PolicyInForce } from './policy'

/** XEP-0267 §2, byte for byte where the example says it. */
const REQUEST_FORM: FormDef = {
  formType: ADMIN,
  title: 'Subscribing to a Peer Server',
  instructions: 'Fill out this form to subscribe your server to a peer server.',
  fields: [
    { var: 'peerjid', type: 'jid-single', label: 'The domain name of the peer server', required: true }
  ]
}

export function commands(ctx: Context, buddies: Buddies, policy: PolicyInForce): AdhocCommand[] {
  const common = { access: 'admin', onAccount: true } as const
  return [
    {
      ...common,
      node: `${ADMIN}#server-buddy`,
      name: 'Subscribe to a Peer Server',
      stages: [{ form: () => REQUEST_FORM, check: said => void peerOf(ctx, said) }],
      async finish(said, run) {
        const domain = peerOf(ctx, said)
        await buddies.ask(domain, run.actor)
        done({ ctx, run, command: 'server-buddy' }, domain)
        return {}
      }
    },
    {
      ...common,
      node: `${OWN}#server-buddy-pending`,
      name: 'Pending buddy requests',
      stages: [{ form: () => pendingForm(buddies) }],
      finish(said, run) {
        const note = (said.note as string | undefined) || undefined
        const approves = said.decision === 'approve'
        const act = { ctx, run, command: approves ? 'server-buddy-approve' : 'server-buddy-refuse' }
        return onChosen(act, said, async peer => {
          if (approves) await buddies.approve(peer, run.actor, note)
          else await buddies.refuse(peer, note)
          return approves ? 'was approved' : 'was refused'
        })
      }
    },
    {
      ...common,
      node: `${OWN}#server-buddy-list`,
      name: 'List server buddies',
      stages: [],
      finish: async () => ({ form: await listForm(buddies) })
    },
    {
      ...common,
      node: `${OWN}#server-buddy-remove`,
      name: 'Remove server buddies',
      stages: [{ form: () => removeForm(buddies) }],
      finish: (said, run) =>
        onChosen({ ctx, run, command: 'server-buddy-remove' }, said, async peer => {
          await buddies.remove(peer)
          return 'was removed'
        })
    },
    {
      ...common,
      node: `${OWN}#server-buddy-policy`,
      name: 'Policy for buddy requests',
      stages: [{ form: () => policyForm(policy) }],
      async finish(said, run) {
        const chosen = said.policy as Policy | 'file'
        await policy.set(chosen === 'file' ? undefined : chosen)
        done({ ctx, run, command: 'server-buddy-policy' }, ctx.host.name, chosen)
        return { notes: [{ type: 'info', text: `The policy is: ${await policy.current()}` }] }
      }
    }
  ]
}

/** Acts on the servers that were chosen in the form. */
function onChosen(
  act: Act,
  said: FormValues,
  fn: (peer: string) => Promise<string>
): CommandResult | Promise<CommandResult> {
  const peers = (said.peers as string[] | undefined) ?? []
  if (peers.length > 0) return actOnEach(act, peers, fn)
  return { notes: [{ type: 'info', text: 'Nothing was chosen.' }] }
}

/** The domain in the form. Throws a FormError that names the field. */
function peerOf(ctx: Context, said: FormValues): string {
  const jid = JID.tryParse((said.peerjid as string | undefined) ?? '')
  if (jid?.kind !== 'host') throw new FormError('the domain of a server is expected', 'peerjid')
  if (jid.full === ctx.host.name) throw new FormError('a server is no buddy of its own', 'peerjid')
  return jid.full
}

async function pendingForm(buddies: Buddies): Promise<FormDef & { values: FormValues }> {
  const waiting: { value: string; label: string }[] = []
  for await (const [domain, buddy] of buddies.all()) {
    if (buddy.pendingIn) waiting.push({ value: domain, label: `${domain}, since ${date(buddy.receivedAt)}` })
  }
  return {
    formType: ADMIN,
    title: 'Pending buddy requests',
    instructions:
      waiting.length === 0 ? 'No request waits.' : 'Choose the servers, and what to do with their requests.',
    fields: [
      { var: 'peers', type: 'list-multi', label: 'Servers that ask', options: waiting },
      {
        var: 'decision',
        type: 'list-single',
        label: 'Decision',
        required: true,
        options: [
          { value: 'approve', label: 'Approve' },
          { value: 'refuse', label: 'Refuse' }
        ]
      },
      { var: 'note', type: 'text-single', label: 'Note' }
    ],
    values: { decision: 'approve' }
  }
}

async function removeForm(buddies: Buddies): Promise<FormDef> {
  const options: string[] = []
  for await (const [domain] of buddies.all()) options.push(domain)
  return {
    formType: ADMIN,
    title: 'Remove server buddies',
    instructions: 'Both directions end, and the server is told.',
    fields: [{ var: 'peers', type: 'list-multi', label: 'Servers', options, required: true }]
  }
}

async function policyForm(policy: PolicyInForce): Promise<FormDef & { values: FormValues }> {
  const meaning: Record<Policy, string> = {
    ask: 'Ask an administrator',
    always: 'Approve all',
    listed: 'Approve the listed domains, ask about others',
    never: 'Refuse all'
  }
  const reset = { value: 'file', label: `As the config file says (${policy.fromFile})` }
  return {
    formType: ADMIN,
    title: 'Policy for buddy requests',
    instructions: 'Requests that wait already stay as they are.',
    fields: [
      {
        var: 'policy',
        type: 'list-single',
        label: 'Requests of other servers',
        required: true,
        options: [...POLICIES.map(value => ({ value, label: meaning[value] })), reset]
      }
    ],
    values: { policy: (await policy.isOverridden()) ? await policy.current() : 'file' }
  }
}

async function listForm(buddies: Buddies) {
  const rows: FormValues[] = []
  for await (const [peerjid, buddy] of buddies.all()) rows.push({ peerjid, ...describe(buddy) })
  return renderTable(
    {
      formType: ADMIN,
      title: 'Server buddies',
      fields: [
        { var: 'peerjid', type: 'jid-single', label: 'Server' },
        { var: 'subscription', label: 'Subscription' },
        { var: 'pending', label: 'Pending' },
        { var: 'history', label: 'History' },
        { var: 'note', label: 'Note' }
      ]
    },
    rows
  )
}

function describe(buddy: Buddy): FormValues {
  const pending = [buddy.ask && 'out', buddy.pendingIn && 'in'].filter(Boolean).join(', ')
  const history = [
    buddy.requestedBy && `requested by ${buddy.requestedBy} ${date(buddy.requestedAt)}`,
    buddy.receivedAt && `asked ${date(buddy.receivedAt)}`,
    buddy.approvedBy && `approved by ${buddy.approvedBy} ${date(buddy.approvedAt)}`,
    buddy.problem && `problem: ${buddy.problem}`
  ].filter(Boolean)
  return { subscription: buddy.subscription, pending, history: history.join('; '), note: buddy.note ?? '' }
}

function date(ms: number | undefined): string {
  return ms === undefined ? '' : new Date(ms).toISOString()
}
