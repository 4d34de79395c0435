import { childrenOf, el, StanzaError, type Element, type StanzaEvent } from '#core'
import { nodeName, PERSONAL_NODES } from '../../lib_channels'
import type { ChannelActor } from '../access'
import { REGISTER } from '../names'
import { Removal } from '../removal'
import type { Channels } from '../service'
import type { ChannelStore } from '../store/write-store'

/** XEP-0077 §3.1.1: who is registered already is told so. */
export async function registration({ reader }: Channels, actor: ChannelActor): Promise<Element> {
  requireLocal(actor)
  const posts = await reader.node(nodeName(actor.bare, 'posts'))
  return el(
    'query',
    REGISTER,
    posts && el('registered'),
    el('instructions', null, 'Register to have a channel of your own here; there is nothing to fill in.')
  )
}

/** protoXEP §3: makes the personal channel, or the nodes that it has not yet; or takes it away. */
export async function register(
  channels: Channels,
  actor: ChannelActor,
  query: Element,
  event: StanzaEvent
): Promise<void> {
  requireLocal(actor)
  const children = childrenOf(query)
  if (children.some(child => child.name === 'remove')) {
    // XEP-0077 §3.2.1
    if (children.length > 1) throw new StanzaError('bad-request', '<remove/> stands alone')
    return await unregister(channels, actor, event)
  }
  const { deliveries } = await channels.write(actor.bare, event, async store => {
    await makeNodes(channels, store, actor)
    return { result: undefined, notifications: [] }
  })
  event.reply()
  channels.send(deliveries)
}

async function makeNodes(channels: Channels, store: ChannelStore, actor: ChannelActor): Promise<void> {
  const channel = await store.channel(actor.bare)
  const there = new Set(channel ? (await store.nodesOf(channel.id)).map(node => node.type) : [])
  const missing = PERSONAL_NODES.filter(type => !there.has(type))
  for (const type of missing) await channels.engine.create(store, actor, { node: nodeName(actor.bare, type) })
  if (missing.length > 0) store.tx.afterCommit(() => channels.following.clear())
}

/** Everything that is the user's goes, and the followers are told. */
async function unregister(channels: Channels, actor: ChannelActor, event: StanzaEvent): Promise<void> {
  const { deliveries } = await channels.write(actor.bare, event, async store => {
    if ((await store.channel(actor.bare)) === undefined) throw new StanzaError('registration-required')
    const deliveries = await new Removal(channels, store, actor.bare, false).run()
    return { result: undefined, notifications: [], deliveries }
  })
  event.reply()
  channels.send(deliveries)
}

/** A channel is made by the account whose name it has, and accounts of other servers are not ours to know. */
function requireLocal({ local }: ChannelActor): void {
  if (!local) throw new StanzaError('not-allowed', 'only accounts of this domain register here')
}
