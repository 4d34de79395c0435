import { defineModule, z } from '#core'
import { Acts } from './acts'
import { auditCommand } from './command'
import { DENIALS, Repeats, UNCHANGED } from './repeats'

const DAY = 86_400_000
/** Acts after which it is looked at once more whether there are too many. */
const PRUNE_AFTER = 1000

const config = z.object({
  days: z.number().min(1).max(3650).default(365).describe('Days after which an entry is deleted.'),
  entries: z
    .number()
    .int()
    .min(100)
    .max(1_000_000)
    .default(100_000)
    .describe(
      'Entries of one host, at most: the oldest go. Beside them half as many are kept of what changed nothing, and of denials a tenth.'
    )
})

/** Who administered what: kept, and shown to administrators. */
export default defineModule({
  name: 'audit',
  description: 'Keeps what administrators do, and who is refused',
  on: ['server', 'virtual', 'component'],
  config,
  setup(ctx) {
    const host = ctx.host.name
    const acts = new Acts(ctx.db)
    const denials = new Repeats(acts, DENIALS)
    const unchanged = new Repeats(acts, UNCHANGED)
    let added = 0
    let options = ctx.config
    const prune = async (): Promise<void> => {
      added = 0
      const before = Date.now() - options.days * DAY
      await acts.prune(host, before, options.entries)
      // What is about the server is kept here too, also where the module is on on no more than a host
      if (host !== '') await acts.prune('', before, options.entries)
    }
    ctx.hook('admin/act', async act => {
      if (act.denied) return denials.add(host, act)
      const about = act.serverWide ? '' : host
      if (act.reads || act.result !== 'done') return unchanged.add(about, act)
      await acts.add(about, act)
      // The act does not wait for it
      if (++added === PRUNE_AFTER) ctx.after(0, prune)
    })
    const flush = async (): Promise<void> => {
      await denials.flush(Date.now())
      await unchanged.flush(Date.now())
    }
    ctx.every(60_000, flush)
    // Also where the server is never up for long
    ctx.after(60_000, prune)
    ctx.every(DAY / 24, prune)
    ctx.reconfigure(changed => {
      options = changed
      return true
    })
    ctx.defer(async ({ why }) => {
      await flush()
      // Else nobody saw that nothing was seen
      if (why === 'unload')
        await acts.add(host, { at: Date.now(), by: '', command: 'audit', on: host, result: 'stopped' })
    })
    if (ctx.host.type !== 'server') ctx.adhoc(auditCommand(ctx, acts))
  }
})
