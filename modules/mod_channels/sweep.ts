import type { Context } from '#core'
import { FORGOTTEN } from './bounce'
import type { ChannelsConfig } from './config'
import type { Channels } from './service'

const DAY = 86_400_000
/** Rows that go in one write. */
const BATCH = 500

/** Forgets what is older than the history that is kept, in writes that hold nobody up. */
export async function sweep(ctx: Context<ChannelsConfig>, { tables }: Channels): Promise<void> {
  const before = Date.now() - ctx.config.historyDays * DAY
  for (const table of [tables.tombstones, tables.log]) {
    for (let gone = BATCH; gone === BATCH && !ctx.signal.aborted;) {
      gone = await ctx.db.write(tx => table.expire(tx, before, BATCH))
    }
  }
  const quiet = Date.now() - FORGOTTEN
  for (let gone = BATCH; gone === BATCH && !ctx.signal.aborted;) {
    gone = await ctx.db.write(tx => tables.bounces.expire(tx, quiet, BATCH))
  }
}
