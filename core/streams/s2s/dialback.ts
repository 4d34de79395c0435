import { StanzaError, type StanzaCondition } from '../../errors'
import { JID } from '../../jid'
import { textOf, type Element } from '../../xml/element'
import { serialize } from '../../xml/serialize'
import { escapeAttribute, escapeText } from '../../xml/escape'
import { DIALBACK } from './names'

/** A dialback element, as it was read (XEP-0220 §2). Domains are prepared. */
export interface DialbackElement {
  name: 'result' | 'verify'
  from: string
  to: string
  /** Of the stream that a `verify` is about, '' for none. */
  id: string
  /** Of an answer; '' for a request. */
  type: string
  /** Of a request. */
  key: string
  /** Of an answer with the type `error`. */
  error: StanzaError | undefined
  /** `from` and `to` as they were written, for the answer. */
  written: { from: string; to: string }
}

export type DialbackAttrs = Readonly<Record<string, string | undefined>>

/** Keys of other servers are hexadecimal digests too, but not longer than this. */
const MAX_KEY = 512
/** The longest id of a stream that is carried to its server. */
const MAX_ID = 256

/** Whether an element belongs to dialback. */
export function isDialback({ name, attrs }: Element): boolean {
  return attrs.xmlns === DIALBACK && (name === 'result' || name === 'verify')
}

/** Reads a dialback element; undefined for one without proper addresses, or with a key or id beyond all measure. */
export function readDialback(element: Element): DialbackElement | undefined {
  const { from = '', to = '', id = '', type = '' } = element.attrs as Record<string, string | undefined>
  const sender = domainOf(from)
  const target = domainOf(to)
  const key = textOf(element).trim()
  if (sender === '' || target === '' || key.length > MAX_KEY || id.length > MAX_ID) return undefined
  const error = type === 'error' ? StanzaError.from(element) : undefined
  const name = element.name as DialbackElement['name'] // `isDialback` has said so
  return { name, from: sender, to: target, id, type, key, error, written: { from, to } }
}

/** A domain, prepared; '' for what is none. */
export function domainOf(text: string | undefined): string {
  const jid = JID.tryParse(text)
  return jid?.kind === 'host' ? jid.domain : ''
}

/** A dialback element, written with the prefix that the header declares (XEP-0220 §2). */
export function dialbackXml(name: DialbackElement['name'], attrs: DialbackAttrs, content = ''): string {
  let xml = `<db:${name}`
  for (const [key, value] of Object.entries(attrs))
    if (value !== undefined) xml += ` ${key}='${escapeAttribute(value)}'`
  return content === '' ? `${xml}/>` : `${xml}>${content}</db:${name}>`
}

/** A key as the content of a dialback element. */
export function keyXml(key: string): string {
  return escapeText(key)
}

/** An error as the content of a dialback element (XEP-0220 §2.5). */
export function errorXml(condition: StanzaCondition, text?: string): string {
  return serialize(new StanzaError(condition, { type: 'cancel', ...(text ? { text } : {}) }).toElement())
}
