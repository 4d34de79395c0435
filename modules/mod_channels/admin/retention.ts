import type { AdhocCommand, CommandResult, CommandRun, FormField, FormValues, StageForm } from '#core'
import { done, OWN } from '../../lib_admin'
import type { Preview, Progress } from '../retention'
import { ruleText, type Rule } from '../retention-policy'
import { channelIn, COMMON, date, textOf } from './common'
import type { Desk } from './index'

const COMMAND = 'channel-retention'
/** Milliseconds for which a preview is not made anew: forms are asked for again with each turn. */
const FRESH = 60_000
/** Previews that are kept, at most. */
const KEPT = 20
/** Milliseconds that the answer waits for what goes; the rest goes on without it. */
const WAITING = 10_000

type Decision = 'nothing' | 'once' | 'always' | 'file'

interface Wish {
  rule: Rule
  where: string | undefined
}

/** What would go by age and number is shown before anything does; then once, from now on, or not at all. */
export function retentionCommand(desk: Desk): AdhocCommand {
  const { retention } = desk
  const previews = new Previews(wish => retention.preview(wish.rule, wish.where))
  return {
    ...COMMON,
    node: `${OWN}#${COMMAND}`,
    name: 'Retention',
    stages: [
      {
        form: () => ruleForm(desk),
        async check(said) {
          if (textOf(said.channel) !== '') await channelIn(desk, said, 'channel')
        }
      },
      {
        form: async said =>
          previewForm(desk, await wishIn(desk, said), await previews.of(await wishIn(desk, said)))
      }
    ],
    async finish(said, run) {
      const wish = await wishIn(desk, said)
      const decision = (textOf(said.decision) || 'nothing') as Decision
      // whoever filled in all forms at once, as on the command line, has not seen it
      if (decision === 'nothing') return nothingDone(wish, await previews.of(wish))
      previews.clear()
      return await decided(desk, wish, decision, run)
    }
  }
}

function ruleForm({ retention: { policy } }: Desk): StageForm {
  const { override, inForce, file } = policy
  const state = override
    ? `In force, set by ${override.by || 'an account that is gone'} on ${date(override.at)}: ${ruleText(inForce)}. The config file says: ${ruleText(file)}.`
    : `In force, by the config file: ${ruleText(inForce)}.`
  const number = { datatype: 'xs:integer', min: 0 } as const
  return {
    formType: OWN,
    title: 'Retention',
    instructions: `${state} Threads go whole, followers are not told, and nodes that hold one item keep it. The next form shows what would go; nothing goes before.`,
    fields: [
      {
        var: 'days',
        label: 'Days without news after which a thread goes; 0 for never',
        ...number,
        max: 36_500
      },
      { var: 'items', label: 'Items that a node keeps; 0 for no bound', ...number, max: 10_000_000 },
      {
        var: 'channel',
        type: 'jid-single',
        label: 'In this channel alone, once; in all of them unless given'
      }
    ],
    values: { days: String(inForce.days), items: String(inForce.items) }
  }
}

async function wishIn(desk: Desk, said: FormValues): Promise<Wish> {
  const { inForce } = desk.retention.policy
  const number = (text: string, usual: number): number => (text === '' ? usual : Number(text))
  const where = textOf(said.channel) === '' ? undefined : (await channelIn(desk, said, 'channel')).jid
  const rule = {
    days: number(textOf(said.days), inForce.days),
    items: number(textOf(said.items), inForce.items)
  }
  return { rule, where }
}

function nothingDone(wish: Wish, preview: Preview): CommandResult {
  return { notes: [{ type: 'info', text: `Nothing was done. ${sentence(wish, preview)}` }] }
}

/** What would go, where, and why. */
function sentence({ rule, where }: Wish, preview: Preview): string {
  return `In ${where ?? 'all channels'}, where ${ruleText(rule)}: ${previewText(preview)}`
}

function previewForm({ retention: { policy } }: Desk, wish: Wish, preview: Preview): StageForm {
  const { where } = wish
  const options: { value: Decision; label: string }[] = [
    { value: 'nothing', label: 'Nothing: I only wanted to see it' },
    { value: 'once', label: 'Let it go now, this once' }
  ]
  if (where === undefined) {
    options.push({ value: 'always', label: 'Now and from now on, in place of the config file' })
    if (policy.override)
      options.push({ value: 'file', label: `As the config file says again (${ruleText(policy.file)})` })
  }
  const decision: FormField = {
    var: 'decision',
    type: 'list-single',
    label: 'What is to be done',
    required: true,
    options
  }
  return {
    formType: OWN,
    title: 'What would go',
    instructions: sentence(wish, preview),
    fields: [decision],
    values: { decision: 'nothing' }
  }
}

function previewText({ items, channels, bytes, oldest, most, more }: Preview): string {
  if (items === 0) return more ? 'nothing was found in the time there is for looking.' : 'nothing.'
  const text = `${more ? 'at least ' : ''}${items} items (${bytes} bytes) of ${channels} channels, the oldest of ${date(oldest)}`
  const names = most.map(([channel, number]) => `${channel} ${number}`).join(', ')
  return `${text}. Most: ${names}.`
}

async function decided(
  desk: Desk,
  { rule, where }: Wish,
  decision: Exclude<Decision, 'nothing'>,
  run: CommandRun
): Promise<CommandResult> {
  const { ctx, retention } = desk
  const act = { ctx, run, command: COMMAND }
  const on = where ?? ctx.host.name
  if (decision === 'file') {
    await retention.policy.set(undefined)
    done(act, on, 'as the config file says')
    return {
      notes: [{ type: 'info', text: `The config file decides again: ${ruleText(retention.policy.file)}.` }]
    }
  }
  if (decision === 'always' && where === undefined)
    await retention.policy.set({ ...rule, by: run.actor, at: Date.now() })
  done(act, on, `${decision}: ${ruleText(rule)}`)
  // what was asked for is begun: what follows is watching
  run.event?.leave()
  const progress: Progress = { items: 0, channels: new Set() }
  const ended = await within(desk, retention.run(rule, where, progress))
  const gone = `${progress.items} items of ${progress.channels.size} channels have gone`
  if (!ended) {
    const text = `${gone} so far; the rest goes on. The log says when all of it has gone.`
    return { notes: [{ type: 'info', text }] }
  }
  const held = decision === 'always' ? ' This holds from now on, also after a restart.' : ''
  return { notes: [{ type: 'info', text: `${gone}.${held}` }] }
}

/** Whether it ends while somebody waits; else the log tells. */
async function within({ ctx }: Desk, work: Promise<Progress>): Promise<boolean> {
  let stop = (): void => undefined
  const late = new Promise<false>(resolve => {
    stop = ctx.after(WAITING, () => resolve(false))
  })
  const ended = await Promise.race([work.then(() => true as const), late])
  stop()
  if (ended) return true
  work.then(
    ({ items, channels }) =>
      ctx.log.info({ items, channels: channels.size }, 'retention: what was asked for has gone'),
    (err: unknown) => ctx.log.error({ err }, 'retention: it did not end')
  )
  return false
}

/** Previews of the last minute, by what was asked for. */
class Previews {
  readonly #kept = new Map<string, { at: number; preview: Promise<Preview> }>()
  readonly #make: (wish: Wish) => Promise<Preview>

  constructor(make: (wish: Wish) => Promise<Preview>) {
    this.#make = make
  }

  of(wish: Wish): Promise<Preview> {
    const key = JSON.stringify(wish)
    const known = this.#kept.get(key)
    if (known && Date.now() - known.at < FRESH) return known.preview
    const preview = this.#make(wish)
    this.#kept.delete(key)
    this.#kept.set(key, { at: Date.now(), preview })
    preview.catch(() => this.#kept.delete(key))
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break
      this.#kept.delete(oldest)
    }
    return preview
  }

  clear(): void {
    this.#kept.clear()
  }
}
