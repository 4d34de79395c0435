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
  | { type: 'failure'; condition: SaslCondition; text?: string | undefined }

/** One run of a mechanism on one stream. */
export interface SaslExchange {
  /**
   * Takes a message of the client, decoded; `undefined` where there is no initial response. Not called again
   * before it has ended, nor after success or failure. What it throws is `temporary-auth-failure`.
   */
  step(data: Buffer | undefined): SaslStep | Promise<SaslStep>
}

/** What a mechanism may know of the stream. */
export interface SaslStream {
  readonly domain: string
  readonly secure: boolean
  readonly remoteAddress: string
}

/** A way to log in, offered by a module on a host. */
export interface SaslMechanism {
  /** As in the registry: `SCRAM-SHA-256`. */
  name: string
  /** The server's preference; the highest is offered first (RFC 6120 §6.3.3). */
  strength: number
  /** Only inside TLS: hidden before it (RFC 6120 §6.3.4), and answered with `encryption-required`. */
  needsTls: boolean
  start(stream: SaslStream): SaslExchange
}
