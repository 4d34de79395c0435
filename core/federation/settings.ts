import type { Place, Target } from '../net'
import type { PeerPolicy } from '../streams/s2s/settings'

/** Where a domain is, whatever DNS says. */
export interface Route extends Place {
  /** Whether the connection begins with TLS; `starttls` unless given. */
  tls?: Target['tls'] | undefined
}

/** What waits for one domain, from one host. */
export interface WaitingLimits {
  /** Stanzas. */
  count: number
  /** UTF-16 units of XML. */
  bytes: number
  /** Milliseconds that one of them waits. */
  time: number
}

/** What a module says of federation. Plain data; times are milliseconds. */
export interface FederationSettings extends PeerPolicy {
  /** What differs for single domains: by `example.org`, or `*.example.org` for all below it; the closest counts. */
  peers: Readonly<Record<string, Partial<PeerPolicy>>>
  /** By the same patterns. */
  routes: Readonly<Record<string, Route>>
  waiting: WaitingLimits
  /** Until a connection is there, over all addresses. */
  connectTimeout: number
  /** A stream over which nothing went for so long is closed; 0: never. */
  idle: number
  /** White space is sent where nothing else was for so long; 0: never. */
  keepalive: number
  /** How long another server may take to acknowledge. */
  ackTimeout: number
  /** Whether acknowledgements are offered and used (XEP-0198). */
  acks: boolean
  /** Whether one connection may serve both directions (XEP-0288). */
  bidi: boolean
}

export const DEFAULT_FEDERATION: Readonly<FederationSettings> = {
  tls: 'required',
  auth: 'dialback',
  peers: {},
  routes: {},
  waiting: { count: 10_000, bytes: 16 * 1024 * 1024, time: 120_000 },
  connectTimeout: 30_000,
  idle: 600_000,
  keepalive: 60_000,
  ackTimeout: 60_000,
  acks: true,
  bidi: true
}

/** What a table by domain says of one: by its name, else by the closest `*.` above it, else by `*`. */
export function byDomain<T>(table: Readonly<Record<string, T>>, domain: string): T | undefined {
  if (Object.hasOwn(table, domain)) return table[domain]
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
    const pattern = `*${domain.slice(dot)}`
    if (Object.hasOwn(table, pattern)) return table[pattern]
  }
  return Object.hasOwn(table, '*') ? table['*'] : undefined
}

/** What is demanded of a domain. */
export function policyFor({ tls, auth, peers }: FederationSettings, domain: string): PeerPolicy {
  const own = byDomain(peers, domain)
  return { tls: own?.tls ?? tls, auth: own?.auth ?? auth }
}
