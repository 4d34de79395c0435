import { defineModule, JID, z } from '#core'
import { editCommands } from './commands'
import { Edits } from './edits'
import { Guard } from './guard'
import { differenceOf, Lists, NONE, type State } from './lists'
import { overviewCommands } from './overview'
import { Presences, type Listed } from './presence'
import { Judge, LISTS } from './rules'
import { Shown } from './shown'

const config = z.object({
  maxEntries: z
    .number()
    .int()
    .min(1)
    .max(2000)
    .default(1000)
    .describe('Entries of one list, at most: an administrator gets and sends back all of them in one form.')
})

export type Config = z.infer<typeof config>

/** Before whatever else looks at a stanza that comes or goes (XEP-0016 §2.2). */
const FIRST = { priority: 1000 }

/** XEP-0133 §4.11, §4.12. */
export default defineModule({
  name: 'entity_lists',
  description: 'Black and white lists of a host, for users, resources and domains (XEP-0133)',
  on: ['virtual', 'component'],
  dependencies: ['adhoc'],
  after: ['roster', 'presence', 'server_buddy'],
  // While it is away, nobody is let through whom it might refuse
  guards: ['route/leaving', 'route/arriving'],
  config,
  async setup(ctx, saved) {
    const presences = new Presences(ctx)
    const shown = new Shown(saved)
    const lists: Lists = new Lists(ctx, follow)
    const guard = new Guard(ctx, () => lists.state.judge, presences.farewells)
    let disarm: (() => void) | undefined

    /** Where nobody is on a list no stanza is looked at. */
    function arm(): void {
      const wanted = lists.state.judge.any
      if (wanted && !disarm) {
        const ends = [
          ctx.hook('route/leaving', event => guard.leaving(event), FIRST),
          ctx.hook('route/arriving', event => guard.arriving(event), FIRST)
        ]
        disarm = () => ends.forEach(end => end())
      } else if (!wanted) {
        disarm?.()
        disarm = undefined
      }
    }

    function follow(before: State, after: State): void {
      arm()
      // What was sent before and still waits is not to go to them either
      for (const away of [ctx.server.federation, ctx.server.components])
        away.sift(ctx.host.name, stanza => guard.stays(stanza))
      presences
        .follow(before.judge, after.judge, resourcesIn(before, after))
        .catch((err: unknown) => ctx.log.error({ err }, 'presence could not follow the lists'))
    }

    await lists.load()
    arm()
    const desk = { ctx, lists, shown, edits: new Edits(ctx, lists, shown) }
    for (const command of [...editCommands(desk), ...overviewCommands(desk)]) ctx.adhoc(command)
    ctx.save(() => shown.saved())
    ctx.reconfigure(() => true)
    // Loaded while others were talking already; a new version finds everybody parted
    if (!ctx.server.started || saved !== undefined || !lists.state.judge.any) return
    const nobody = { entries: NONE, judge: new Judge(NONE, () => true) }
    ctx.after(0, () => follow(nobody, lists.state))
  }
})

/** The full JIDs of users that are on a list at one of the two times alone. */
function resourcesIn(before: State, after: State): Listed {
  const found = new Map<string, JID[]>()
  for (const name of LISTS) {
    const { added, removed } = differenceOf(before.entries[name], after.entries[name])
    for (const jid of [...added, ...removed].map(one => JID.parse(one))) {
      if (jid.local === '' || jid.resource === '') continue
      found.set(jid.bare, [...(found.get(jid.bare) ?? []), jid])
    }
  }
  return found
}
