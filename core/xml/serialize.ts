import { Attributes, Element, nsOf, type Child } from './element'
import { escapeAttribute, escapeText } from './escape'

/**
 * The element as it goes over the wire. Names are taken as they are; text and attribute values are escaped,
 * and what is no character of XML becomes U+FFFD. An attribute that is null or undefined is left out.
 */
export function serialize(element: Element): string {
  return (element as MaybeFrozen)[XML] ?? write(element)
}

/** The same with its namespace declared, for a message that stands alone (RFC 7395 §3.3.3). */
export function serializeAs(element: Element, contentNs: string): string {
  const xml = serialize(element)
  if (element.attrs.xmlns !== undefined) return xml
  const named = element.name.length + 1
  return `${xml.slice(0, named)} xmlns="${escapeAttribute(contentNs)}"${xml.slice(named)}`
}

/**
 * The same element for use in many stanzas: it is serialised once, when it is first sent. It has no parent,
 * whatever it is put into; a namespace that it inherited is declared on it. What it holds cannot be changed any
 * more, in the given element neither.
 */
export function frozen(element: Element): Element {
  return XML in element ? element : new FrozenElement(element)
}

/** Where an element keeps its own XML, if it knows it. */
export const XML = Symbol('xml')

interface MaybeFrozen {
  readonly [XML]?: string
}

class FrozenElement extends Element {
  #xml: string | undefined

  constructor(element: Element) {
    super(element.name)
    this.attrs = Object.assign(new Attributes(), element.attrs)
    const ns = nsOf(element)
    if (ns !== undefined) this.attrs.xmlns = ns
    this.children = element.children
    freeze(this)
  }

  get [XML](): string {
    return (this.#xml ??= flat(write(this)))
  }

  /** For ltx's `toString`. */
  override write(writer: (xml: string) => void): void {
    writer(this[XML])
  }
}

// Whoever is put into an element is given a parent; here it would keep the first of many stanzas in memory.
Object.defineProperty(FrozenElement.prototype, 'parent', { get: () => null, set: () => {} })

function freeze(element: Element): void {
  Object.freeze(element.attrs)
  Object.freeze(element.children)
  for (const child of element.children) if (typeof child === 'object' && !(XML in child)) freeze(child)
}

/** A string in one piece: one that was put together of many is walked through again at each use. */
function flat(xml: string): string {
  return Buffer.from(xml).toString()
}

function write(element: Element): string {
  const attrs = element.attrs as Readonly<Record<string, string | number | null | undefined>>
  let xml = '<' + element.name
  for (const key in attrs) {
    const value = attrs[key]
    if (value !== undefined && value !== null) xml += ' ' + key + '="' + escapeAttribute(String(value)) + '"'
  }
  const children = element.children as readonly (Child | number | null | undefined)[]
  if (children.length === 0) return xml + '/>'
  xml += '>'
  for (const child of children) {
    if (typeof child === 'string') xml += escapeText(child)
    else if (typeof child === 'object') xml += child === null ? '' : serialize(child)
    else if (child !== undefined) xml += escapeText(String(child))
  }
  return xml + '</' + element.name + '>'
}
