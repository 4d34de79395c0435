import { closedNode, pendingSubscription } from '../lib_channels'
import { accessRule, enter, PubsubError, type Scope } from '../lib_pubsub'
import type { Actor, Definition } from '../lib_pubsub'
import type { ChannelNode, ItemColumns } from './model'
import type { ChannelReader } from './store/read-store'

export type ChannelScope = Scope<ChannelNode, ItemColumns>

/**
 * Finds the node for somebody who wants to read in it: protoXEP table 5, and table 7 for outcasts, who read nothing
 * anywhere. Refusals are those of the deployed servers.
 */
export async function enterToView(
  definition: Definition<ChannelNode, ItemColumns>,
  store: ChannelReader,
  actor: Actor,
  name: string
): Promise<ChannelScope> {
  const scope = await enter(definition, store, actor, name)
  if (scope.role.read === 'always') return scope
  if (scope.role.read === 'never') throw new PubsubError('forbidden')
  if ((await accessRule(scope)).read === 'anyone') return scope
  const [subscription] = await store.subscriptions(scope.node, actor.bare)
  throw subscription?.state === 'pending' ? pendingSubscription() : closedNode()
}

/** The same as a question, for a node that is known to be there. */
export async function mayView(
  definition: Definition<ChannelNode, ItemColumns>,
  store: ChannelReader,
  actor: Actor,
  name: string
): Promise<boolean> {
  try {
    await enterToView(definition, store, actor, name)
    return true
  } catch (error) {
    if (error instanceof PubsubError || (error instanceof Error && error.name === 'StanzaError')) return false
    throw error
  }
}
