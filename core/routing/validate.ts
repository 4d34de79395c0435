import { StanzaError } from '../errors'
import { isElement, type Element } from '../xml/element'

const IQ_TYPES = new Set(['get', 'set', 'result', 'error'])

/** The bounds of an id: long enough for everyone, short enough to be stored and echoed. */
const MAX_ID = 1024

/** What is wrong with a stanza whoever sent it, before anybody looks at it; undefined when nothing is. */
export function faultOf(stanza: Element): StanzaError | undefined {
  const id = stanza.attrs.id
  if (id !== undefined && id.length > MAX_ID)
    return new StanzaError('bad-request', `the id is longer than ${MAX_ID} characters`)
  return stanza.name === 'iq' ? iqFault(stanza) : undefined
}

/** RFC 6120 §8.2.3. */
function iqFault(stanza: Element): StanzaError | undefined {
  const { id, type } = stanza.attrs as { id?: string; type?: string }
  if (!id) return new StanzaError('bad-request', 'an iq needs an id')
  if (type === undefined || !IQ_TYPES.has(type)) {
    return new StanzaError('bad-request', 'the type of an iq is get, set, result or error')
  }
  let children = 0
  for (const child of stanza.children) if (isElement(child)) children++
  if ((type === 'get' || type === 'set') && children !== 1) {
    return new StanzaError('bad-request', `an iq ${type} has exactly one child element, not ${children}`)
  }
  if (type === 'result' && children > 1)
    return new StanzaError('bad-request', 'an iq result has at most one child element')
  return undefined
}
