import { DEFAULT_LIMITS, type XmlLimits } from '../xml/limits'
import type { StreamKind } from './rates/kinds'

/** How the streams of a port behave. Plain data; times are milliseconds. */
export interface StreamSettings {
  /** Whose limits hold: `Stream` hands the rates of that kind to its connection. */
  kind: StreamKind
  /**
   * `required`: nothing is offered before TLS but STARTTLS; `optional`: it is offered; `off`: it is not.
   * On WebSocket TLS is below the stream: there `required` refuses streams that are not inside it.
   */
  tls: 'required' | 'optional' | 'off'
  /** What a stanza may be, after authentication. */
  limits: XmlLimits
  /** What may be sent before it. */
  limitsBeforeAuth: XmlLimits
  /** From the connection until a resource is bound. */
  authTimeout: number
  /** From our end of the stream to the client's (RFC 6120 §4.4). */
  closeTimeout: number
  /** Failed SASL exchanges that are answered; the next ends the stream (RFC 6120 §6.4.5: 2 to 5). */
  authRetries: number
  /** Failed attempts to bind a resource that are answered (RFC 6120 §7.7.3: 5 to 10). */
  bindRetries: number
  /** Resources that an account may have connected (RFC 6120 §7.6.2.1). */
  maxResources: number
  /**
   * For a resource that is taken (RFC 6120 §7.7.2.2): `replace` ends the older session, `refuse` the attempt,
   * `rename` binds another resource.
   */
  conflict: 'replace' | 'refuse' | 'rename'
  /** Output that may wait for a client that does not read, in UTF-16 units. */
  maxOutput: number
  /** A sign of life is sent where nothing else was for so long; 0: never. */
  keepalive: number
  /** A client that sent nothing for so long is asked whether it is there (RFC 6120 §4.6); 0: never. */
  silence: number
  /** How long it may take to answer that; then the stream ends with `connection-timeout`. */
  silenceAnswer: number
  /** Whether the peer is told of its limits (XEP-0478). */
  announce: boolean
}

export const DEFAULT_SETTINGS: Readonly<StreamSettings> = {
  kind: 'c2s',
  tls: 'required',
  limits: DEFAULT_LIMITS,
  // RFC 6120 §13.12: at least 10,000 bytes
  limitsBeforeAuth: { ...DEFAULT_LIMITS, stanzaBytes: 16384, depth: 16, elements: 64 },
  authTimeout: 60_000,
  closeTimeout: 5000,
  authRetries: 5,
  bindRetries: 5,
  maxResources: 20,
  conflict: 'replace',
  maxOutput: 8 * 1024 * 1024,
  keepalive: 0,
  silence: 0,
  silenceAnswer: 60_000,
  announce: true
}
