import type { StreamError } from '../../core/errors'
import type { Child, Element } from '../../core/xml/element'
import type { XmlLimits } from '../../core/xml/limits'
import { StreamParser } from '../../core/xml/parser'
import { addText, CONTENT_NS, XML_NS, type Mode, type Outcome, type Tree } from './tree'

const LIMITS: XmlLimits = {
  stanzaBytes: 1e6,
  depth: 1000,
  elements: 1e6,
  attributes: 1000,
  nameBytes: 1000,
  prefixes: 1000
}

export interface OurOutcome extends Outcome {
  /** Everything that was told, in order. */
  events: string[]
  elements: Element[]
  error?: StreamError
}

/** What our parser makes of a document that comes in these pieces. */
export function subject(pieces: readonly Buffer[], mode: Mode): OurOutcome {
  const outcome: OurOutcome = {
    accepted: false,
    reason: 'the end did not come',
    trees: [],
    events: [],
    elements: []
  }
  let closed = false
  const take = (element: Element, event: string): void => {
    outcome.elements.push(element)
    outcome.events.push(event)
  }
  const parser = new StreamParser({
    mode,
    contentNs: CONTENT_NS,
    limits: LIMITS,
    handlers: {
      onOpen: header => take(header.element, `open ${header.prefix} ${header.defaultNs}`),
      onStanza: (stanza, bytes) => take(stanza, `stanza of ${bytes} bytes`),
      onClose: close => {
        closed = true
        if (close) take(close, 'close')
      },
      onError: error => (outcome.error = error)
    }
  })
  for (const piece of pieces) parser.write(piece)
  if (outcome.error) outcome.reason = outcome.error.message
  else
    outcome.accepted =
      (mode === 'stream' ? closed : outcome.elements.length === 1) && parser.stop().length === 0
  outcome.trees = outcome.elements.map(element => toTree(element, CONTENT_NS))
  return outcome
}

/** Throws where the element is not in canonical form. */
export function toTree(element: Element, outer: string): Tree {
  const { xmlns } = element.attrs
  if (element.name.includes(':')) throw new Error(`a prefix was left: ${element.name}`)
  if (xmlns === outer) throw new Error(`${element.name} declares the namespace it has anyway`)
  const ns = xmlns ?? outer
  const attributes = new Map<string, string>()
  for (const [name, value] of Object.entries(element.attrs)) {
    const [prefix, local] = name.includes(':') ? (name.split(':') as [string, string]) : ['', name]
    if (name === 'xmlns') continue
    if (prefix === 'xmlns') {
      if (!Object.keys(element.attrs).some(other => other.startsWith(`${local}:`)))
        throw new Error(`${name} is not needed`)
    } else if (prefix === '') attributes.set(local, value)
    else {
      const uri = prefix === 'xml' ? XML_NS : element.attrs[`xmlns:${prefix}`]
      if (uri === undefined) throw new Error(`the prefix of ${name} is not declared beside it`)
      attributes.set(`{${uri}}${local}`, value)
    }
  }
  const children: (Tree | string)[] = []
  for (const child of element.children as Child[]) {
    if (typeof child !== 'string' && child.parent !== element)
      throw new Error(`the parent of ${child.name} is another`)
    if (typeof child === 'string' && (child === '' || typeof children.at(-1) === 'string'))
      throw new Error('text in pieces')
    if (typeof child === 'string') addText(children, child)
    else children.push(toTree(child, ns))
  }
  return { name: `{${ns}}${element.name}`, attributes, children }
}
