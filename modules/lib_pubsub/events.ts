import type { NodeConfig, ConfigField } from './config'
import type { ItemDraft, SubscriptionState } from './store'

/**
 * What happened, as data: nothing is sent by the engine. The caller sends after its commit, one message to each
 * recipient, and builds the event's XML once.
 */
export interface Notification {
  /** The node's name. */
  readonly node: string
  /** The addresses that are told, each once. May be a list of the store's: not to be changed. */
  readonly recipients: readonly string[]
  /** Type of the message (§12.7). */
  readonly type: 'normal' | 'headline'
  readonly event: PubsubEvent
  /** SubIDs of the one recipient who has several (§7.1.2.4). */
  readonly subIds?: readonly string[]
  /** With a body, where the payload has a text (§12.8). */
  readonly body?: boolean
}

/** An item in an event or a page of items. */
export interface EventItem {
  id?: string
  /** Only where the node is configured to name publishers (§7.1.2.3). */
  publisher?: string
  /** Serialised XML. */
  payload?: string
}

export type PubsubEvent =
  /** §7.1.2; without item on transient nodes that deliver no payloads. `delayed`: published at that time (§6.1.7). */
  | { kind: 'items'; item: EventItem | undefined; delayed?: number }
  /** §7.2.2.1 */
  | { kind: 'retract'; ids: readonly string[] }
  /** §8.5.2 */
  | { kind: 'purge' }
  /** §8.4.2 */
  | { kind: 'delete'; redirect: string | undefined }
  /** §8.2.5.3; the configuration is there when the node delivers payloads. */
  | { kind: 'configuration'; config: NodeConfig | undefined; fields: readonly ConfigField[] }
  /** §12.14, and to owners by notify_sub; `expiry`: the lease ends at that time (§12.19). */
  | {
      kind: 'subscription'
      jid: string
      state: SubscriptionState | 'none'
      subId?: string | undefined
      expiry?: number
    }
  /** §8.9.4 */
  | { kind: 'affiliation'; jid: string; affiliation: string }
  /** §8.6: asks the recipients (owners) to approve. */
  | { kind: 'approval'; jid: string; subId?: string | undefined }

/** What a request came to: the answer, and what is to be told to whom after the commit. */
export interface Outcome<R> {
  readonly result: R
  readonly notifications: readonly Notification[]
}

/** Sends notifications; called after the commit, in order. */
export interface Notifier {
  notify(notification: Notification): void
}

/** Hands the notifications of an outcome on and gives its result. */
export function announce<R>(outcome: Outcome<R>, notifier: Notifier): R {
  for (const notification of outcome.notifications) notifier.notify(notification)
  return outcome.result
}

/** An item as the node's configuration lets it be seen in an event (§4.3, §7.1.2.3). */
export function eventItem(
  config: NodeConfig,
  { id, publisher, payload }: Pick<ItemDraft, 'id' | 'publisher' | 'payload'>
): EventItem {
  const item: EventItem = { id }
  if (config.itemreply === 'publisher' && publisher !== '') item.publisher = publisher
  if (config.deliver_payloads && payload !== undefined) item.payload = payload
  return item
}
