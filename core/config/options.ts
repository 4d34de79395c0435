import { isIP } from 'node:net'
import { z } from 'zod'
import { InvalidJid, JID } from '../jid'
import { readNetwork } from '../streams/rates/source'
import { parsePlace, type Place } from '../net/place'

/** Options that the server's schema and those of modules share, with faults that say what is wrong. */

/** A TCP port; 0 takes a free one. */
export function portOption() {
  return z.int().min(0).max(65535)
}

/** One address to listen on. */
export function listenOption() {
  return z.object({
    address: z
      .union([z.ipv4(), z.ipv6(), z.literal('localhost')])
      .meta({ expected: 'an IP address' })
      .describe(
        'IP address to listen on: 127.0.0.1 and ::1 are this machine alone, :: is all its addresses, those of IPv4 too'
      ),
    port: portOption().describe('TCP port; 0 takes a free one')
  })
}

/** Another machine: `host:port`, with a standard port also `host`; IPv6 in brackets. It comes out as a Place. */
export function placeOption(standard?: number) {
  const example = standard === undefined ? 'example.org:5269' : `example.org or example.org:${standard}`
  return z
    .string()
    .meta({ expected: `a host such as ${example}` })
    .transform((text, context): Place => {
      const place = parsePlace(text, standard)
      if (place) return place
      context.addIssue({ code: 'custom', message: `expected ${example}`, input: text })
      return z.NEVER
    })
}

/** A DNS server's address, as Node takes it: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:53`. */
export function dnsServerOption() {
  return z
    .string()
    .meta({ expected: 'an IP address with or without a port' })
    .refine(text => {
      const place = parsePlace(text, 53)
      return place !== undefined && isIP(place.host) !== 0
    }, 'expected an IP address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53')
}

/** An IP address, or a network: `10.0.0.0/8`. */
export function networkOption() {
  return z
    .string()
    .meta({ expected: 'an IP address or a network like 10.0.0.0/8' })
    .refine(text => readNetwork(text) !== undefined, 'expected an IP address or a network like 10.0.0.0/8')
}

/** A file or folder. It comes out absolute; relative ones start from the folder of the config file. */
export function pathOption(rule: 'any' | 'exists' = 'any') {
  return z.string().min(1).meta({ path: rule, expected: 'a path' })
}

/** A password or the like; best written as `${NAME}`. Faults never show it. */
export function secretOption() {
  return z.string().meta({ secret: true })
}

/** A domain, which comes out prepared (RFC 7622 §3.2). */
export function domainOption() {
  return z
    .string()
    .meta({ expected: 'a domain' })
    .transform((text, context) => prepared(text, 'host', context))
}

/** An account's address without a resource, which comes out prepared (RFC 7622). */
export function accountOption() {
  return z
    .string()
    .meta({ expected: 'an address like admin@example.org' })
    .transform((text, context) => prepared(text, 'bare', context))
}

function prepared(text: string, kind: 'host' | 'bare', context: z.RefinementCtx): string {
  const wrong = jidProblem(text, kind)
  if (wrong === undefined) return JID.parse(text).full
  context.addIssue({ code: 'custom', message: wrong, input: text })
  return z.NEVER
}

/** What keeps a text from being a domain or an account's address; undefined where it is one. */
export function jidProblem(text: string, kind: 'host' | 'bare'): string | undefined {
  const example = kind === 'host' ? 'a domain like example.org' : 'an address like admin@example.org'
  try {
    return JID.parse(text).kind === kind
      ? undefined
      : `expected ${example}, got ${JSON.stringify(text.slice(0, 80))}`
  } catch (error) {
    if (error instanceof InvalidJid) return `expected ${example}: ${error.message}`
    throw error
  }
}
