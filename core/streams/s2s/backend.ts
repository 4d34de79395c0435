import type { SecureContext } from 'node:tls'
import type { StanzaCondition, StreamError } from '../../errors'
import type { JID } from '../../jid'
import type { Element } from '../../xml/element'
import type { StreamSurroundings } from '../stream'
import type { DialbackKeys } from './keys'
import type { Pairs } from './pairs'
import type { PeerPolicy } from './settings'

/** A stanza on its way to another server. */
export interface Parcel {
  readonly stanza: Element
  /** As it goes over the wire. */
  readonly xml: string
  readonly lane: Lane
  /** When it was taken, or came back; milliseconds since the epoch. */
  since: number
}

/** Whose stanzas a stream carries: those from one host of this server to one foreign domain. */
export interface Lane {
  readonly local: string
  readonly remote: string
  /** It has arrived, as far as anybody can tell. */
  delivered(parcel: Parcel): void
  /**
   * The stream has ended and nobody knows whether these arrived; in the order in which they were sent.
   *
   * @param refused the peer has ended it with an error: perhaps it does not like the first of them
   */
  returned(parcels: Parcel[], refused: boolean): void
}

/** What the authoritative server says of a key (XEP-0220 §2.1.2), or why nobody can tell. */
export type Verdict = 'valid' | 'invalid' | { condition: StanzaCondition; text?: string }

/** A key that another server gave to be verified (XEP-0220 §2.1.2). */
export interface Question {
  /** The host of this server that was addressed. */
  local: string
  /** The domain that the other server says to be. */
  remote: string
  /** Of the stream on which the key came. */
  id: string
  key: string
}

/** Why a pair of domains has no stream. */
export interface Failure {
  /** What the senders are told. */
  condition: StanzaCondition
  /** For the log. */
  reason: string
  /** Whether it is worth to try again. */
  temporary: boolean
}

/** A stream between servers, as the floors above know it. */
export interface PeerStream {
  /** Who opened it: `in` is the peer, `out` is this server. */
  readonly direction: 'in' | 'out'
  /** The host of this server that its header names, and the foreign domain; '' before there is one. */
  readonly domain: string
  readonly remote: string
  readonly remoteAddress: string
  readonly secure: boolean
  /** How the peer was authenticated, or we were; '' before. */
  readonly auth: 'external' | 'dialback' | ''
  /** Both sides may send on it (XEP-0288). */
  readonly bidi: boolean
  /** Whether stanzas are acknowledged (XEP-0198). */
  readonly managed: boolean
  readonly since: number
  readonly closed: boolean
  /** The pairs whose stanzas the peer may send here. */
  readonly receives: Pairs
  /** What the peer has not acknowledged, in stanzas. */
  readonly unacknowledged: number
  /** Why it came to its end before it could be used. */
  readonly failure: Failure | undefined
  /** Whether it is what is demanded of that domain now. */
  satisfies(policy: PeerPolicy, remote: string): boolean
  /** Whether a stanza may be sent now; if not, the backend hears of it when it may. */
  hasRoom(): boolean
  /** Sends a stanza of a pair that may use the stream. */
  deliver(parcel: Parcel): void
  /** Reads nothing more until `resume`. */
  pause(): void
  resume(): void
  /** The handlers of a stanza have ended. */
  settled(ticket: number): void
  /** Counts nothing that comes from now on (XEP-0198 §4). */
  freeze(): void
  /** The policy has changed: the peer may not send for this pair any more. */
  withdraw(local: string, remote: string, why?: string): void
  close(error?: StreamError): void
  abandon(reason: string): void
}

/** Everything that a stream between servers needs from the floors above. */
export interface ServerStreamBackend extends StreamSurroundings {
  /** A stanza that the peer does not take; bytes (XEP-0478 §4). It was not sent. */
  tooLarge(parcel: Parcel, most: number): void
  readonly keys: DialbackKeys
  /** Whether the domain is served here. */
  isLocal(domain: string): boolean
  policy(domain: string): PeerPolicy
  /** The certificate of a domain, or the default one. */
  secureContext(domain: string): SecureContext | undefined
  /** Whether the two may federate: throws a StanzaError, or rejects with one, if not. */
  check(local: string, remote: string): void | Promise<void>
  /** Asks the authoritative server over another stream; never rejects. `address`: where the key came from. */
  verify(question: Question, address: string): Promise<Verdict>
  /** A stanza of a pair that was verified on this very stream. `ticket` is for `settled`. */
  stanza(stream: PeerStream, stanza: Element, from: JID, bytes: number, ticket: number): void
  /** The peer may now send stanzas of this pair; with `stream.bidi` it takes them in the other direction too. */
  verified(stream: PeerStream, local: string, remote: string): void
  /** There is room again, after `deliver` was refused. */
  room(stream: PeerStream): void
  /** It takes nothing more, and ends soon. */
  leaving(stream: PeerStream): void
  /** A domain was not verified. */
  refused(stream: PeerStream, local: string, remote: string, why: string): void
  /** Called once. */
  closed(stream: PeerStream, reason: string): void
}
