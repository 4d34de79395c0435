import type { Notification } from '../lib_pubsub'
import { patiently } from './rosters'
import type { Pubsub } from './service'
import type { SqlStore } from './store/store'

/** What is dealt with in one write. */
const BATCH = 50
/** Milliseconds after which the tables are looked at whatever this process knows: others write there too. */
const LOOK = 60_000

/**
 * Leases that end or are about to (XEP-0060 §12.19), subscriptions whose options nobody has given (§6.1.5), items
 * whose time is over (`pubsub#item_expire`).
 */
export async function sweep(pubsub: Pubsub, now: number): Promise<void> {
  const { tables, ctx, engine } = pubsub
  const { agenda, subscriptions, nodes } = tables
  if (!agenda.isDue(now)) return
  // what becomes due from here on is expected anew
  agenda.clear(now + LOOK)
  await inBatches(
    pubsub,
    () => subscriptions.due(ctx.db.read, now, BATCH),
    async (store, { node, jid, id: key }) => {
      if (!(await store.node(node))) return []
      return (await engine.lapse(store, pubsub.self, { node, jid, key })).notifications
    }
  )
  await inBatches(
    pubsub,
    () => nodes.due(ctx.db.read, now, BATCH),
    async (store, node) => {
      if (!(await store.node(node))) return []
      return (await engine.expireItems(store, pubsub.self, { node })).notifications
    }
  )
  for (const table of [subscriptions, nodes]) {
    const next = await table.nextDue(ctx.db.read)
    if (next !== undefined) agenda.expect(next)
  }
}

/** Until there are no more, or what is due stays due: then it waits for the next time. */
async function inBatches<T>(
  pubsub: Pubsub,
  list: () => Promise<readonly T[]>,
  work: (store: SqlStore, one: T) => Promise<readonly Notification[]>
): Promise<void> {
  for (let round = 0; round < 20; round++) {
    if (pubsub.ctx.signal.aborted) return
    const due = await list()
    if (due.length === 0) return
    const told = await patiently(() =>
      pubsub.write(async store => {
        const notifications: Notification[] = []
        for (const one of due) notifications.push(...(await work(store, one)))
        return notifications
      })
    )
    await pubsub.outbox.send(told)
    if (due.length < BATCH) return
  }
}
