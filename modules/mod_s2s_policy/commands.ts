import {
  FormError,
  renderForm,
  type AdhocCommand,
  type CommandRun,
  type Context,
  type FormDef,
  type FormField,
  type FormValues,
  type StageForm
} from '#core'
import { date, done, OWN } from '../lib_admin'
import { POLICIES, summary, type Config, type Override } from './config'
import { preparedPattern, wrongPattern } from '../lib_domains'
import type { Policy } from './policy'

const COMMAND = 'federation-policy'

/** Stands for what the config file says. */
const FILE = 'file'

/** Patterns in one list, at most. */
const MAX_LISTED = 10_000

const MEANING: Record<Config['policy'], string> = {
  open: 'Any server',
  listed: 'The allowed domains only',
  buddies: 'Server buddies and the allowed domains'
}

const LISTS: readonly FormField[] = [
  { var: 'allow', type: 'text-multi', label: 'Allowed domains, one a line (*.example.org: all below it)' },
  { var: 'block', type: 'text-multi', label: 'Blocked domains, one a line; they are always refused' },
  { var: 'requests', type: 'boolean', label: 'Other servers may ask to be buddies' }
]

export function policyCommand(ctx: Context, policy: Policy): AdhocCommand {
  return {
    node: `${OWN}#${COMMAND}`,
    name: 'Federation policy',
    access: 'admin',
    onAccount: true,
    stages: [{ form: () => formOf(policy), check: (said, run) => void chosen(ctx, policy, said, run) }],
    async finish(said, run) {
      const override = chosen(ctx, policy, said, run)
      await policy.setOverride(override)
      done({ ctx, run, command: COMMAND }, ctx.host.name, override ? summary(override) : 'as the file says')
      return {
        notes: [
          {
            type: 'info',
            text: override ? 'In force from now on, also after a restart.' : 'The config file decides again.'
          }
        ],
        form: renderForm(resultForm(), valuesOf(policy.inForce), 'result')
      }
    }
  }
}

function formOf(policy: Policy): StageForm {
  const { override, file } = policy
  const state = override
    ? `Set by ${override.by} on ${date(override.at)}; the config file says: ${summary(file)}.`
    : 'The config file decides; what is set here holds in its place, also after a restart.'
  return {
    formType: OWN,
    title: 'Federation policy',
    instructions: state,
    fields: [
      {
        var: 'policy',
        type: 'list-single',
        label: 'Who may exchange stanzas with this host',
        required: true,
        options: [
          ...POLICIES.map(value => ({ value, label: MEANING[value] })),
          {
            value: FILE,
            label: `As the config file says (${summary(file)}); what stands below does not count`
          }
        ]
      },
      ...LISTS.map(field => ({ ...field, maxValues: MAX_LISTED }))
    ],
    values: { ...valuesOf(policy.inForce), policy: override ? override.policy : FILE }
  }
}

function resultForm(): FormDef {
  return {
    formType: OWN,
    title: 'Federation policy in force',
    fields: [{ var: 'policy', label: 'Who may exchange stanzas with this host' }, ...LISTS]
  }
}

function valuesOf({ policy, allow, block, requests }: Config): FormValues {
  return { policy, allow: allow.join('\n'), block: block.join('\n'), requests }
}

/** What was chosen; undefined for what the file says. Throws a FormError that names the field. */
function chosen(ctx: Context, policy: Policy, said: FormValues, run: CommandRun): Override | undefined {
  const name = said.policy as Config['policy'] | typeof FILE
  const override: Override | undefined =
    name === FILE
      ? undefined
      : {
          policy: name,
          // A field that is left out keeps its value (XEP-0004 §3.5)
          allow: patterns(said.allow, 'allow') ?? policy.inForce.allow,
          block: patterns(said.block, 'block') ?? policy.inForce.block,
          requests: (said.requests as boolean | undefined) ?? policy.inForce.requests,
          by: run.actor,
          at: Date.now()
        }
  const { requester } = run
  if (!requester || ctx.server.isLocal(requester.domain)) return override
  if (policy.standingUnder(override ?? policy.file, requester.domain) === 'all') return override
  throw new FormError(`with this, ${requester.domain}, where you are, would be refused`, 'policy')
}

function patterns(lines: FormValues[string], field: string): string[] | undefined {
  if (typeof lines !== 'string') return undefined
  const found: string[] = []
  for (const line of lines.split('\n').map(one => one.trim())) {
    if (line === '') continue
    const pattern = preparedPattern(line)
    if (pattern === undefined) throw new FormError(wrongPattern(line), field)
    found.push(pattern)
  }
  return [...new Set(found)]
}
