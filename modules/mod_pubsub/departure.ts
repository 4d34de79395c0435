import { bareOf, type Actor, type Notification } from '../lib_pubsub'
import type { Tx } from '#core'
import type { Pubsub } from './service'

/**
 * An account is removed: nodes of which it is the only owner go, its subscriptions and affiliations too; what it
 * published at nodes of others stays, without its name. Inside the write that removes it.
 */
export async function forget(pubsub: Pubsub, tx: Tx, bare: string): Promise<void> {
  const { ctx, engine, outbox, departures } = pubsub
  // nobody's own wish, so nobody's rights are asked
  const service: Actor = { jid: ctx.host.name, bare: ctx.host.name, admin: true }
  const notifications: Notification[] = []
  const nodes = await departures.soleOwner(tx, bare, engine.definition.roles.owner)
  await pubsub.within(tx, async store => {
    for (const node of nodes) {
      notifications.push(...(await engine.delete(store, service, { node })).notifications)
    }
  })
  await departures.forget(tx, bare)
  tx.afterCommit(() => void outbox.send(notifications.map(one => without(one, bare))))
}

function without(notification: Notification, bare: string): Notification {
  const recipients = notification.recipients.filter(jid => bareOf(jid) !== bare)
  return { ...notification, recipients }
}
