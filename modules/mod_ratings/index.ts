import { defineModule, HANDLED, nameHash, z, type Handled } from '#core'
import { payloadFault, RATINGS } from '../lib_channels'
import type { ItemEvent } from '../mod_channels'
import { checkRated, readRating } from './rating'
import { Summaries } from './summaries'

const config = z.object({
  only: z
    .number()
    .int()
    .min(1)
    .max(5)
    .optional()
    .describe('The one rating that is accepted, for likes; without it all from 1 to 5.')
})

/** protoXEP §6.3.4: ratings of posts and comments. Channels refuse them while this module is off. */
export default defineModule({
  name: 'ratings',
  description: 'Ratings of posts in channels (Buddycloud)',
  on: ['component'],
  dependencies: ['channels'],
  config,
  setup(ctx) {
    const summaries = new Summaries(ctx.db)
    const insert = ctx.db.statement<{ item: number; target: number; rater: Buffer; rating: number }>(
      (knex, p) =>
        knex('channel_ratings')
          .insert({
            item_id: p('item'),
            target_id: p('target'),
            rater_hash: p('rater'),
            rating: p('rating')
          })
          .onConflict(['target_id', 'rater_hash'])
          .ignore()
    )

    ctx.hook('channels/rate', event => {
      checkRated(event)
      const rating = readRating(event.value, ctx.config.only)
      const text = `rating:${rating}.0`
      event.result = { rating, title: 'Rating', content: text, verb: 'rated' }
      return HANDLED
    })
    ctx.add('disco-feature', RATINGS)
    ctx.hook('channels/summaries', async (event): Promise<Handled> => {
      event.result = await summaries.of(event.jid, event.keys)
      return HANDLED
    })
    // the index, not a look before, says who was first
    ctx.hook('channels/publish', async ({ tx, item }: ItemEvent) => {
      const { key, kind, target, rating } = item.extra
      if (kind !== 'rating' || target === undefined || rating === undefined) return
      const rater = nameHash(item.publisher)
      const { changes } = await tx.run(insert, { item: key, target, rater, rating })
      if (changes === 0) throw payloadFault('item-already-rated')
    })
  }
})
