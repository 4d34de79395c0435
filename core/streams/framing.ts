import { NS } from '../xml/namespaces'

/** What a stream header says (RFC 6120 §4.7). */
export interface HeaderAttrs {
  /** Of whoever receives the stream; the initiating entity gives none (RFC 6120 §4.7.3). */
  id?: string | undefined
  /** '' where there is no host to name (RFC 6120 §4.9.1.3). */
  from?: string | undefined
  to?: string | undefined
  /** Left out towards a peer older than XMPP 1.0 (RFC 6120 §4.7.5). */
  version?: string | undefined
}

/** How a stream of elements is written: as one XML document, or in frames. */
export interface Framing {
  /** The namespace of stanzas (RFC 6120 §4.8.2). */
  readonly contentNs: string
  header(attrs: HeaderAttrs): string
  readonly close: string
  /** An element in the namespace of streams: features, error. */
  streamElement(name: string, content: string): string
  /** A serialised element, for this kind of stream. */
  element(xml: string): string
}

/**
 * Streams over TCP, with stanzas in that namespace. RFC 6120 §4.2: the prefix is `stream`, for there are peers that
 * know no other (§4.8.5).
 *
 * @param declarations further namespaces in the header, each ` xmlns:prefix='…'`
 */
export function tcpFraming(contentNs: string, declarations = ''): Framing {
  const namespaces = ` xmlns='${contentNs}' xmlns:stream='${NS.STREAM}'${declarations}`
  return {
    contentNs,
    header: attrs => `<?xml version='1.0'?><stream:stream${namespaces}${attributes(attrs)}>`,
    close: '</stream:stream>',
    streamElement: (name, content) =>
      content === '' ? `<stream:${name}/>` : `<stream:${name}>${content}</stream:${name}>`,
    element: xml => xml
  }
}

export const TCP_FRAMING = tcpFraming(NS.CLIENT)

/** RFC 7395 §3.3: every frame is a document that declares its namespaces. */
export const WEBSOCKET_FRAMING: Framing = {
  contentNs: NS.CLIENT,
  header: attrs => `<open xmlns='${NS.FRAMING}'${attributes(attrs)}/>`,
  close: `<close xmlns='${NS.FRAMING}'/>`,
  streamElement: (name, content) =>
    `<stream:${name} xmlns:stream='${NS.STREAM}'` + (content === '' ? '/>' : `>${content}</stream:${name}>`),
  element: declareContentNs
}

function attributes({ id, from, to, version }: HeaderAttrs): string {
  return (
    attribute('id', id) +
    attribute('from', from) +
    attribute('to', to) +
    attribute('version', version) +
    " xml:lang='en'"
  )
}

function attribute(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}='${escape(value)}'`
}

function escape(value: string): string {
  return value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/'/g, '&apos;')
}

// A serialised element is in canonical form: without `xmlns` it is in the content namespace (see xml/element.ts).
const START_TAG = /^<([a-z]+)((?:[^>"']|"[^"]*"|'[^']*')*)>/

function declareContentNs(xml: string): string {
  const [, name = '', rest = ''] = START_TAG.exec(xml) ?? []
  // What a value says is no declaration
  if (/\sxmlns=/.test(rest.replace(/"[^"]*"|'[^']*'/g, ''))) return xml
  return `<${name} xmlns='${NS.CLIENT}'${xml.slice(1 + name.length)}`
}
