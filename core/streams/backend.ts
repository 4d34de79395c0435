import type { SecureContext } from 'node:tls'
import type { Gate } from '../events/gate'
import type { Items } from '../events/items'
import type { JID } from '../jid'
import type { Log } from '../log'
import type { Element } from '../xml/element'
import type { StreamLimits } from './rates/limits'
import type { ClientSession } from './session'
import type { Held, ManagedSessions } from './smacks'
import './items'

/** A host with accounts, as far as its clients' streams must know it; `hosts/Host` is one. */
export interface StreamHost {
  /** Prepared. */
  readonly name: string
  /** For `sasl-mechanism`, `stream-feature` and `preauth-iq`. */
  readonly items: Items
  /** The bound sessions; `hosts/SessionRegistry` is one. */
  readonly sessions: {
    of(user: string): ReadonlyMap<string, ClientSession>
  }
}

/** A client's session as its server drives it. */
export interface StreamSession extends ClientSession {
  /** The default language of its stanzas, '' if it named none (RFC 6120 §4.7.4). */
  readonly lang: string
  /** Stops reading from the client until `resume`: its queue is full. */
  pause(): void
  resume(): void
  /** A stanza that came with this number has been handled (XEP-0198 §4). */
  handled(number: number): void
}

/** Everything that a client's stream needs from the floors above. */
export interface StreamBackend {
  /** While it is closed, a stream takes no step that asks a module. */
  readonly gate: Gate
  readonly log: Log
  /** The sessions that can be resumed (XEP-0198 §5). */
  readonly managed: ManagedSessions
  /** Rates, sizes, who may connect; without it there are none but those of the settings. */
  readonly streamLimits?: StreamLimits | undefined
  /** A host with accounts by its prepared name; undefined for any other domain (`host-unknown`). */
  host(domain: string): StreamHost | undefined
  /** Named in the header that answers an unknown domain (RFC 6120 §4.9.1.3); '' if there is no host. */
  defaultDomain(): string
  /**
   * A name for a thing of a user: always the same, also after a restart, and nobody who does not know the secret of
   * this installation can find it or what it stands for.
   */
  stableName(domain: string, user: string, what: string): string
  /** The certificate of a domain, or the default one; undefined where TLS is not configured. */
  secureContext(domain: string): SecureContext | undefined
  /** SASL succeeded: `session.user` is set. */
  authenticated(session: StreamSession): void
  /**
   * Resolves when the account has what its earlier sessions have left unacknowledged; undefined where nothing is
   * under way. To be asked before a session is bound.
   */
  settled(jid: JID): Promise<void> | undefined
  /**
   * Registers the session at its full JID, which is free, and lets modules know (`session/bound`); the result
   * is sent to the client when this is done. Throws a StanzaError to refuse.
   */
  bind(session: StreamSession, jid: JID): void | Promise<void>
  /**
   * A stanza in the content namespace, after binding. Synchronous and lean: the answer goes through
   * `session.send`, flow control through `session.pause` and `session.resume`. Where it has a number,
   * `session.handled` is called with it when its handlers have ended.
   */
  stanza(session: StreamSession, stanza: Element, bytes: number, number?: number): void
  /** A top-level element that is no stanza, after authentication; false: `unsupported-stanza-type`. */
  streamElement(session: StreamSession, element: Element): boolean
  /**
   * The session is over and takes and sends nothing more. Called once, at once, for every session that was
   * bound (`session.jid`); stanzas that it sent before may still wait in its queue. What the client has not
   * acknowledged is to be dealt with as if the session had not been there (XEP-0198 §4).
   */
  closed(session: StreamSession, reason: string, unacknowledged: readonly Held[]): void
}
