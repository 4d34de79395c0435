import type { Notification } from '../lib_pubsub'
import { patiently } from './rosters'
import type { Pubsub } from './service'

/** Subscriptions that are looked at in one write. */
const BATCH = 50

/**
 * What an account's roster says of a contact has changed: at nodes of that owner to which rosters give access the
 * contact's subscriptions stay or end (XEP-0060 §14.3, XEP-0163 §7). Whoever has lost access is told nothing from the
 * moment of the change; this is for the list of subscriptions, and for them to know.
 */
export async function follow(pubsub: Pubsub, owner: string, contact: string): Promise<void> {
  const { ctx, engine, occasions, outbox } = pubsub
  for (let after = -1; ;) {
    const rows = await occasions.byRoster(ctx.db.read, owner, contact, { after, limit: BATCH })
    if (rows.length === 0 || ctx.signal.aborted) return
    const nodes = new Set(rows.map(row => row.node))
    const told = await patiently(() =>
      pubsub.write(async store => {
        const notifications: Notification[] = []
        for (const node of nodes) {
          // it may be gone by now
          if (!(await store.node(node))) continue
          const { notifications: some } = await engine.reconsider(store, pubsub.self, { node, jid: contact })
          notifications.push(...some)
        }
        return notifications
      })
    )
    await outbox.send(told)
    if (rows.length < BATCH) return
    after = rows.at(-1)?.id ?? after
  }
}
