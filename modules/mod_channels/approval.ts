import { formOf, formTypeOf, HANDLED, type Handled, type StanzaEvent } from '#core'
import { bareOf } from '../lib_pubsub'
import { asAnswer, parseDecision, SUBSCRIBE_AUTHORIZATION } from '../lib_pubsub/xml'
import type { ChannelActor } from './access'
import type { Channels } from './service'

/** A manager's answer to a request to follow comes back as a message (XEP-0060 §8.6); all other messages pass. */
export async function onDecision(
  channels: Channels,
  event: StanzaEvent,
  actorOf: (event: StanzaEvent) => ChannelActor
): Promise<Handled | void> {
  if (event.stanza.attrs.type === 'error') return
  const x = formOf(event.stanza)
  if (x === undefined || formTypeOf(x) !== SUBSCRIBE_AUTHORIZATION) return
  try {
    const actor = actorOf(event)
    const decision = parseDecision(x)
    if (decision === undefined) return HANDLED
    const request = { ...decision, jid: bareOf(decision.jid) }
    const { deliveries } = await channels.write(actor.bare, event, store =>
      channels.engine.decide(store, actor, request)
    )
    channels.send(deliveries)
    return HANDLED
  } catch (error) {
    throw asAnswer(error)
  }
}
