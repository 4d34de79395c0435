import { renderForm, type AdhocCommand, type FormDef, type FormValues } from '#core'
import { done, OWN } from '../../lib_admin'
import { ACCESS_LABELS } from '../access'
import type { Channel } from '../model'
import type { DescribedRow, StandingCount } from '../store/overview-table'
import { channelIn, COMMON, date } from './common'
import type { Desk } from './index'

const COMMAND = 'channel-show'
/** Names of one role that are told. */
const NAMED = 50
/** Items whose bytes are counted, together and at a time. */
const MEASURED = 50_000
const BATCH = 1000

const RESULT: FormDef = {
  formType: OWN,
  title: 'A channel',
  fields: [
    { var: 'channel', type: 'jid-single', label: 'Channel' },
    { var: 'kind', label: 'Kind' },
    { var: 'ephemeral', type: 'boolean', label: 'Goes with its last participant' },
    { var: 'title', label: 'Title' },
    { var: 'description', type: 'text-multi', label: 'Description' },
    { var: 'access', label: 'Access' },
    { var: 'default', label: 'Role of new followers' },
    { var: 'created', label: 'Created' },
    { var: 'creator', label: 'Created by' },
    { var: 'changed', label: 'Last changed' },
    { var: 'owners', type: 'jid-multi', label: 'Owners' },
    { var: 'moderators', type: 'jid-multi', label: 'Moderators' },
    { var: 'followers', label: 'Followers' },
    { var: 'pending', label: 'Requests to follow that wait' },
    { var: 'invited', label: 'Invitations that wait' },
    { var: 'banned', label: 'Banned from the channel' },
    { var: 'hostbanned', type: 'jid-multi', label: 'Owners who are banned from this host' },
    { var: 'nodes', type: 'text-multi', label: 'Nodes, with items and tombstones' },
    { var: 'items', label: 'Items' },
    { var: 'bytes', label: 'Bytes of the items' },
    { var: 'last', label: 'Last item' }
  ]
}

/** One channel: what it is, whose, who is in it, what it holds. Not what is written in it. */
export function showCommand(desk: Desk): AdhocCommand {
  const { ctx } = desk
  return {
    ...COMMON,
    node: `${OWN}#${COMMAND}`,
    name: 'Show a channel',
    reads: true,
    stages: [
      {
        form: () => ({
          formType: OWN,
          title: 'Show a channel',
          fields: [{ var: 'channel', type: 'jid-single', label: 'Channel', required: true }]
        }),
        async check(said) {
          await channelIn(desk, said, 'channel')
        }
      }
    ],
    async finish(said, run) {
      const row = await channelIn(desk, said, 'channel')
      const values = await describe(desk, row)
      done({ ctx, run, command: COMMAND }, row.jid)
      return { form: renderForm(RESULT, values, 'result') }
    }
  }
}

/** What a channel is in a few words, for whoever is about to do something to it. */
export async function summary(desk: Desk, row: DescribedRow): Promise<string> {
  const { overview, ctx } = desk
  const counts = countsOf(await overview.standings(ctx.db.read, row.id))
  const sums = (await overview.sums(ctx.db.read, [row.id])).get(row.id)
  const owners = await named(desk, row, 'owner')
  const title = row.title === '' ? '' : ` (${row.title})`
  return `${row.jid}${title}: ${row.kind} channel of ${owners.join(', ') || 'nobody'}, ${counts.followers} followers, ${sums?.items ?? 0} items`
}

async function describe(desk: Desk, row: DescribedRow): Promise<FormValues> {
  const { overview, channels, ctx } = desk
  const nodes = await channels.reader.nodesOf(row.id)
  const counts = countsOf(await overview.standings(ctx.db.wide, row.id))
  const owners = await named(desk, row, 'owner')
  const items = nodes.reduce((sum, node) => sum + node.itemCount, 0)
  return {
    channel: row.jid,
    kind: row.kind,
    ephemeral: row.kind === 'ephemeral',
    title: row.title,
    description: row.description,
    access: `${row.access_model}: ${ACCESS_LABELS[row.access_model as keyof typeof ACCESS_LABELS]}`,
    default: row.default_affiliation,
    created: date(row.created),
    creator: row.creator === '' ? 'an account that is gone' : row.creator,
    changed: date(row.updated),
    owners,
    moderators: await named(desk, row, 'moderator'),
    ...counts,
    hostbanned: owners.filter(jid => channels.bans.has(jid)),
    nodes: nodes.map(({ type, itemCount, tombstones }) => `${type}: ${itemCount}, ${tombstones}`).join('\n'),
    items: String(items),
    bytes: await bytesOf(
      desk,
      nodes.map(node => node.key)
    ),
    last: date(Math.max(0, ...nodes.map(node => node.lastItem)))
  }
}

/** Owners or moderators, as many as are told. */
async function named({ channels, ctx }: Desk, { id }: DescribedRow, role: string): Promise<string[]> {
  const rows = await channels.tables.members.byAffiliation(ctx.db.read, id, [role], { limit: NAMED })
  return rows.map(row => row.jid)
}

function countsOf(rows: readonly StandingCount[]): Record<string, string> & { followers: string } {
  const number = (fits: (row: StandingCount) => boolean): string =>
    String(rows.filter(fits).reduce((sum, row) => sum + Number(row.n), 0))
  return {
    followers: number(row => row.subscription === 'subscribed' && row.affiliation !== 'outcast'),
    pending: number(row => row.subscription === 'pending'),
    invited: number(row => row.subscription === 'invited'),
    banned: number(row => row.affiliation === 'outcast')
  }
}

/** Off the main thread, and not of more than so many items. */
async function bytesOf({ overview, ctx }: Desk, nodes: readonly Channel['key'][]): Promise<string> {
  let bytes = 0
  let measured = 0
  for (const node of nodes) {
    for (let after = -1, on = true; on;) {
      if (measured >= MEASURED) return `more than ${bytes}: only ${measured} items were measured`
      const rows = await overview.bytes(ctx.db.wide, node, after, BATCH)
      for (const row of rows) bytes += Number(row.bytes)
      measured += rows.length
      after = rows.at(-1)?.seq ?? after
      on = rows.length === BATCH
    }
  }
  return String(bytes)
}
