import { formOf, formTypeOf, HANDLED, StanzaError, type Handled, type StanzaEvent } from '#core'
import { asAnswer, parseDecision, SUBSCRIBE_AUTHORIZATION, type Decision } from '../lib_pubsub/xml'
import { senderOf } from './sender'
import type { Pubsub } from './service'

/** Subscriptions that end in one write. */
const BATCH = 50

/** A message to the service: an owner's answer to a request, or a notification that comes back. */
export function receive(pubsub: Pubsub, event: StanzaEvent): void | Handled | Promise<Handled> {
  if (event.stanza.attrs.type === 'error') return bounced(pubsub, event)
  const form = formOf(event.stanza)
  if (form === undefined) return
  // a cancelled form may be empty (XEP-0004 §3.2)
  if (formTypeOf(form) !== SUBSCRIBE_AUTHORIZATION && form.attrs.type !== 'cancel') return
  try {
    const decision = parseDecision(form)
    return decision ? decide(pubsub, event, decision) : HANDLED
  } catch (error) {
    throw asAnswer(error)
  }
}

/** XEP-0060 §8.6 */
async function decide(pubsub: Pubsub, event: StanzaEvent, decision: Decision): Promise<Handled> {
  const { ctx, engine, outbox } = pubsub
  const sender = senderOf(ctx, event)
  try {
    const { notifications } = await pubsub.write(store => engine.decide(store, sender, decision), event)
    await outbox.send(notifications)
  } catch (error) {
    throw asAnswer(error)
  }
  return HANDLED
}

/** XEP-0060 §12.4: an address that is gone is told no more. Who says so is the subscriber's server, by its stream. */
function bounced(pubsub: Pubsub, event: StanzaEvent): Handled | Promise<Handled> {
  const { condition, type } = StanzaError.from(event.stanza)
  const gone = condition === 'gone' || (condition === 'item-not-found' && type === 'cancel')
  return gone ? endAll(pubsub, event) : HANDLED
}

/** All subscriptions of the very address: others of the same person stay. */
async function endAll(pubsub: Pubsub, event: StanzaEvent): Promise<Handled> {
  const { ctx, engine, stored, outbox } = pubsub
  const { jid, bare } = senderOf(ctx, event)
  for (let after = -1; ;) {
    const { rows } = await stored.subscriptionsOf(bare, { after, limit: BATCH })
    const over = rows.filter(row => row.jid === jid)
    if (over.length > 0) {
      const told = await pubsub.write(async store => {
        const outcomes = []
        for (const { node, key } of over) {
          const own = await store.node(node)
          const there = own && (await store.subscriptions(own, bare)).some(one => one.key === key)
          const request = { node, jid, subId: String(key) }
          if (there) outcomes.push(await engine.unsubscribe(store, { jid, bare }, request))
        }
        return outcomes.flatMap(outcome => outcome.notifications)
      })
      ctx.log.info({ jid, subscriptions: over.length }, 'subscriptions ended: the address is gone')
      await outbox.send(told.filter(one => one.recipients.length > 1 || one.recipients[0] !== jid))
    }
    if (rows.length < BATCH) return HANDLED
    after = rows.at(-1)?.key ?? after
  }
}
