import { z } from 'zod'
import { InvalidJid, JID } from '../jid'

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
