import { CollapsedLog, defineModule, NS, z, type AdhocCommand } from '#core'
import { answerInfo, answerItems } from './disco'
import { runCommand } from './dialogue'
import { Sessions } from './sessions'

const config = z.object({
  sessionMinutes: z
    .number()
    .min(1)
    .max(1440)
    .default(15)
    .describe('Minutes after which an unfinished dialogue expires.'),
  sessionsPerUser: z
    .number()
    .int()
    .min(1)
    .default(20)
    .describe('Unfinished dialogues of one account, at most.'),
  sessions: z.number().int().min(1).default(2000).describe('Unfinished dialogues on the host, at most.')
})

export type AdhocConfig = z.infer<typeof config>

/** The commands of a host, by node. */
export type Commands = ReadonlyMap<string, AdhocCommand>

/** XEP-0050: the dialogue in which commands of other modules are run. */
export default defineModule({
  name: 'adhoc',
  description: 'Ad-hoc commands (XEP-0050)',
  on: ['virtual', 'component'],
  dependencies: ['disco'],
  config,
  setup(ctx, saved) {
    const commands = new Map<string, AdhocCommand>()
    /** Nodes of commands that were withdrawn in this tick. */
    const gone = new Set<string>()
    const forget = (): void => {
      for (const node of gone) sessions.withdrawn(node)
      gone.clear()
    }
    const sessions = new Sessions(ctx.config, saved)
    const refusals = new CollapsedLog(ctx.log)
    ctx.defer(() => refusals.flush())
    ctx.watch('adhoc-command', {
      added(command) {
        if (gone.delete(command.node)) sessions.reloaded(command)
        commands.set(command.node, command)
      },
      removed(command) {
        if (commands.get(command.node) !== command) return
        commands.delete(command.node)
        gone.add(command.node)
        // A new version of its module comes within the tick; after an unload nothing does
        if (gone.size === 1) queueMicrotask(forget)
      }
    })
    // Commands that went while this module was swapped
    sessions.retain(node => commands.has(node))
    ctx.save(() => sessions.save())
    ctx.reconfigure(changed => {
      sessions.limits = changed
      return true
    })
    ctx.every(60_000, () => sessions.expire(Date.now()))

    ctx.add('disco-feature', NS.COMMANDS) // XEP-0050 §2.1
    ctx.add('account-feature', NS.COMMANDS)
    ctx.hook('disco/items', event => answerItems(ctx, commands, event))
    ctx.hook('disco/info', event => answerInfo(ctx, commands, event))
    ctx.iq('set', 'host', NS.COMMANDS, 'command', (event, child) =>
      runCommand({ ctx, commands, sessions, refusals }, event, child)
    )
    if (ctx.host.type !== 'virtual') return
    ctx.iq('set', 'bare', NS.COMMANDS, 'command', (event, child) =>
      runCommand({ ctx, commands, sessions, refusals }, event, child)
    )
  }
})
