import type { Element } from '#core'
import type { OptionsRequest } from '../choices'
import type { ConfigChanges } from '../config'
import type { ItemsRequest } from '../items'
import type {
  AffiliationChange,
  ChangeRequest,
  ListRequest,
  NodeListRequest,
  SubscriptionChange
} from '../memberships'
import type { ConfigureRequest, CreateRequest, DeleteRequest } from '../nodes'
import type { PublishRequest } from '../publish'
import type { RetractRequest } from '../retract'
import type { SubscribeRequest } from '../subscribe'

/** An operation that changes something: it is done in a write unit. */
export type WriteOperation =
  | { name: 'create'; request: CreateRequest }
  | { name: 'configure'; request: ConfigureRequest }
  | { name: 'delete'; request: DeleteRequest }
  | { name: 'purge'; request: { node: string } }
  | { name: 'publish'; request: PublishRequest }
  | { name: 'retract'; request: RetractRequest }
  | { name: 'subscribe'; request: SubscribeRequest }
  | { name: 'unsubscribe'; request: SubscribeRequest }
  | { name: 'setOptions'; request: OptionsRequest & { options?: ConfigChanges } }
  | { name: 'changeSubscriptions'; request: ChangeRequest<SubscriptionChange> }
  | { name: 'changeAffiliations'; request: ChangeRequest<AffiliationChange> }

/** An operation that only reads. */
export type ReadOperation =
  | { name: 'items'; request: ItemsRequest }
  | { name: 'configuration'; request: { node: string } }
  | { name: 'defaultConfiguration'; request: object }
  | { name: 'options'; request: OptionsRequest }
  | { name: 'defaultOptions'; request: { node?: string } }
  | { name: 'subscriptionsOf'; request: ListRequest }
  | { name: 'affiliationsOf'; request: ListRequest }
  | { name: 'subscriptionsTo'; request: NodeListRequest }
  | { name: 'affiliations'; request: NodeListRequest }

/** A request in the namespaces `pubsub` and `pubsub#owner`, read. */
export type Operation = {
  /** Children of `<pubsub/>` in namespaces that the caller understands itself. */
  extensions?: readonly Element[]
} & (({ write: true } & WriteOperation) | ({ write: false } & ReadOperation))
