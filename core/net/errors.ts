import type { StanzaCondition } from '../errors'

/** Why another server cannot be reached, as the sender of a stanza is told (RFC 6120 §8.3.3.16, §8.3.3.17). */
export type UnreachableCondition = Extract<
  StanzaCondition,
  'remote-server-not-found' | 'remote-server-timeout'
>

/**
 * Another server cannot be reached. The message is for the log and names addresses; whoever sent the stanza is told
 * the condition alone.
 */
export class Unreachable extends Error {
  readonly code = 'ERR_UNREACHABLE'

  /** @param temporary whether it is worth to try again: false only where DNS says that there is no such server */
  constructor(
    readonly condition: UnreachableCondition,
    message: string,
    readonly temporary = condition === 'remote-server-timeout'
  ) {
    super(message)
    this.name = 'Unreachable'
  }
}

/** No DNS server has answered, or none that could be understood. An answer that there is nothing is no failure. */
export class DnsFailure extends Error {
  readonly code = 'ERR_DNS'

  constructor(
    readonly query: string,
    why: string
  ) {
    super(`${query}: ${why}`)
    this.name = 'DnsFailure'
  }
}
