import { StreamError } from '../errors'
import { el } from './element'

/** What one stanza (or stream header, or WebSocket frame) may hold; more ends the stream with `policy-violation`. */
export interface XmlLimits {
  /** From the `<` of its start tag to the `>` of its end tag. */
  readonly stanzaBytes: number
  /** Elements in each other; the stanza itself is the first. */
  readonly depth: number
  /** All elements of a stanza: the smallest takes 4 bytes of the stream and forty times that in memory. */
  readonly elements: number
  /** Attributes and namespace declarations of one element. */
  readonly attributes: number
  /** A name with its prefix, in bytes. */
  readonly nameBytes: number
  /** Namespace prefixes that are in scope at one place. */
  readonly prefixes: number
}

/** Limits that no stanza of the specifications comes near. One object serves all streams. */
export const DEFAULT_LIMITS: XmlLimits = Object.freeze({
  stanzaBytes: 262144,
  depth: 100,
  elements: 16384,
  attributes: 64,
  nameBytes: 256,
  prefixes: 64
})

/** RFC 6120 §4.9.3.14 */
export function stanzaTooBig(limits: XmlLimits): StreamError {
  const text = `a stanza may have ${limits.stanzaBytes} bytes`
  return new StreamError('policy-violation', text, el('stanza-too-big', 'urn:xmpp:errors'))
}

export function limitExceeded(what: string): StreamError {
  return new StreamError('policy-violation', what)
}
