import { isIP, isIPv6 } from 'node:net'
import { asciiDomain } from '../precis'

/** Where to connect to: a name or an address, without brackets. */
export interface Place {
  host: string
  port: number
}

/** What a name leads to. */
export interface Address {
  address: string
  family: 4 | 6
}

/** RFC 1035 §2.3.4 */
const MAX_NAME = 253

/**
 * Reads `host:port`, `192.0.2.1:port`, `[2001:db8::1]:port`; with a `standard` port also without `:port`. Undefined
 * where it is none of these.
 */
export function parsePlace(text: string, standard?: number): Place | undefined {
  if (isIPv6(text)) return standard === undefined ? undefined : { host: text, port: standard }
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  if (!parts) return undefined
  const [, bracketed, plain, digits] = parts
  const port = digits === undefined ? standard : Number(digits)
  if (port === undefined || port < 1 || port > 65535) return undefined
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined
  const host = plain as string // one of the two has matched
  return isIP(host) !== 0 || dnsName(host) !== undefined ? { host, port } : undefined
}

/** As `parsePlace` reads it. */
export function formatPlace({ host, port }: Place): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** A name as DNS asks for it: A-labels, no dot at the end. Undefined for what is no name. */
export function dnsName(name: string): string | undefined {
  const bare = name.replace(/\.$/, '')
  if (bare === '' || bare.length > MAX_NAME) return undefined
  const ascii = asciiDomain(bare.toLowerCase().normalize('NFC'))
  if (ascii.length > MAX_NAME) return undefined
  return ascii.split('.').every(label => /^[\w-]{1,63}$/.test(label)) ? ascii : undefined
}

/** The address in a domain that is one (RFC 7622 §3.2: `192.0.2.1`, `[2001:db8::1]`); undefined for names. */
export function literalAddress(domain: string): string | undefined {
  if (isIP(domain) === 4) return domain
  const inner = /^\[(.+)\]$/.exec(domain)?.[1]
  return inner !== undefined && isIPv6(inner) ? inner : undefined
}
