import type { Definition } from './definition'
import { PubsubError, type ErrorName } from './errors'
import type { Node, Subscription } from './store'

/** The SubID of a subscription, where the service has them (§6.1.6). */
export function subIdOf<N extends Node, X>(
  def: Definition<N, X>,
  { key }: Pick<Subscription, 'key'>
): string | undefined {
  return def.multiSubscribe ? String(key) : undefined
}

/**
 * The subscription that a request is about.
 * @param own the entity's with the node
 * @throws PubsubError `missing` where there is none, subIdRequired where there are several (§6.2.3.1, §6.3.4.4),
 * invalidSubId (§6.2.3.5, §6.3.4.5)
 */
export function pick<N extends Node, X>(
  def: Definition<N, X>,
  own: readonly Subscription[],
  { jid, subId }: { jid: string; subId?: string | undefined },
  missing: ErrorName
): Subscription {
  const mine = own.filter(one => one.jid === jid)
  const [first, another] = mine
  if (first === undefined) throw new PubsubError(missing)
  // §6.2.3.5: where there are no SubIDs, one in a request is ignored
  if (!def.multiSubscribe) return first
  if (subId === undefined) {
    if (another) throw new PubsubError('subIdRequired')
    return first
  }
  const named = mine.find(one => String(one.key) === subId)
  if (named === undefined) throw new PubsubError('invalidSubId')
  return named
}
