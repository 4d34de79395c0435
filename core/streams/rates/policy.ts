import type { AddressBounds } from './admission'
import type { StreamKind } from './kinds'
import { UNLIMITED, type Rates } from './meter'

/** What streams of one kind may. */
export interface KindPolicy extends AddressBounds {
  rates: Rates
  /** Bytes of one stanza; undefined: as the config's `limits` say. */
  stanzaBytes?: number | undefined
}

/** How fast passwords may be tried. Numbers of failures are those of late: they fade with time. */
export interface LoginPolicy {
  /** Failures of one account from one address that cost nothing. */
  freePerAccountAndAddress: number
  /** Failures of one address, on whatever accounts. */
  freePerAddress: number
  /** Failures of one account, from whatever address. */
  freePerAccount: number
  /** Milliseconds that an attempt waits at most after failures of that account from that address. */
  longestDelay: number
  /** Milliseconds that an attempt waits at most for what other addresses did to the account. */
  longestDelayForOthers: number
  /** Passwords that are checked at a time, by deriving keys from them: each keeps a thread of the process busy. */
  derivations: number
}

export interface LimitsPolicy {
  kinds: Record<StreamKind, KindPolicy>
  /** Connections of HTTP, those that become WebSockets included. */
  http: AddressBounds
  /** Connections on which nobody has logged in, in all; 0 is no bound. */
  unauthenticated: number
  unauthenticatedPerAddress: number
  /** Addresses and networks that are not counted by address. */
  trusted: readonly string[]
  /** Milliseconds within which a connection must take some of what waits for it; 0: for ever. */
  unreadTime: number
  logins: LoginPolicy
  /** Whether streams are told of their limits (XEP-0478). */
  announce: boolean
}

export const CORE_LOGINS: Readonly<LoginPolicy> = {
  freePerAccountAndAddress: 3,
  freePerAddress: 30,
  freePerAccount: 50,
  longestDelay: 15_000,
  longestDelayForOthers: 3000,
  derivations: 2
}

const ANY: Readonly<KindPolicy> = { rates: UNLIMITED, perAddress: 0, perMinute: 0 }

/** What holds where no module says more: what keeps the process alive, and no rates. */
export const CORE_POLICY: Readonly<LimitsPolicy> = {
  kinds: { c2s: ANY, s2s: ANY, component: ANY, upstream: ANY },
  http: { perAddress: 0, perMinute: 0 },
  unauthenticated: 5000,
  unauthenticatedPerAddress: 0,
  trusted: ['127.0.0.0/8', '::1'],
  unreadTime: 120_000,
  logins: CORE_LOGINS,
  announce: true
}
