import type { Element } from '#core'
import type { RatingsWish } from '../lib_channels'
import type { Followed } from './following'
import type { ItemKind } from './model'

/** Where a publication stands: by time, then by node, then by order in the node. */
export interface Place {
  /** Milliseconds UTC. */
  readonly updated: number
  readonly node: number
  readonly seq: number
  /** The item's integer. */
  readonly key: number
}

/** Times of a node's newest publication, its newest that starts a thread, its newest that is no rating; 0 for none. */
export interface Newest {
  readonly item: number
  readonly root: number
  readonly written: number
}

/** An item as it is answered. */
export interface WireItem {
  readonly id: string
  /** Name of its node. */
  readonly node: string
  readonly kind: ItemKind
  /** Serialised XML. */
  readonly payload: string
}

/** What `ctx.use('channels')` gives: reading what is new, for those who know that it may be read. */
export interface ChannelsApi {
  /** The nodes of posts in the channels that somebody follows, and so may read now. */
  following(jid: string): Promise<readonly Followed[]>
  /** By the node's integer; nodes that are gone are left out. */
  newest(nodes: readonly number[]): Promise<Map<number, Newest>>
  /** The newest publications of a node up to a number in its order, newest first. */
  publications(
    node: number,
    query: { upTo?: number; limit: number; kinds?: readonly ItemKind[] }
  ): Promise<Place[]>
  /** Where an item stands that somebody names by its global id. */
  locate(id: string): Promise<Place | undefined>
  /** Items by their integers; those that are gone are left out. */
  items(keys: readonly number[]): Promise<Map<number, WireItem>>
  /** What somebody wants to see of ratings; an error where there are none. */
  granted(wish: RatingsWish): RatingsWish
  /** How posts and comments are rated, for whoever may read them: an element for each, by their integers. */
  summaries(jid: string, keys: readonly number[]): Promise<ReadonlyMap<number, Element>>
  /** The nodes of the channels that somebody follows with news since a moment, whatever they hold. */
  newsOf(jid: string, since: number): Promise<Map<number, Newest>>
}
