import type { ErrorName } from './errors'
import type { Actor, Awaitable, Node, ReadStore } from './store'

/** What an access model means for one person (XEP-0060 §4.5). */
export interface AccessRule {
  /** `open`: at once; `approval`: pending until somebody approves; `closed`: only who is on the list. */
  subscribe: 'open' | 'approval' | 'closed'
  /** Who reads: everybody, or those who are subscribed. */
  read: 'anyone' | 'subscribers'
  /** What a stranger hears at a closed node. */
  refusal: ErrorName
}

/**
 * An access model: one rule for everybody, or a function that looks at the person (presence, roster groups,
 * domain).
 */
export interface AccessModel {
  /** What a person reads in the configuration form. */
  label: string
  rule: AccessRule | ((who: Actor, node: Node, store: ReadStore) => Awaitable<AccessRule>)
  /**
   * For models by which people lose access without anybody's request here: says of whom is subscribed (bare JIDs) who
   * still has it. It is asked at each event (§14.3).
   */
  gate?(node: Node, store: ReadStore): Awaitable<(bare: string) => boolean>
  /** Whether there can be nodes with it now. Default: yes. */
  isOffered?(): boolean
  /** Whether a node with these owners (bare JIDs) can have it. Default: yes. */
  isOfferedTo?(owners: readonly string[]): boolean
  /** The roster groups that somebody may choose from. */
  groupsOf?(owner: string, store: ReadStore): Awaitable<readonly string[]>
}

export type AccessModels = Readonly<Record<string, AccessModel>>

export const OPEN: AccessRule = { subscribe: 'open', read: 'anyone', refusal: 'forbidden' }
export const AUTHORIZE: AccessRule = { subscribe: 'approval', read: 'subscribers', refusal: 'forbidden' }
export const WHITELIST: AccessRule = { subscribe: 'closed', read: 'subscribers', refusal: 'closedNode' }

/** The models of XEP-0060 §4.5 that need nothing but the node. */
export const STANDARD_ACCESS = {
  open: { label: 'Anyone may subscribe and retrieve items', rule: OPEN },
  authorize: {
    label: 'Subscription requests must be approved and only subscribers may retrieve items',
    rule: AUTHORIZE
  },
  whitelist: { label: 'Only those on a whitelist may subscribe and retrieve items', rule: WHITELIST }
} as const satisfies AccessModels

/** XEP-0060 §16.4.4, `pubsub#publish_model`. */
export type PublishModel = 'publishers' | 'subscribers' | 'open'
