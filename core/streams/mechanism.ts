import type { ChannelBindings } from './channel-binding'

/** RFC 6120 §6.5. */
export type SaslCondition =
  | 'aborted'
  | 'account-disabled'
  | 'credentials-expired'
  | 'encryption-required'
  | 'incorrect-encoding'
  | 'invalid-authzid'
  | 'invalid-mechanism'
  | 'malformed-request'
  | 'mechanism-too-weak'
  | 'not-authorized'
  | 'temporary-auth-failure'

/** What comes of one message of the client. */
export type SaslStep =
  | { type: 'challenge'; data: Buffer }
  /** `user`: the local part, prepared. `data`: additional data with success (RFC 6120 §6.3.10). */
  | { type: 'success'; user: string; data?: Buffer | undefined }
  /** `user`: whose keys were asked for, prepared, where it came to that; there may be no such account. */
  | { type: 'failure'; condition: SaslCondition; text?: string | undefined; user?: string | undefined }

/** One run of a mechanism on one stream. */
export interface SaslExchange {
  /**
   * Takes a message of the client, decoded; `undefined` where there is no initial response. Not called again
   * before it has ended, nor after success or failure. What it throws is `temporary-auth-failure`.
   */
  step(data: Buffer | undefined): SaslStep | Promise<SaslStep>
}

/** What a stream offered for logging in, by the profile that the client uses. */
export interface SaslOffer {
  /** In the list of that profile, the most preferred first. */
  readonly mechanisms: readonly string[]
  /** The types of channel binding that were announced (XEP-0440); none where that was not. */
  readonly bindings: readonly string[]
}

/** How fast passwords may be tried, and how many are checked at a time: a mechanism must ask. */
export interface SaslAttempt {
  /**
   * Who the client wants to log in as: the local part, prepared where it can be. To be awaited before anything is
   * looked up or checked. Throws, or rejects, where the attempt is not to be looked at.
   */
  named(user: string): void | Promise<void>
  /** Runs what derives keys from a password, when it may. Rejects where too many wait. */
  derive<T>(work: () => Promise<T>): Promise<T>
}

/** What a mechanism may know of the stream. */
export interface SaslStream {
  readonly domain: string
  readonly secure: boolean
  readonly remoteAddress: string
  /** Undefined where nobody counts. */
  readonly attempt?: SaslAttempt | undefined
  /** Mechanisms vouch for it, so that nobody in between takes away from it. Undefined: it is not known. */
  readonly offer?: SaslOffer | undefined
  /** False: nothing of it is told to the client, which may not stand it. */
  readonly vouches?: boolean
  /** What the connection can be bound to; undefined where it cannot be. */
  readonly channelBindings?: ChannelBindings | undefined
}

/** A way to log in, offered by a module on a host. */
export interface SaslMechanism {
  /** As in the registry: `SCRAM-SHA-256`. */
  name: string
  /** The server's preference; the highest is offered first (RFC 6120 §6.3.3). */
  strength: number
  /** Only inside TLS: hidden before it (RFC 6120 §6.3.4), and answered with `encryption-required`. */
  needsTls: boolean
  /** Only where the connection has channel bindings: hidden elsewhere (RFC 5802 §6). */
  needsBinding?: boolean
  /**
   * One that needs bindings is hidden in the list of RFC 6120 inside TLS 1.3, unless this is set: there are clients
   * that know no other than `tls-unique`, which is not there (RFC 9266 §3), and do not look what else is.
   */
  inOldList?: boolean
  start(stream: SaslStream): SaslExchange
}
