import type { StanzaError } from '../errors'
import type { JID } from '../jid'
import type { Element } from '../xml/element'
import type { StreamHost } from './backend'
import type { LoginStream } from './login-profile'

/** What comes of an attempt to bind a resource. Exactly one is called, at once or later. */
export interface BindOutcome {
  /**
   * Bound: stanzas may come. The answer is written here (`answer`, `send`), before anything that others have sent to
   * the new resource meanwhile.
   */
  bound(jid: JID): void
  /** Refused; another attempt may follow (RFC 6120 §7.7.3: not for ever). */
  refused(error: StanzaError): void
}

/**
 * What comes of an attempt to resume (XEP-0198 §5). `answer` is `<resumed/>` or `<failed/>`, to be written by the
 * callee, alone or inside of something else. With `<resumed/>` there is `handOver`, to be called right after that was
 * written: the connection then belongs to the older session, which sends what is missing, and this stream is no more; `jid` is that session's.
 */
export type ResumeOutcome = (answer: Element, handOver?: () => void, jid?: JID) => void

/**
 * The steps from a stream header to a bound resource, for whoever negotiates: `ClientStream` takes them for RFC 6120
 * (SASL, restart, an iq that binds), others may take them in another order and with fewer round trips (SASL2, Bind 2):
 *
 *     if (!stream.becomes(user)) return                        // SASL has succeeded; no restart
 *     stream.resumeSession(resume, (answer, handOver) => { … }) // instead of binding, or before it if that failed
 *     stream.bindResource(resource, {                           // without an iq
 *       bound: jid => stream.answer(success(jid, stream.enableManagement(enable)))
 *       refused: …
 *     })
 *     stream.offerFeatures()                                    // what may be negotiated next
 *
 * All of them belong on a stream that is neither closed nor bound. Each checks that the client may do this now.
 */
export interface Negotiable extends LoginStream {
  /** The host that the stream header named. */
  readonly host: StreamHost | undefined
  /** The name that was authenticated, '' before. */
  readonly user: string
  readonly transport: 'tcp' | 'tls' | 'websocket'
  readonly closed: boolean
  /** Nothing but STARTTLS is accepted now. */
  readonly tlsFirst: boolean
  /** Whether the stream header named that user, or nobody (RFC 6120 §6.4.6). */
  agreesWith(user: string): boolean
  /**
   * From now on the stream is that user's. False where the stream header named somebody else (RFC 6120 §6.4.6): then
   * the stream is closed already.
   */
  becomes(user: string): boolean
  /** Writes the stream features for the state that the stream is in now. */
  offerFeatures(): void
  /** Binds a resource: the one that is asked for, or one of ours where it is undefined or empty (RFC 6120 §7). */
  bindResource(wanted: string | undefined, outcome: BindOutcome): void
  /** Takes `<enable/>` on a stream with a resource: the answer is `<enabled/>` or `<failed/>` (XEP-0198 §3). */
  enableManagement(enable: Element): Element
  /** Takes `<active/>` or `<inactive/>` on a stream with a resource; false: it is neither (XEP-0352 §4). */
  indicateState(element: Element): boolean
  /** Takes `<resume/>` on a stream without a resource. The outcome is called at once or later. */
  resumeSession(resume: Element, outcome: ResumeOutcome): void
}
