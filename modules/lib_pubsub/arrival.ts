import { isActive, enter, ownSubscriptions } from './scope'
import type { Definition } from './definition'
import type { Outcome, Notification } from './events'
import { isAdmitted } from './gate'
import { tellLast } from './subscribe'
import { subIdOf } from './subids'
import type { Actor, Node, ReadStore } from './store'

/** The value of `pubsub#send_last_published_item` that goes by presence (§6.1.7). */
export const ON_PRESENCE = 'on_sub_and_presence'

/**
 * §6.1.7: an address (the actor's, with its resource) has become available, and gets the last item of the node where
 * the node is configured so, and they are subscribed and may see it now. To that resource alone, once.
 */
export async function arrive<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  request: { node: string }
): Promise<Outcome<undefined>> {
  const notifications: Notification[] = []
  const outcome = { result: undefined, notifications }
  const scope = await enter(def, store, actor, request.node)
  const { node, role } = scope
  const { send_last_published_item, deliver_notifications } = node.config
  if (send_last_published_item !== ON_PRESENCE || !deliver_notifications) return outcome
  const mine = (await ownSubscriptions(scope)).filter(
    one =>
      isActive(one) && one.options?.deliver !== false && (one.jid === actor.jid || one.jid === actor.bare)
  )
  if (mine.length === 0 || role.subscribe === 'never' || !(await isAdmitted(scope))) return outcome
  const subIds = mine.map(one => subIdOf(def, one)).filter(subId => subId !== undefined)
  const body = mine.some(one => one.options?.include_body)
  await tellLast(scope, actor.jid, { subIds, body }, notifications)
  return outcome
}
