import type { StanzaError } from '../errors'
import type { ServerPort } from '../streams/s2s/listeners'
import type { Element } from '../xml/element'
import type { FederationSettings } from './settings'

/** A stream between this server and another one. */
export interface FederationStream {
  /** Of this process, for `close`. */
  readonly key: number
  readonly direction: 'in' | 'out'
  /** Where the peer is. */
  readonly remoteAddress: string
  readonly tls: boolean
  /** How it was authenticated; '' where that is not done. */
  readonly auth: 'external' | 'dialback' | ''
  /** Both sides send on it (XEP-0288). */
  readonly bidi: boolean
  /** Stanzas are acknowledged (XEP-0198). */
  readonly acks: boolean
  /** Milliseconds since the epoch. */
  readonly since: number
  /** The pairs of domains that use it. */
  readonly pairs: ReadonlyArray<{ local: string; remote: string; sends: boolean; receives: boolean }>
  /** Stanzas that were sent and not acknowledged. */
  readonly unacknowledged: number
}

/** What waits for another server. */
export interface FederationQueue {
  readonly local: string
  readonly remote: string
  /** Stanzas that were not sent, or may not have arrived. */
  readonly stanzas: number
  /** Their XML, in UTF-16 units. */
  readonly bytes: number
  readonly connected: boolean
  /** Why there is no stream, if the last attempt has failed. */
  readonly problem?: string
}

/** Federation, as modules see it. Sockets, streams and queues are core's and outlive the module that asks for them. */
export interface FederationApi {
  /**
   * Takes other servers at these addresses, sends to them, and keeps to these settings from now on. Streams stay in
   * any case. Throws CodedError `ERR_LISTEN`; then nothing has changed.
   */
  configure(
    owner: string,
    ports: readonly ServerPort[],
    settings: Partial<FederationSettings>
  ): Promise<ServerPort[]>
  /** Federates no longer: closes ports and streams; what waits is answered with errors. */
  withdraw(owner: string): Promise<void>
  streams(): FederationStream[]
  queues(): FederationQueue[]
  /**
   * Looks at what a host has waiting for other servers: what may not leave any more is answered with that error, or
   * dropped. What was sent is not taken back.
   */
  sift(host: string, verdict: (stanza: Element) => StanzaError | 'drop' | undefined): void
  /** Ends a stream by its key, or all streams with a domain. What waits is sent over new ones. Returns how many. */
  close(which: number | string): number
}
