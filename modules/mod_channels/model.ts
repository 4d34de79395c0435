import type { Item, Node, SubscriptionState } from '../lib_pubsub'

/** Where a channel lives decides what it is (protoXEP §1.3). */
export type ChannelKind = 'personal' | 'topic' | 'ephemeral'

export const ACCESS_MODELS = ['open', 'authorize', 'local', 'whitelist'] as const
export type AccessModel = (typeof ACCESS_MODELS)[number]

export type Affiliation = 'owner' | 'moderator' | 'publisher' | 'member' | 'none' | 'outcast'

/** A channel: what its nodes have in common. */
export interface Channel {
  readonly key: number
  /** Bare JID. */
  readonly jid: string
  readonly kind: ChannelKind
  /** Valid for what is kept in memory of the members. */
  readonly membersVersion: number
}

/** A node as the engine has it, with its channel. */
export interface ChannelNode extends Node {
  readonly channel: Channel
  readonly type: string
  readonly place: number
  readonly tombstones: number
  /** Number of the last write (`Item.seq`). */
  readonly seq: number
  /** Milliseconds UTC of the newest publication, and of the newest that starts a thread; 0 for none. */
  readonly lastItem: number
  readonly lastRoot: number
}

/** Nobody, once that account is gone. */
export function creatorOf({ creator }: Pick<ChannelNode, 'creator'>): string[] {
  return creator === '' ? [] : [creator]
}

/** `data`: on nodes that are not Atom. */
export type ItemKind = 'post' | 'comment' | 'rating' | 'data'

/** Columns of an item beside the engine's. */
export interface ItemColumns {
  /** The row's integer: for foreign keys. 0 until it is stored. */
  readonly key: number
  readonly kind: ItemKind
  /** Keys of other items: the post that is answered, the item that is referred to or rated. */
  readonly parent: number | undefined
  readonly target: number | undefined
  readonly rating: number | undefined
}

/** An item; its `id` is what it is on the wire. */
export interface ChannelItem extends Item<ItemColumns> {
  readonly extra: ItemColumns
}

/** An item that is gone. */
export interface RemovedItem {
  readonly key: number
  /** As it was on the wire. */
  readonly id: string
  readonly kind: ItemKind
  /** Wire id of the post that it answered. */
  readonly parentId: string | undefined
  /** Milliseconds UTC. */
  readonly createdAt: number
  readonly removedAt: number
}

/** What somebody is to a channel. */
export interface Standing {
  affiliation: string
  subscription: SubscriptionState | 'invited' | 'none'
  /** Bare JID of who invited them, while they are invited. */
  invitedBy?: string
}

/** Nobody in particular. */
export const STRANGER: Readonly<Standing> = { affiliation: 'none', subscription: 'none' }
