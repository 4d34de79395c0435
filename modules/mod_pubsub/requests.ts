import type { Element, StanzaEvent } from '#core'
import { asAnswer, parseRequest, read, write, type WriteOperation } from '../lib_pubsub/xml'
import { ATTEMPTS, RosterNeeded } from './rosters'
import { senderOf, type Sender } from './sender'
import type { Pubsub } from './service'

/** Answers an iq with `<pubsub/>`, in either namespace (XEP-0060 §5.6 to §8.9). */
export async function answer(
  pubsub: Pubsub,
  type: 'get' | 'set',
  event: StanzaEvent,
  payload: Element,
  attempt = 1
): Promise<Element | undefined> {
  try {
    const { engine, stored } = pubsub
    const operation = parseRequest(engine.definition, type, payload)
    const sender = senderOf(pubsub.ctx, event)
    if (operation.write) return await change(pubsub, event, sender, operation)
    return await read(engine, stored, sender, operation)
  } catch (error) {
    if (error instanceof RosterNeeded && attempt < ATTEMPTS) {
      await error.loading
      return await answer(pubsub, type, event, payload, attempt + 1)
    }
    throw asAnswer(error)
  }
}

/** First the database, then the wire: events, then the answer. */
async function change(
  pubsub: Pubsub,
  event: StanzaEvent,
  sender: Sender,
  operation: WriteOperation
): Promise<Element | undefined> {
  const { engine, outbox } = pubsub
  const { result, notifications } = await pubsub.write(
    store => write(engine, store, sender, operation),
    event
  )
  const sending = outbox.send(notifications)
  if (sending) await sending
  // some of the changes were impossible, the others stand (§8.8.2.4, §8.9.2.4)
  if (result.error) throw result.error
  return result.payload
}
