import type { StreamError } from '../errors'
import type { Element } from './element'
import type { XmlLimits } from './limits'

/** The start of a stream: `<stream:stream>` (RFC 6120 §4.2), or `<open/>` (RFC 7395 §3.3.2). */
export interface StreamHeader {
  /** In canonical form, so always with `xmlns`. */
  readonly element: Element
  /** The prefix it was sent with, '' for none. */
  readonly prefix: string
  /** The default namespace it declares, '' for none. */
  readonly defaultNs: string
  /** The other prefixes it declares, e.g. `db` (XEP-0220 §2.3). */
  readonly prefixes: ReadonlyMap<string, string>
}

/** What the parser tells. Every method of the parser may be called in there. */
export interface ParserHandlers {
  onOpen(header: StreamHeader): void
  /** @param bytes how long the stanza was, from the `<` of its start tag to the `>` of its end tag */
  onStanza(stanza: Element, bytes: number): void
  /** The peer ended its stream. On WebSocket `close` is its `<close/>`. */
  onClose(close?: Element): void
  /** The stream is to be ended with this error (RFC 6120 §4.9); nothing more is parsed until `reset`. */
  onError(error: StreamError): void
  /** White space between stanzas, a keepalive mostly (RFC 6120 §4.6.1, §11.7). */
  onWhitespace?(bytes: number): void
}

export interface ParserOptions {
  handlers: ParserHandlers
  /** The namespace that stanzas are in without saying so: `jabber:client` and its like (RFC 6120 §4.8.2). */
  contentNs: string
  /** `frame`: each write is a whole WebSocket message (RFC 7395 §3.3.3). */
  mode?: 'stream' | 'frame'
  limits?: XmlLimits
}
