import { el, nameHash, type Database, type Element } from '#core'
import { RATINGS } from '../lib_channels'

/** How an item is rated. */
interface Sum {
  target_id: number
  n: number
  /** A string on MySQL, which sums to decimals. */
  total: number | string
}

/**
 * Number of ratings, average and one's own, of all items of a page in two statements. They are counted, not kept:
 * what is deleted while this module is off is right at once when it is on again.
 */
export class Summaries {
  readonly #db: Database
  readonly #sql

  constructor(db: Database) {
    this.#db = db
    this.#sql = {
      sums: db.statement<{ keys: readonly number[] }, Sum>((knex, p) =>
        knex('channel_ratings')
          .select('target_id')
          .count({ n: '*' })
          .sum({ total: 'rating' })
          .whereIn('target_id', [p('keys')])
          .groupBy('target_id')
      ),
      own: db.statement<{ keys: readonly number[]; rater: Buffer }, { target_id: number; rating: number }>(
        (knex, p) =>
          knex('channel_ratings')
            .select('target_id', 'rating')
            .whereIn('target_id', [p('keys')])
            .where('rater_hash', p('rater'))
      )
    }
  }

  /** What stands beside the payload of each of these items, for somebody with this bare JID. */
  async of(jid: string, keys: readonly number[]): Promise<Map<number, Element>> {
    const { read } = this.#db
    const [sums, own] = await Promise.all([
      read.all(this.#sql.sums, { keys }),
      read.all(this.#sql.own, { keys, rater: nameHash(jid) })
    ])
    const rated = new Map(sums.map(sum => [sum.target_id, sum]))
    const mine = new Map(own.map(({ target_id, rating }) => [target_id, rating]))
    return new Map(keys.map(key => [key, summary(rated.get(key), mine.get(key))]))
  }
}

function summary(sum: Sum | undefined, own: number | undefined): Element {
  return el('summary', {
    xmlns: RATINGS,
    count: sum?.n ?? 0,
    average: sum && (Number(sum.total) / sum.n).toFixed(2),
    own
  })
}
