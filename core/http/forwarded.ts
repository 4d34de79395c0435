import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Networks } from '../streams/rates/source'

/** Whose word is taken for whom they speak for, and how they say it. */
export interface Proxies {
  trusted: Networks
  header: 'x-forwarded-for' | 'forwarded'
}

/**
 * The address of whoever made a request. What a proxy adds stands at the end of the header: from there, and as long as
 * it is a trusted proxy that speaks, the next one is believed. What stands before that anybody may have written.
 */
export function clientAddress(request: IncomingMessage, { trusted, header }: Proxies): string {
  let address = plain(request.socket.remoteAddress ?? '')
  const said = [request.headers[header] ?? ''].flat().join(',')
  const chain = header === 'forwarded' ? forwardedFor(said) : said.split(',').map(addressIn)
  while (trusted.has(address)) {
    const next = chain.pop()
    if (next === undefined || next === '') return address
    address = next
  }
  return address
}

/** RFC 7239 §4: the `for` of each element, '' for one that is no address. */
function forwardedFor(said: string): string[] {
  return elementsOf(said).map(element => {
    const written = /(?:^|;)\s*for\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]+))/i.exec(element)
    return addressIn(written?.[1] ?? written?.[2] ?? '')
  })
}

/**
 * Read from the end, where proxies have written: a quote that somebody else has left open must not swallow what they
 * say, nor cost more than to read it.
 */
function elementsOf(said: string): string[] {
  const elements: string[] = []
  let end = said.length
  let quoted = false
  for (let i = said.length - 1; i >= 0; i--) {
    if (said[i] === '"' && !isEscaped(said, i)) quoted = !quoted
    if (said[i] !== ',' || quoted) continue
    elements.push(said.slice(i + 1, end))
    end = i
  }
  return [...elements, said.slice(0, end)].reverse()
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; '' for anything else. */
function addressIn(text: string): string {
  const trimmed = text.trim()
  const inBrackets = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed)?.[1]
  const withPort = /^([\d.]+):\d+$/.exec(trimmed)?.[1]
  const address = plain(inBrackets ?? withPort ?? trimmed)
  return isIP(address) === 0 ? '' : address
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
