import type { HandlerOwner, Traced } from '../events/hooks'
import type { Host } from '../hosts/host'
import type { JID } from '../jid'
import type { Element } from '../xml/element'
import type { Origin } from './origin'

export type StanzaKind = 'iq' | 'message' | 'presence'
/** What is addressed: a host, an account (or a bare name on a component), or one resource. */
export type Target = 'host' | 'bare' | 'full'

/** A stanza on its way through the handlers of a host. */
export interface StanzaEvent extends Traced {
  /** The host whose handlers are running. */
  readonly host: Host
  readonly stanza: Element
  /** The sender, stamped or checked by core. For trust ask `origin`. */
  readonly from: JID
  /** The addressee; a client's stanza without `to` is addressed to its own account (RFC 6120 §10.3). */
  readonly to: JID
  readonly origin: Origin
  /** Whether an iq get or set has had its answer. */
  readonly answered: boolean
  owner?: HandlerOwner | undefined
  /** Answers an iq get or set with a result, once; the payload may be left out (RFC 6120 §8.2.3). */
  reply(payload?: Element): void
  /** Answers with a stanza error, where an answer is allowed (RFC 6120 §8.3.1). */
  fail(error: unknown): void
  /**
   * The handler has taken its place among the writes: the sender's next write may be handled before this one
   * is committed. `db.write(unit, event)` calls it.
   */
  release(): void
  /**
   * The handler has written what it had to, and waits for somebody else before it answers: all that the sender sends
   * meanwhile is handled. Only while the event is being handled.
   */
  leave(): void
}
