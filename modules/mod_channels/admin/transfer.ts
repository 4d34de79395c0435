import { FormError, JID, StanzaError, type AdhocCommand, type FormOption, type FormValues } from '#core'
import { done, OWN, refused } from '../../lib_admin'
import { nodeName } from '../../lib_channels'
import { bareIn, channelIn, COMMON, gone, textOf } from './common'
import type { Desk } from './index'

const COMMAND = 'channel-transfer'
/** Owners of one channel that are looked at. */
const MOST = 100
const BECOMES: readonly FormOption[] = [
  { value: 'moderator', label: 'Moderators' },
  { value: 'publisher', label: 'Followers who write' },
  { value: 'member', label: 'Followers' },
  { value: 'none', label: 'Nothing: they follow it no more' }
]

/** A topic channel gets another owner; a personal one is its person's, and in an ephemeral one all are moderators. */
export function transferCommand(desk: Desk): AdhocCommand {
  const { ctx } = desk
  return {
    ...COMMON,
    node: `${OWN}#${COMMAND}`,
    name: 'Transfer a channel',
    stages: [
      {
        form: () => ({
          formType: OWN,
          title: 'Transfer a topic channel to another owner',
          instructions:
            'The new owner has it from then on, as if made by them, but counts it not among the channels they may create. Owner and moderators are told.',
          fields: [
            { var: 'channel', type: 'jid-single', label: 'Channel', required: true },
            { var: 'owner', type: 'jid-single', label: 'New owner', required: true },
            { var: 'before', type: 'list-single', label: 'Who owned it until now become', options: BECOMES }
          ],
          values: { before: 'moderator' }
        }),
        async check(said) {
          await checked(desk, said)
        }
      }
    ],
    async finish(said, run) {
      const { channel, owner, unknown } = await checked(desk, said)
      const before = textOf(said.before) || 'moderator'
      const act = { ctx, run, command: COMMAND }
      try {
        const others = await transfer(desk, channel, owner, before)
        const past = others.length > 0 ? `; ${others.join(', ')} became ${before}` : ''
        done(act, channel, `owned by ${owner} from now on${past}`)
        const text = `${channel} is owned by ${owner} from now on${past}.`
        if (!unknown) return { notes: [{ type: 'info', text }] }
        const doubt = `Whether there is an account ${owner} is not known here.`
        return { notes: [{ type: 'warn', text: `${text} ${doubt}` }] }
      } catch (error) {
        refused(act, channel, error)
        throw error
      }
    }
  }
}

async function checked(
  desk: Desk,
  said: FormValues
): Promise<{ channel: string; owner: string; unknown: boolean }> {
  const row = await channelIn(desk, said, 'channel')
  if (row.kind === 'personal')
    throw new FormError('a personal channel stays with the account whose name it has', 'channel')
  if (row.kind === 'ephemeral')
    throw new FormError('an ephemeral channel is of all who take part in it', 'channel')
  const owner = bareIn(said, 'owner', 'an account')
  if (desk.channels.bans.has(owner)) throw new FormError(`${owner} is banned from this host`, 'owner')
  return { channel: row.jid, owner, unknown: !(await isKnown(desk, owner)) }
}

/** Whether an account is there, which nobody knows of another server. Throws a FormError where it is not. */
async function isKnown({ ctx }: Desk, owner: string): Promise<boolean> {
  const { local, domain } = JID.parse(owner)
  if (!ctx.server.isLocal(domain)) return false
  if (ctx.server.host(domain)?.type === 'virtual' && (await ctx.server.accounts.exists(local, domain)))
    return true
  throw new FormError(`there is no account ${owner}`, 'owner')
}

/** Gives who owned it before. */
async function transfer(
  { channels, ctx }: Desk,
  jid: string,
  owner: string,
  before: string
): Promise<string[]> {
  const { local, domain } = JID.parse(owner)
  const { result, deliveries } = await channels.write('', undefined, async store => {
    const row = await store.channel(jid)
    const [any] = row ? await store.nodesOf(row.id) : []
    const node = any && (await store.lockNode(nodeName(jid, any.type)))
    if (node === undefined || node.channel.kind !== 'topic') throw gone(jid)
    // the account may have gone since the form was filled in
    const known = ctx.server.host(domain)?.type === 'virtual'
    if (known && !(await ctx.server.accounts.existsIn(store.tx, local, domain)))
      throw new StanzaError('item-not-found', `there is no account ${owner} any more`)
    const { rows } = await store.affiliations(node, { limit: MOST }, ['owner'])
    const others = rows.map(one => one.jid).filter(one => one !== owner)
    await store.setAffiliation(node, owner, 'owner')
    // whoever has asked to follow need not ask themselves
    const [asked] = await store.subscriptions(node, owner)
    if (asked?.state === 'pending') await store.setSubscription(node, asked, 'subscribed')
    for (const other of others) await store.setAffiliation(node, other, before)
    return { result: others, notifications: [] }
  })
  channels.send(deliveries)
  return result
}
