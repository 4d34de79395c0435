import { defineModule, HANDLED, StanzaError, z, type Element } from '#core'
import { asAnswer } from '../lib_pubsub/xml'
import type { ItemEvent, RequestEvent, WireItem } from '../mod_channels'
import { answerOf } from './answer'
import { Feed } from './feed'
import { Pulse } from './pulse'
import { readRecent, readUserItems, type RecentRequest } from './request'

const config = z.object({
  itemsPerPage: z.number().int().min(1).max(250).default(50).describe('Items in one answer, at most.'),
  itemsPerChannel: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(250)
    .describe('Items of one node in the whole of an answer, at most, whatever is asked for.')
})

const READERS: Readonly<Record<string, (pubsub: Element, request: Element) => RecentRequest>> = {
  'recent-items': readRecent,
  'user-items': readUserItems
}

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
      const beat = { time: item.updatedAt, kind: item.extra.kind }
      tx.afterCommit(() => pulse.beat(node.key, beat))
    }
    ctx.hook('channels/publish', published)
    ctx.hook('channels/edit', published)
    ctx.hook('channels/retract', ({ tx, node }) => tx.afterCommit(() => pulse.forget(node.key)))

    ctx.hook('channels/request', async ({ stanza, pubsub, request, actor }: RequestEvent) => {
      const read = Object.hasOwn(READERS, request.name) ? READERS[request.name] : undefined
      if (read === undefined) return
      if (stanza.stanza.attrs.type !== 'get') {
        throw new StanzaError('bad-request', `<${request.name}/> is read by a get`)
      }
      try {
        const wanted = read(pubsub, request)
        const { summary } = channels.granted(wanted.wish)
        const page = await feed.page(actor.bare, wanted)
        const items = await channels.items(page.places.map(place => place.key))
        const extras = summary ? await channels.summaries(actor.bare, rateable(items)) : undefined
        stanza.reply(answerOf(page, items, { asked: wanted.page !== undefined, extras }))
      } catch (error) {
        throw asAnswer(error)
      }
      return HANDLED
    })
  }
})

function rateable(items: ReadonlyMap<number, WireItem>): number[] {
  return [...items].flatMap(([key, { kind }]) => (kind === 'post' || kind === 'comment' ? [key] : []))
}
