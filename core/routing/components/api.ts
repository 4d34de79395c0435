import type { StanzaError } from '../../errors'
import type { Host } from '../../hosts/host'
import type { Element } from '../../xml/element'
import type { StanzaEvent } from '../event'
import type { WaitingLimits } from './waiting'

/** An address and port. */
export interface ComponentPort {
  address: string
  /** 0 takes a free one. */
  port: number
}

/** How a foreign component may attach as a host of this server; times are milliseconds. */
export interface AcceptOptions {
  /** Shared with the component. */
  secret: string
  /** Where it may connect. Hosts may share addresses. */
  listen: readonly ComponentPort[]
  /** What waits while it is away. */
  waiting: WaitingLimits
  /** A sign of life is sent where nothing else was for so long; 0: never. */
  keepalive: number
  /** A component that sent nothing for so long is asked whether it is there; 0: never. */
  silence: number
  /** How long it may take to answer that, also when another one wants its place. */
  silenceAnswer: number
}

/** How a host of this server attaches to another one as its component; times are milliseconds. */
export interface AttachOptions {
  /** A name or an address. */
  server: string
  port: number
  /** Shared with the server. */
  secret: string
  /** Each gets a connection of its own; the host's own name first. */
  domains: readonly string[]
  waiting: WaitingLimits
  /** Between two attempts to connect, at most. */
  retry: number
  keepalive: number
  /** A server that sent nothing for so long is asked whether it is there; 0: never. */
  silence: number
  silenceAnswer: number
}

/** One connection, or the place of one. */
export interface ComponentStatus {
  /** The host of this server. */
  host: string
  /** The component's name on the stream. */
  domain: string
  /** `accepted`: a foreign component of ours; `upstream`: we are a component of another server. */
  direction: 'accepted' | 'upstream'
  connected: boolean
  /** The other end: where it is connected from, or where we connect to. */
  peer: string | undefined
  /** Milliseconds since the epoch: of the connection, or since when there is none. */
  since: number
  /** Why there is none, where that is known. */
  problem: string | undefined
  /** Stanzas that wait for it. */
  waiting: number
}

/**
 * External components (XEP-0114) in both directions. Sockets, streams and what waits for them are core's and outlive
 * the modules that ask for them: asking again with the same options changes nothing.
 */
export interface ComponentsApi {
  /**
   * From now on a foreign component may attach as that host, and all stanzas for the host are its. One that is
   * connected stays, unless its secret has changed. Throws CodedError `ERR_LISTEN`; then nothing has changed.
   */
  accept(host: Host, options: AcceptOptions): Promise<ComponentPort[]>
  /** Ends that: the component's stream ends, and the host is served by its own modules. */
  release(host: Host): Promise<void>
  /** Attaches a host to another server, or changes how; connections that can stay do so. */
  attach(host: Host, options: AttachOptions): void
  /** Ends that: what waits is answered with errors. */
  detach(host: Host): void
  /** Takes a stanza of an attached host's domains to the server there; false: its domain is not attached. */
  send(event: StanzaEvent): boolean
  /**
   * Looks at what comes of a host's domains and waits for a component, or for the server that the host is attached to:
   * what may not leave any more is answered with that error, or dropped.
   */
  sift(host: string, verdict: (stanza: Element) => StanzaError | 'drop' | undefined): void
  /** All of them, or those of a host. */
  list(host?: Host): ComponentStatus[]
}
