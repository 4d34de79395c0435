import { FormError, type AdhocCommand, type FormValues } from '#core'
import { actOnEach, OWN } from '../../lib_admin'
import { deletions } from '../announce'
import { bareIn, COMMON, gone, linesOf } from './common'
import type { Desk } from './index'
import { summary } from './show'

const COMMAND = 'channel-delete'
/** Channels in one request. */
const MOST = 50
/** Whoever has to do with a channel hears that it is gone; who is banned there does not. */
const TOLD = ['subscribed', 'pending', 'invited'] as const

/** Channels go with all that is in them; those who follow them are told, as when the owner does it. */
export function deleteCommand(desk: Desk): AdhocCommand {
  const { ctx, overview } = desk
  return {
    ...COMMON,
    node: `${OWN}#${COMMAND}`,
    name: 'Delete channels',
    stages: [
      {
        form: () => ({
          formType: OWN,
          title: 'Delete channels',
          instructions:
            'With all items, followers and roles, for good. A personal channel may be made again by its account, unless that is banned.',
          fields: [{ var: 'channels', type: 'jid-multi', label: 'Channels', required: true, maxValues: MOST }]
        }),
        async check(said) {
          for (const jid of jidsIn(said)) {
            if (await overview.one(ctx.db.read, jid)) continue
            throw new FormError(`there is no channel ${jid}`, 'channels')
          }
        }
      },
      {
        form: async said => ({
          formType: OWN,
          title: 'Delete these channels?',
          instructions: await described(desk, jidsIn(said)),
          fields: [{ var: 'delete', type: 'boolean', label: 'Delete them' }],
          values: { delete: false }
        })
      }
    ],
    async finish(said, run) {
      if (said.delete !== true) {
        // whoever filled in both forms at once, as on the command line, has not seen it
        const text = `Nothing was deleted. These would go: ${await described(desk, jidsIn(said))}`
        return { notes: [{ type: 'info', text }] }
      }
      return await actOnEach({ ctx, run, command: COMMAND }, jidsIn(said), async jid => {
        const followers = await remove(desk, jid)
        return `was deleted; ${followers} were told`
      })
    }
  }
}

function jidsIn(said: FormValues): string[] {
  return [...new Set(linesOf(said.channels).map(line => bareIn({ line }, 'line', 'the name of a channel')))]
}

async function described(desk: Desk, jids: readonly string[]): Promise<string> {
  const lines: string[] = []
  for (const jid of jids) {
    const row = await desk.overview.one(desk.ctx.db.read, jid)
    lines.push(row ? await summary(desk, row) : `${jid} is gone already`)
  }
  return lines.join('; ')
}

/** Gives how many are told. */
async function remove({ channels }: Desk, jid: string): Promise<number> {
  // the log says what has become of the channel, not who administers the host
  const { result, deliveries } = await channels.write('', undefined, async store => {
    const row = await store.channel(jid)
    if (row === undefined) throw gone(jid)
    const { members } = store.tables
    const told = new Set(await members.fanOut(store.tx, row.id, TOLD))
    const owners = await members.byAffiliation(store.tx, row.id, ['owner'], { limit: MOST })
    for (const owner of owners) told.add(owner.jid)
    const channel = { key: row.id, jid: row.jid, kind: row.kind, membersVersion: row.members_version }
    const names = await store.deleteChannel(channel)
    store.tx.afterCommit(() => channels.following.clear())
    return { result: told.size, notifications: [], deliveries: deletions(names, [...told]) }
  })
  channels.send(deliveries)
  return result
}
