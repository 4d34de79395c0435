import { setImmediate as turn } from 'node:timers/promises'
import { bareOf, PubsubError, type Actor, type Notification } from '../lib_pubsub'
import type { Pubsub } from './service'

/** Subscriptions that are looked at before the rest of the server gets its turn. */
const BATCH = 20
/** Nodes whose last item one arrival brings. */
const NODES = 200
/** Arrivals of one person within a minute that bring items. */
const ARRIVALS = 10
const MINUTE = 60_000

/**
 * A resource has become available: it gets the last item of each node that is configured so (XEP-0060 §6.1.7), those
 * that were subscribed first, if there are many.
 */
export async function welcome(pubsub: Pubsub, jid: string): Promise<void> {
  const { ctx, engine, stored, outbox, occasions, arrivals } = pubsub
  const actor: Actor = { jid, bare: bareOf(jid) }
  const done = new Set<string>()
  for (let after = -1; done.size < NODES;) {
    const rows = await occasions.onPresence(ctx.db.read, actor.bare, { after, limit: BATCH })
    // whoever has none costs nothing
    if (after < 0 && rows.length > 0 && !arrivals.take(actor.bare, ARRIVALS, MINUTE, Date.now())) return
    const told: Notification[] = []
    for (const { node, jid: subscribed } of rows) {
      const mine = subscribed === jid || subscribed === actor.bare
      if (!mine || done.has(node) || done.size >= NODES) continue
      done.add(node)
      told.push(...(await lastOf(node)))
    }
    await outbox.send(told)
    if (rows.length < BATCH) return
    after = rows.at(-1)?.id ?? after
    await turn()
    if (ctx.signal.aborted || !pubsub.availability.isAvailable(jid)) return
  }

  async function lastOf(node: string): Promise<readonly Notification[]> {
    try {
      return (await engine.arrive(stored, actor, { node })).notifications
    } catch (error) {
      // it has been deleted meanwhile
      if (error instanceof PubsubError) return []
      throw error
    }
  }
}
