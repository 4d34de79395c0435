import { StreamError } from '../errors'
import type { Element } from './element'
import { DEFAULT_LIMITS } from './limits'
import { NS } from './namespaces'
import { StreamParser } from './parser'

/** What is parsed here was within the limits when it came; it has grown by what the server added. */
const LIMITS = { ...DEFAULT_LIMITS, stanzaBytes: 16 * 1024 * 1024 }

const HEADER = Buffer.from(`<stream:stream xmlns='${NS.CLIENT}' xmlns:stream='${NS.STREAM}'>`)

/** The element that a string of XML holds, in canonical form. Throws a StreamError where it is none. */
export function parseElement(xml: string): Element {
  let found: Element | undefined
  let fault: StreamError | undefined
  const parser = new StreamParser({
    contentNs: NS.CLIENT,
    limits: LIMITS,
    handlers: {
      onOpen: () => undefined,
      onStanza: element => void (found = element),
      onClose: () => undefined,
      onError: error => void (fault = error)
    }
  })
  parser.write(HEADER)
  parser.write(Buffer.from(xml))
  if (fault) throw fault
  if (!found) throw new StreamError('not-well-formed', 'the XML ends in the middle of an element')
  return found
}
