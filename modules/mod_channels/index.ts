import { defineModule, HANDLED, JID, nameTaken, StanzaError, type Context, type StanzaEvent } from '#core'
import { parseNodeName } from '../lib_channels'
import { OWNER, PUBSUB } from '../lib_pubsub/xml'
import type { ChannelActor } from './access'
import { advice } from './advice'
import { actorOf } from './actor'
import { adminCommands } from './admin'
import { channelsApi } from './api'
import { onDecision } from './approval'
import { authorityOf, isAccount, kindOf } from './authority'
import { onBounce } from './bounce'
import { config, type ChannelsConfig } from './config'
import { itemList, nodeInfo, nodeList, topicDomain } from './disco'
import { EVENTS } from './events'
import { REGISTER } from './names'
import type { ChannelsApi } from './news'
import { Removal } from './removal'
import { answer } from './requests'
import { register, registration } from './requests/register'
import { Retention } from './retention'
import { Channels } from './service'
import { sweep } from './sweep'

export type { ChannelActor } from './access'
export type { ItemEvent, RateEvent, RequestEvent, RetractEvent, SummariesEvent } from './events'
export type { Followed } from './following'
export type { ChannelItem, ChannelNode, ItemColumns, ItemKind, RemovedItem } from './model'
export type { ChannelsApi, Newest, Place, WireItem } from './news'

const HOUR = 3_600_000

/** Buddycloud channels (protoXEP channels 2014-12) over XEP-0060. */
export default defineModule({
  name: 'channels',
  description: 'Channels that people write in and follow (Buddycloud)',
  on: ['component'],
  dependencies: ['disco'],
  config,
  advise: advice,
  async setup(ctx): Promise<ChannelsApi> {
    const authority = authorityOf(ctx)
    const channels = new Channels(ctx, {
      isLocal: bare => authority.accounts.has(JID.tryParse(bare)?.domain ?? ''),
      kindOf: channel => kindOf(authority, channel),
      isAccount: (tx, channel) => isAccount(authority, ctx.server, tx, channel)
    })
    const retention = new Retention(ctx, channels)
    await channels.load()
    await retention.policy.load()
    /** Who asks, before anything is done for them: whoever is banned from the host is nobody's follower or owner. */
    const own = (event: StanzaEvent): ChannelActor => {
      if (event.to.domain !== ctx.host.name) throw new StanzaError('service-unavailable')
      const actor = actorOf(event, authority, ctx.server)
      channels.bans.admit(actor.bare)
      return actor
    }

    for (const event of EVENTS) ctx.add('event', event)
    for (const domain of authority.topics) ctx.defer(ctx.server.serve(domain, ctx.host))
    for (const ns of [PUBSUB, OWNER]) {
      for (const type of ['get', 'set'] as const) {
        ctx.iq(type, 'host', ns, 'pubsub', (event, element) =>
          answer(ctx, channels, own(event), event, element)
        )
      }
    }
    ctx.iq('get', 'host', REGISTER, 'query', event => registration(channels, own(event)))
    ctx.iq('set', 'host', REGISTER, 'query', (event, query) => register(channels, own(event), query, event))
    ctx.hook('message/host', event => onDecision(channels, event, own))
    ctx.hook('message/host', event =>
      event.stanza.attrs.type === 'error' ? onBounce(channels, event, ctx.server) : undefined
    )
    // protoXEP §1.3: nobody becomes the owner of a channel by taking its name
    ctx.hook('account/creating', async ({ jid, tx }) => {
      const store = channels.store(tx, jid)
      if (await store.channel(jid)) throw nameTaken(jid, 'a channel')
      await store.restoreBans(jid)
      await channels.bans.restore(tx, jid)
    })
    ctx.hook('account/purge', async ({ jid, tx }) => {
      const store = channels.store(tx, '')
      const deliveries = await new Removal(channels, store, jid, true).run()
      for (const kept of [channels.bans, channels.limits, retention.policy]) await kept.purge(tx, jid)
      tx.afterCommit(() => channels.send(deliveries))
    })
    ctx.every(HOUR, () => sweep(ctx, channels))
    // also where the server never runs for an hour; not at once, so that a slip in the file can be taken back
    ctx.after(HOUR / 6, () => retention.sweep())
    ctx.every(HOUR, () => retention.sweep())
    for (const command of adminCommands({ ctx, channels, authority, retention })) ctx.adhoc(command)
    ctx.defer(() => channels.outbox.flush())
    discover(ctx, channels, own)
    return channelsApi(channels)
  }
})

function discover(
  ctx: Context<ChannelsConfig>,
  channels: Channels,
  own: (event: StanzaEvent) => ChannelActor
): void {
  ctx.add('disco-identity', { category: 'pubsub', type: 'channels' }) // protoXEP §2.2
  for (const feature of channels.features()) ctx.add('disco-feature', feature)
  ctx.hook('disco/info', event => {
    if (event.stanza.to.domain !== ctx.host.name) return topicDomain(ctx.host.name, event)
    // what the host is may be known by everybody, and other modules' nodes are not ours
    if (parseNodeName(event.node) === undefined) return
    return nodeInfo(channels, event, own(event.stanza))
  })
  ctx.hook('disco/items', async event => {
    if (event.stanza.to.domain !== ctx.host.name) return topicDomain(ctx.host.name, event)
    if (event.node !== '' && parseNodeName(event.node) === undefined) return
    if (event.node !== '') return await itemList(channels, event, own(event.stanza))
    await nodeList(channels, event, own(event.stanza))
    return HANDLED
  })
}

declare module '#core' {
  interface ModuleApis {
    channels: ChannelsApi
  }
}
