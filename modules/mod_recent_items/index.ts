import { defineModule, HANDLED, StanzaError, z } from '#core'
import { asAnswer } from '../lib_pubsub/xml'
import type { ItemEvent, RequestEvent } from '../mod_channels'
import { answerOf } from './answer'
import { Feed } from './feed'
import { Pulse } from './pulse'
import { readRequest } from './request'

const config = z.object({
  itemsPerPage: z.number().int().min(1).max(250).default(50).describe('Items in one answer, at most.'),
  itemsPerChannel: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(250)
    .describe('Items of one channel in the whole of an answer, at most, whatever is asked for.')
})

/** protoXEP §6.1.1: what is new in all channels that somebody follows. */
export default defineModule({
  name: 'recent_items',
  description: 'Recent items of all followed channels (Buddycloud)',
  on: ['component'],
  dependencies: ['channels'],
  config,
  setup(ctx) {
    const channels = ctx.use('channels')
    const pulse = new Pulse(nodes => channels.newest(nodes))
    const feed = new Feed(channels, pulse, ctx.host.name, {
      page: ctx.config.itemsPerPage,
      perChannel: ctx.config.itemsPerChannel
    })

    const published = ({ tx, node, item }: ItemEvent): void => {
      const beat = { time: item.updatedAt, root: item.extra.parent === undefined }
      tx.afterCommit(() => pulse.beat(node.key, beat))
    }
    ctx.hook('channels/publish', published)
    ctx.hook('channels/edit', published)
    ctx.hook('channels/retract', ({ tx, node }) => tx.afterCommit(() => pulse.forget(node.key)))

    ctx.hook('channels/request', async ({ stanza, pubsub, request, actor }: RequestEvent) => {
      if (request.name !== 'recent-items') return
      if (stanza.stanza.attrs.type !== 'get')
        throw new StanzaError('bad-request', 'recent items are read by a get')
      try {
        const wanted = readRequest(pubsub, request)
        const page = await feed.page(actor.bare, wanted)
        const items = await channels.items(page.places.map(place => place.key))
        stanza.reply(answerOf(page, items, wanted.page !== undefined))
      } catch (error) {
        throw asAnswer(error)
      }
      return HANDLED
    })
  }
})
