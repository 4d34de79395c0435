import { DEFAULT_LIMITS } from '../../xml/limits'
import { DEFAULT_SETTINGS, type StreamSettings } from '../settings'

/** How streams between servers behave. Plain data; times are milliseconds. */
export interface ServerStreamSettings extends StreamSettings {
  /** Whether acknowledgements are offered and used (XEP-0198). */
  acks: boolean
  /** Whether one connection may serve both directions (XEP-0288). */
  bidi: boolean
  /** How long the peer may take to acknowledge. */
  ackTimeout: number
  /** A stream that carried nothing for so long is closed; 0: never. */
  idle: number
  /** For a domain to be verified by dialback. */
  dialbackTimeout: number
  /** Domain pairs that one connection may be verified for (XEP-0220 §2.6). */
  maxPairs: number
  /** Of these, how many may be under way. */
  maxVerifying: number
  /** Stanzas and UTF-16 units that are sent before the first of them is acknowledged, or written. */
  window: { count: number; bytes: number }
}

export const DEFAULT_SERVER_SETTINGS: Readonly<ServerStreamSettings> = {
  ...DEFAULT_SETTINGS,
  kind: 's2s',
  limits: DEFAULT_LIMITS,
  keepalive: 60_000,
  silence: 120_000,
  acks: true,
  bidi: true,
  ackTimeout: 60_000,
  idle: 600_000,
  dialbackTimeout: 30_000,
  maxPairs: 200,
  maxVerifying: 20,
  window: { count: 5000, bytes: 4 * 1024 * 1024 }
}

/** What is demanded of another server. */
export interface PeerPolicy {
  /** Whether there are stanzas without TLS. */
  tls: 'required' | 'optional'
  /** `certificate`: its certificate must name its domain and be trusted; `dialback`: that will do instead. */
  auth: 'certificate' | 'dialback'
}
