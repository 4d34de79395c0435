import { domainToASCII } from 'node:url'
import { z } from '#core'
import type { Config } from './index'

const DOMAIN = '{host}'

/** A `wss:` URL, in which `{host}` may stand for the domain that is asked about. */
export function urlOption() {
  const sample = 'wss://chat.example.org/xmpp-websocket'
  return z
    .string()
    .meta({ expected: 'a URL' })
    .refine(text => text.startsWith('wss://') && URL.canParse(text.replaceAll(DOMAIN, 'example.org')), {
      // XEP-0156 §2.2
      error: ({ input }) => `expected a URL like ${sample}, got ${JSON.stringify(String(input).slice(0, 80))}`
    })
}

/**
 * Where clients with accounts on a domain connect, over TLS (XEP-0156 §2.2): what the config says, else a port that
 * speaks TLS here, else, where a proxy is said to be in front, port 443 of the domain. Undefined where nobody knows.
 */
export function address(
  { url, path, secure }: Pick<Config, 'url' | 'path' | 'secure'>,
  ports: readonly { port: number; tls: boolean }[],
  domain: string
): string | undefined {
  const host = domainToASCII(domain)
  if (url !== undefined) return url.replaceAll(DOMAIN, host)
  const own = ports.filter(({ tls }) => tls).map(({ port }) => port)
  if (own.length > 0) return own.includes(443) ? `wss://${host}${path}` : `wss://${host}:${own[0]}${path}`
  return secure === 'assume' ? `wss://${host}${path}` : undefined
}
