import { childrenOf, detached, serialize, stored, textOf, type Element } from '#core'
import { PubsubError } from '../errors'
import type { PayloadSummary } from '../publish'

/** The payload of an `<item/>`: its one child element, or none (§7.1.3.6). */
export function payloadOf(item: Element): PayloadSummary | undefined {
  const [payload, another] = childrenOf(item)
  if (another) throw new PubsubError('invalidPayload', { text: 'an item has one payload element' })
  if (textOf(item).trim() !== '') throw new PubsubError('invalidPayload', { text: 'a payload is an element' })
  return payload && summary(payload)
}

/** A payload as the engine takes it. */
export function summary(payload: Element): PayloadSummary {
  // elements are in canonical form: where no namespace is declared it is the item's
  const alone = payload.attrs.xmlns === undefined ? detached(payload) : payload
  return { xml: serialize(alone), name: alone.name, ns: String(alone.attrs.xmlns ?? '') }
}

/** A stored payload as an element: sent as it is, parsed when somebody looks into it. */
export function payloadElement(xml: string): Element {
  return stored(xml)
}
