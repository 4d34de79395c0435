import type { ClientSession, OriginKind } from '../streams/session'

/**
 * Who really sent an event. Whoever must trust asks this, never the stanza's `from`.
 * `name` was authenticated: a bare JID for `c2s`, a domain for all others.
 */
export interface Origin {
  readonly kind: OriginKind
  readonly name: string
  /** The client's session, for `c2s`. */
  readonly session?: ClientSession
  /**
   * A session of this server had the stanza and gave it back, for its client did not acknowledge it (XEP-0198 §4):
   * handlers have seen it before.
   */
  readonly returned?: true
}
