import type { StanzaEvent } from '#core'
import type { Notification } from '../lib_pubsub'
import { welcome } from './arrivals'
import { senderOf } from './sender'
import type { Pubsub } from './service'

/** Subscriptions that end in one write. */
const BATCH = 50

/** Presence directed to the service: temporary subscriptions last as long as it (XEP-0060 §12.5). */
export function seen(pubsub: Pubsub, event: StanzaEvent): void | Promise<void> {
  const type: string | undefined = event.stanza.attrs.type
  if (type !== undefined && type !== 'unavailable' && type !== 'error') return
  const { jid } = senderOf(pubsub.ctx, event)
  if (type === undefined) arrived(pubsub, jid)
  else return gone(pubsub, pubsub.presences.remove(jid))
}

/** Who has broadcast to be available on this server has been seen there. */
function arrived(pubsub: Pubsub, jid: string): void {
  const { presences, availability, ctx } = pubsub
  const known = presences.has(jid) || availability.isAvailable(jid)
  presences.add(jid)
  if (!known && presences.has(jid)) ctx.after(0, () => welcome(pubsub, jid))
}

async function gone(pubsub: Pubsub, addresses: readonly string[]): Promise<void> {
  const [first] = addresses
  if (first === undefined) return
  const { subscriptions } = pubsub.tables
  const left = new Set(addresses)
  const rows = await subscriptions.temporaryOf(pubsub.ctx.db.read, bare(first))
  await depart(
    pubsub,
    rows.filter(row => left.has(row.jid))
  )
}

function bare(jid: string): string {
  return jid.split('/', 1)[0] ?? jid
}

/** After a start nobody is known to be there: what was to last until they go is over. */
export async function forgetAll(pubsub: Pubsub): Promise<void> {
  const { subscriptions } = pubsub.tables
  for (let after = -1; ;) {
    const rows = await subscriptions.temporary(pubsub.ctx.db.read, { after, limit: BATCH })
    await depart(
      pubsub,
      rows.filter(row => !pubsub.presences.has(row.jid))
    )
    if (rows.length < BATCH) return
    after = rows.at(-1)?.id ?? after
  }
}

async function depart(
  pubsub: Pubsub,
  rows: readonly { readonly node: string; readonly jid: string }[]
): Promise<void> {
  const { engine, outbox } = pubsub
  for (let at = 0; at < rows.length; at += BATCH) {
    const told = await pubsub.write(async store => {
      const notifications: Notification[] = []
      for (const { node, jid } of rows.slice(at, at + BATCH)) {
        // it may be gone by now
        if (!(await store.node(node))) continue
        notifications.push(...(await engine.depart(store, pubsub.self, { node, jid })).notifications)
      }
      return notifications
    })
    await outbox.send(told)
  }
}
