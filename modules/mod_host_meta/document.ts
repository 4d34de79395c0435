import { el, serialize } from '#core'

/** Media types (RFC 6415 §2, appendix A). */
export const XRD = 'application/xrd+xml; charset=utf-8'
export const JRD = 'application/json'

/** One link of the document. */
export interface Link {
  rel: string
  href: string
}

/** RFC 6415 §3.1. */
export function xrd(links: readonly Link[]): string {
  const document = el(
    'XRD',
    'http://docs.oasis-open.org/ns/xri/xrd-1.0',
    links.map(link => el('Link', { ...link }))
  )
  return `<?xml version='1.0' encoding='utf-8'?>\n${serialize(document)}\n`
}

/** RFC 6415 appendix A. */
export function jrd(links: readonly Link[]): string {
  return `${JSON.stringify({ links }, undefined, 2)}\n`
}

/**
 * RFC 6415 §3: XRD for whoever names no type, or that one. Only who asks for JSON and would not take XML as well
 * gets JSON from the path of XRD.
 */
export function prefersJson(request: Request): boolean {
  const accepted = (request.headers.get('accept') ?? '')
    .toLowerCase()
    .split(',')
    .map(one => one.replace(/;.*$/s, '').trim())
  if (!accepted.includes('application/json')) return false
  return !accepted.some(type => ['application/xrd+xml', 'application/xml', 'text/xml', '*/*'].includes(type))
}
