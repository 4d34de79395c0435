import { SaxesParser } from 'saxes'
import type { SaxesTagNS } from 'saxes'
import { el } from '../../core/xml/element'
import type { Attrs, Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'

export interface ReaderEvents {
  /** The stream's opening tag; `xmlns` is its content namespace. */
  header(attrs: Record<string, string>): void
  stanza(stanza: Element): void
  /** The stream's closing tag. */
  end(): void
}

/**
 * Reads an XMPP stream with saxes, a strict parser that is not the server's own: what the server writes must be
 * well-formed for a stranger too. Throws at the first fault. Elements come in the canonical form of
 * core/xml/element.ts.
 */
export class StreamReader {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  readonly #parser = new SaxesParser({ xmlns: true })
  readonly #open: { element: Element; ns: string }[] = []
  #contentNs = ''

  constructor(readonly events: ReaderEvents) {
    this.#parser.on('error', error => {
      throw new Error(`the server sent broken XML: ${error.message}`)
    })
    this.#parser.on('opentag', tag => this.#start(tag))
    this.#parser.on('closetag', () => this.#finish())
    this.#parser.on('text', text => this.#text(text))
    this.#parser.on('cdata', text => this.#text(text))
    for (const forbidden of ['comment', 'doctype', 'processinginstruction'] as const)
      this.#parser.on(forbidden, () => {
        throw new Error(`the server sent a ${forbidden}, which XMPP forbids (RFC 6120 §11.1)`)
      })
  }

  write(bytes: Uint8Array): void {
    this.#parser.write(this.#decoder.decode(bytes, { stream: true }))
  }

  #start(tag: SaxesTagNS): void {
    const parent = this.#open.at(-1)
    const attrs = attributesOf(tag)
    if (!parent) {
      this.#contentNs = tag.ns[''] ?? ''
      this.#open.push({ element: el(tag.local, attrs), ns: this.#contentNs })
      this.events.header({ ...(attrs as Record<string, string>), xmlns: this.#contentNs })
      return
    }
    const inherited = this.#open.length === 1 ? this.#contentNs : parent.ns
    if (tag.uri !== inherited) attrs.xmlns = tag.uri
    this.#open.push({ element: el(tag.local, attrs), ns: tag.uri })
  }

  #finish(): void {
    const closed = this.#open.pop()
    const parent = this.#open.at(-1)
    if (!closed || !parent) {
      this.events.end()
      return
    }
    if (this.#open.length === 1) {
      this.events.stanza(closed.element)
      return
    }
    parent.element.children.push(closed.element)
    closed.element.parent = parent.element
  }

  #text(text: string): void {
    const parent = this.#open.at(-1)
    if (!parent) return
    if (this.#open.length > 1) parent.element.children.push(text)
    // RFC 6120 §4.6.1: between stanzas only whitespace keeps a stream alive.
    else if (text.trim() !== '')
      throw new Error(`the server sent text between stanzas: ${JSON.stringify(text)}`)
  }
}

function attributesOf(tag: SaxesTagNS): Attrs {
  const attrs: Attrs = {}
  for (const [name, { prefix, uri, value }] of Object.entries(tag.attributes)) {
    if (name === 'xmlns' || prefix === 'xmlns') continue
    attrs[name] = value
    if (prefix !== '' && prefix !== 'xml') attrs[`xmlns:${prefix}`] = uri
  }
  return attrs
}

/** What the examples of the specs take for granted; `t` marks what is said to the matcher (test/lib/pattern.ts). */
const WELL_KNOWN = `xmlns:stream='${NS.STREAM}' xmlns:t='urn:balcony:test'`

/**
 * Reads stanzas as they stand in an example: without a stream around them, `stream:` and `t:` declared, in the
 * given content namespace.
 */
export function parseStanzas(xml: string, contentNs: string = NS.CLIENT): Element[] {
  const stanzas: Element[] = []
  const reader = new StreamReader({
    header: () => undefined,
    stanza: stanza => stanzas.push(stanza),
    end: () => undefined
  })
  try {
    reader.write(Buffer.from(`<stream xmlns='${contentNs}' ${WELL_KNOWN}>${xml}</stream>`))
  } catch (error) {
    throw new Error(`not well-formed: ${xml}`, { cause: error })
  }
  return stanzas
}

/** Reads one stanza as it stands in an example. */
export function parseStanza(xml: string, contentNs: string = NS.CLIENT): Element {
  const [stanza, second] = parseStanzas(xml, contentNs)
  if (!stanza || second) throw new Error(`one element is expected here: ${xml}`)
  return stanza
}
