import type { Element } from '../xml/element'
import type { SaslMechanism } from './mechanism'
import type { ClientSession } from './session'

/** A feature that a module offers in `<stream:features/>` (RFC 6120 §4.3.2). */
export interface StreamFeature {
  /** `sasl`: beside the SASL mechanisms, before authentication; `bind`: beside resource binding, after it. */
  stage: 'sasl' | 'bind'
  /** The element to offer on this stream, nothing where it is not offered. Must not wait. */
  offer(session: ClientSession): Element | undefined
}

/** An iq that is answered before authentication (XEP-0077 §3.1); all others end the stream. */
export interface PreAuthIq {
  ns: string
  /** The name of the payload. */
  name: string
  /** Answers with `session.send`. The stream waits for the promise; whatever it throws is a fault of ours. */
  handle(session: ClientSession, iq: Element): void | Promise<void>
}

/** SASL2 on a host (XEP-0388), offered by one module. */
export interface Sasl2Policy {
  /** Outside TLS too, against XEP-0388 §3: for closed networks. */
  outsideTls: boolean
  /** With Bind 2 (XEP-0386). */
  bind: boolean
}

declare module '../events/items' {
  interface ItemTypes {
    sasl2: Sasl2Policy
    'stream-feature': StreamFeature
    'sasl-mechanism': SaslMechanism
    'preauth-iq': PreAuthIq
  }
}
