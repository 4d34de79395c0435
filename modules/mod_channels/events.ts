import type { Element, ModuleEvent, StanzaEvent, Traced, Tx } from '#core'
import type { ChannelActor } from './access'
import type { ChannelItem, ChannelNode, RemovedItem } from './model'

/** An item is stored, inside the write unit; a handler that throws undoes it. It may run again (see `Unit`). */
export interface ItemEvent extends Traced {
  readonly tx: Tx
  readonly node: ChannelNode
  readonly item: ChannelItem
  /** What it overwrote: for `channels/edit`. */
  readonly previous: ChannelItem | undefined
}

/** Items are deleted, inside the write unit. */
export interface RetractEvent extends Traced {
  readonly tx: Tx
  readonly node: ChannelNode
  /** Those that were named and those that went along (replies, ratings). */
  readonly items: readonly RemovedItem[]
}

/** An entry with a `<rating/>` (protoXEP §6.3.4), before it is stored. Who handles it says what it becomes. */
export interface RateEvent extends Traced {
  /** Text of the element. */
  readonly value: string
  /** What the entry answers, and what it rates. */
  readonly parent: ChannelItem | undefined
  readonly target: ChannelItem | undefined
  result?: {
    rating: number
    title: string
    content: string
    verb: string
  }
}

/** Somebody who reads items wants to know how they are rated. Who handles it gives an element for each item. */
export interface SummariesEvent extends Traced {
  /** Bare JID of who asks. */
  readonly jid: string
  /** Keys of posts and comments, at most as many as a page has; the asker may read them. */
  readonly keys: readonly number[]
  /** What stands beside the payload in `<item/>`. */
  result?: ReadonlyMap<number, Element>
}

/** A request in `<pubsub/>` in the namespace of channels (`recent-items` and the like). */
export interface RequestEvent extends Traced {
  readonly stanza: StanzaEvent
  readonly pubsub: Element
  readonly request: Element
  readonly actor: ChannelActor
}

declare module '#core' {
  interface HostEvents {
    /** An item was published, inside the write unit. */
    'channels/publish': ItemEvent
    /** An item was overwritten by its author, inside the write unit. */
    'channels/edit': ItemEvent
    /** Items were deleted, inside the write unit. */
    'channels/retract': RetractEvent
    /** An entry is a rating; HANDLED: `result` says what it becomes. */
    'channels/rate': RateEvent
    /** How items are rated; HANDLED: `result` says it. */
    'channels/summaries': SummariesEvent
    /** A request in the namespace of channels; HANDLED: it is answered or will be. */
    'channels/request': RequestEvent
  }
}

/** As they are told to people. */
export const EVENTS: readonly ModuleEvent[] = [
  {
    name: 'channels/publish',
    when: 'inside the write that stores an item; a handler that throws undoes it',
    payload: 'ItemEvent',
    async: 'tx',
    handled: ''
  },
  {
    name: 'channels/edit',
    when: 'inside the write by which an author overwrites an item',
    payload: 'ItemEvent',
    async: 'tx',
    handled: ''
  },
  {
    name: 'channels/retract',
    when: 'inside the write that deletes items',
    payload: 'RetractEvent',
    async: 'tx',
    handled: ''
  },
  {
    name: 'channels/rate',
    when: 'an entry is a rating, before it is stored',
    payload: 'RateEvent',
    async: 'yes',
    handled: '`result` says what it becomes'
  },
  {
    name: 'channels/summaries',
    when: 'somebody reads items and wants to know how they are rated',
    payload: 'SummariesEvent',
    async: 'yes',
    handled: '`result` says it'
  },
  {
    name: 'channels/request',
    when: 'a request in the namespace of channels',
    payload: 'RequestEvent',
    async: 'yes',
    handled: 'it is answered or will be'
  }
]
