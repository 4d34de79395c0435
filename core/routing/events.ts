import type { ClientSession } from '../streams/session'
import type { Tx } from '../storage/types'
import type { Element } from '../xml/element'
import type { StanzaEvent, Target } from './event'
import type { Traced } from '../events/hooks'
import type { AdminAct } from '../modules/acts'

/** What a chain of an event is for; the docs and `balcony hooks` are made from this table. */
export interface EventInfo {
  /** When it runs. */
  when: string
  /** The type of what handlers get. */
  payload: string
  /** Whether a handler may return a promise: any, one that awaits nothing but the event's `tx`, or none. */
  async: 'yes' | 'tx' | 'no'
  /** What HANDLED means to whoever raised it; '' where it means nothing. */
  handled: string
}

/** A resource was bound, or its session ended. */
export interface SessionEvent extends Traced {
  readonly session: ClientSession
  /** For `session/closed`: why, as a word for logs. */
  readonly reason?: string
}

/** An account of any host of this server is about to be made, inside the write unit that does it. */
export interface AccountCreatingEvent extends Traced {
  /** The bare JID. */
  readonly jid: string
  readonly tx: Tx
}

/** An account of any host of this server is removed, inside the write unit that does it. */
export interface AccountPurgeEvent extends Traced {
  /** The bare JID. */
  readonly jid: string
  readonly tx: Tx
}

/** An account is about to be removed. */
export interface AccountNameEvent extends Traced {
  /** The local part. */
  readonly user: string
}

/** An account is made or removed, inside the write unit that does it. */
export interface AccountEvent extends Traced {
  /** The local part. */
  readonly user: string
  readonly tx: Tx
}

/** Whether a host of this server and a foreign domain may exchange stanzas. Who refuses throws a StanzaError. */
export interface FederationEvent extends Traced {
  /** The foreign domain, prepared. */
  readonly domain: string
}

/** disco#info of a host or account, before it is answered (XEP-0030). */
export interface DiscoNodeEvent extends Traced {
  readonly stanza: StanzaEvent
  readonly node: string
  /** What is answered; empty at the start, but for the host's own items. HANDLED says that the node exists. */
  readonly reply: Element
}

/**
 * The events of a host, by name. Modules add their own by declaration merging (and their EventInfo by
 * `ctx.add('event', …)`). Stanza events run on the host that is addressed; `pre-*` on the sender's host.
 */
export interface HostEvents {
  'pre-message': StanzaEvent
  'pre-presence': StanzaEvent
  'pre-iq': StanzaEvent
  'message/host': StanzaEvent
  'message/bare': StanzaEvent
  'message/full': StanzaEvent
  'presence/host': StanzaEvent
  'presence/bare': StanzaEvent
  'presence/full': StanzaEvent
  'presence/broadcast': StanzaEvent
  'iq/host': StanzaEvent
  'iq/bare': StanzaEvent
  'iq/full': StanzaEvent
  'route/leaving': StanzaEvent
  'route/arriving': StanzaEvent
  'route/remote': StanzaEvent
  'route/incoming': StanzaEvent
  'federation/check': FederationEvent
  'session/bound': SessionEvent
  'session/closed': SessionEvent
  'account/creating': AccountCreatingEvent
  'account/created': AccountEvent
  'account/removing': AccountNameEvent
  'account/removed': AccountEvent
  'account/purge': AccountPurgeEvent
  'disco/info': DiscoNodeEvent
  'disco/items': DiscoNodeEvent
  'admin/act': AdminAct
}

const delivered = 'it was delivered, stored, answered or dropped on purpose'

const stanza = { payload: 'StanzaEvent', async: 'yes' } as const

export const EVENTS: Readonly<Record<string, EventInfo>> = {
  'pre-message': {
    when: 'a local client sends a message, before it is routed',
    ...stanza,
    handled: 'it goes no further'
  },
  'pre-presence': {
    when: 'a local client sends presence with `to`, before it is routed',
    ...stanza,
    handled: 'it goes no further'
  },
  'pre-iq': {
    when: 'a local client sends an iq, before it is routed',
    ...stanza,
    handled: 'it goes no further'
  },
  'message/host': { when: 'a message is addressed to the host', ...stanza, handled: delivered },
  'message/bare': { when: 'a message is addressed to an account of the host', ...stanza, handled: delivered },
  'message/full': { when: 'a message is addressed to a resource', ...stanza, handled: delivered },
  'presence/host': { when: 'presence is addressed to the host', ...stanza, handled: delivered },
  'presence/bare': { when: 'presence is addressed to an account of the host', ...stanza, handled: delivered },
  'presence/full': { when: 'presence is addressed to a resource', ...stanza, handled: delivered },
  'presence/broadcast': {
    when: 'a local client sends presence without `to`',
    ...stanza,
    handled: 'nobody else broadcasts it'
  },
  'iq/host': {
    when: 'an iq get or set is addressed to the host, before the handlers of `ctx.iq`',
    ...stanza,
    handled: 'it is answered or will be'
  },
  'iq/bare': {
    when: 'an iq get or set is addressed to an account, before the handlers of `ctx.iq`',
    ...stanza,
    handled: 'it is answered or will be'
  },
  'iq/full': {
    when: 'an iq get or set is addressed to a resource, before it is delivered',
    ...stanza,
    handled: 'it is answered or will be'
  },
  'route/leaving': {
    when: 'somebody of this host sends a stanza to another account, host or component, on this server or elsewhere: before all others; not for errors that the server answers',
    ...stanza,
    handled: 'it goes no further'
  },
  'route/arriving': {
    when: 'a stanza of another domain, on this server or elsewhere, is addressed to this host, after `route/incoming`; not for errors that the server answers',
    ...stanza,
    handled: 'it goes no further'
  },
  'route/remote': {
    when: 'a stanza of this host is addressed to a domain that is not local; after the host’s handlers those of the server',
    ...stanza,
    handled: 'it is on its way or was answered'
  },
  'route/incoming': {
    when: 'a stanza of a foreign domain is addressed to this host (origin `s2s` or `upstream`), before all others',
    ...stanza,
    handled: 'it goes no further'
  },
  'federation/check': {
    when: 'a stream between this host and a foreign domain is about to be opened or accepted; throw to refuse it',
    payload: 'FederationEvent',
    async: 'yes',
    handled: 'nobody else is asked'
  },
  'session/bound': {
    when: 'a client bound a resource, before its first stanza',
    payload: 'SessionEvent',
    async: 'yes',
    handled: ''
  },
  'session/closed': {
    when: 'a bound session ended, after its last stanza',
    payload: 'SessionEvent',
    async: 'yes',
    handled: ''
  },
  'account/creating': {
    when: 'inside the write that makes an account, before it, on every host: throw `nameTaken` to keep the name',
    payload: 'AccountCreatingEvent',
    async: 'tx',
    handled: ''
  },
  'account/created': {
    when: 'inside the write that makes an account',
    payload: 'AccountEvent',
    async: 'tx',
    handled: ''
  },
  'account/removing': {
    when: 'before the write that removes an account: read what is needed then',
    payload: 'AccountNameEvent',
    async: 'yes',
    handled: ''
  },
  'account/removed': {
    when: 'inside the write that removes an account: delete what is its',
    payload: 'AccountEvent',
    async: 'tx',
    handled: ''
  },
  'account/purge': {
    when: 'inside that write too, on every host: delete what is the account’s there',
    payload: 'AccountPurgeEvent',
    async: 'tx',
    handled: ''
  },
  'disco/info': {
    when: 'disco#info asks for a node',
    payload: 'DiscoNodeEvent',
    async: 'yes',
    handled: 'the node exists, `reply` is the answer'
  },
  'disco/items': {
    when: 'disco#items asks for a node, or for the items of the host (`node` is empty)',
    payload: 'DiscoNodeEvent',
    async: 'yes',
    handled: 'the node exists, `reply` is the answer'
  },
  'admin/act': {
    when: 'an act of administration was done, failed or was refused, before it is answered',
    payload: 'AdminAct',
    async: 'yes',
    handled: ''
  }
}

/** An event that a module raises itself, as it is told to people. */
export interface ModuleEvent extends EventInfo {
  name: string
}

declare module '../events/items' {
  interface ItemTypes {
    event: ModuleEvent
  }
}

/**
 * The chain that answers one iq payload: made by `ctx.iq`, at most one handler each. It runs after `iq/host`,
 * `iq/bare` and `iq/full`.
 */
export function iqEvent(type: string, target: Target, ns: string, name: string): string {
  return `iq-${type}/${target} ${ns} ${name}`
}
