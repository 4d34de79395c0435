import type { StreamError } from '../errors'
import type { JID } from '../jid'
import type { UserAgent } from './sasl2/request'
import type { Element } from '../xml/element'
import type { Copies } from './smacks'

/** How a sender is connected; `local` is a host of this server speaking for itself. */
export type OriginKind = 'local' | 'c2s' | 's2s' | 'component' | 'upstream'

/**
 * Data that modules keep with a session. It belongs to core, so it outlives the reload of the module that
 * wrote it: plain data only, no functions, no objects with methods of a module. Declared by merging.
 */
export interface SessionState {
  /** The last available presence that was broadcast; absent while the resource is not available. */
  presence?: Element
  /** The priority of that presence, -128 to 127 (RFC 6121 §4.7.2.3); absent while not available. */
  priority?: number
  /** What the client told of itself when it logged in (XEP-0388 §2.3); not for other users. */
  userAgent?: UserAgent
}

/** What the rest of the server knows of a client's stream. */
export interface ClientSession {
  /** Unpredictable, never used twice (RFC 6120 §4.7.3). */
  readonly id: string
  /** The domain the client asked for, prepared; set with the stream header. */
  readonly domain: string
  /** The name that was authenticated, '' before. */
  readonly user: string
  /** The full JID; undefined before a resource is bound. */
  readonly jid: JID | undefined
  readonly secure: boolean
  /** `tcp`, `tls` (direct TLS) or `websocket`. */
  readonly transport: 'tcp' | 'tls' | 'websocket'
  /** For logs and XEP-0133 statistics; never told to other users. */
  readonly remoteAddress: string
  /** Milliseconds since the epoch. */
  readonly since: number
  /**
   * When the client did something last: sent a message, presence or an iq of type `set`. What it asks and answers
   * otherwise, pings too, needs nobody in front of it. Milliseconds since the epoch, to half a second.
   */
  readonly active: number
  /** How many stanzas it has sent since a resource was bound. */
  readonly stanzas: number
  readonly state: SessionState
  readonly closed: boolean
  /** Without a connection, until it is resumed (XEP-0198 §5) or is over; what is sent to it waits. */
  readonly hibernating: boolean
  /** Whether its stanzas are acknowledged (XEP-0198 §3). */
  readonly managed: boolean
  /**
   * Writes a stanza, one write per tick; what is sent to a closed session is dropped. Where it is sent to several
   * resources of the account, but need not arrive at each, `copies` says so.
   */
  send(stanza: Element, copies?: Copies): void
  /** Writes a stanza that is serialised already. */
  sendRaw(xml: string): void
  /** Ends the stream, with a stream error if one is given (RFC 6120 §4.4, §4.9.1.1). */
  close(error?: StreamError): void
}
