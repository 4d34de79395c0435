import { StreamError } from '../errors'
import type { Element } from './element'
import type { XmlLimits } from './limits'
import { NS } from './namespaces'
import { StreamParser } from './parser'

/** What this server wrote itself is bounded already; deeper trees would exhaust the stack of their readers. */
const OWN: XmlLimits = Object.freeze({
  stanzaBytes: Infinity,
  depth: 1000,
  elements: Infinity,
  attributes: Infinity,
  nameBytes: Infinity,
  prefixes: Infinity
})

/**
 * The element in a text, e.g. a stored stanza: what `serialize` wrote comes back as it was.
 *
 * @param contentNs the namespace that it is in without saying so, as on a stream (RFC 6120 §4.8.2)
 * @throws StreamError where the text is not one whole element of XMPP's XML
 */
export function parseElement(xml: string, contentNs: string = NS.CLIENT): Element {
  let element: Element | undefined
  let whole = false
  const parser = new StreamParser({
    contentNs,
    limits: OWN,
    handlers: {
      onOpen: () => {},
      onStanza: stanza => {
        if (element) throw notOne()
        element = stanza
      },
      onClose: () => (whole = true),
      onError: error => {
        throw error
      }
    }
  })
  const stream = `<stream:stream xmlns='${contentNs}' xmlns:stream='${NS.STREAM}'>${xml}</stream:stream>`
  parser.write(Buffer.from(stream))
  if (!element || !whole) throw notOne()
  return element
}

function notOne(): StreamError {
  return new StreamError('not-well-formed', 'the text is not one whole element')
}
