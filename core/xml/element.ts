import { Element } from 'ltx'

/*
 * The elements of Balcony are ltx elements in one canonical form, made by the parser and by `el`:
 * - a name never has a prefix; `attrs.xmlns` is there exactly where the namespace differs from the parent's;
 * - a stanza (top-level element) without `xmlns` is in the content namespace of its stream (jabber:client,
 *   jabber:server, jabber:component:accept), so it needs no re-scoping on its way (RFC 6120 §4.8.3);
 * - a prefixed attribute other than xml:* has its declaration on the same element.
 * Nothing that was received or sent is changed afterwards: who needs another `to` builds another element.
 */
export { Element }

/** What an element may contain. */
export type Child = Element | string
/** What `el` takes as a child: `undefined`, `null` and `false` are left out. */
export type Content = Child | number | undefined | null | false | Content[]
export type Attrs = Record<string, string | number | undefined>

/**
 * The attributes of an element: a plain map without Object's own properties, so that `constructor` and
 * `__proto__` are names like any other. ltx asks such a map for `hasOwnProperty`.
 */
export type Attributes = Record<string, string>
export const Attributes = function Attributes() {} as unknown as new () => Attributes
Attributes.prototype = Object.create(null, {
  hasOwnProperty: { value: Object.prototype.hasOwnProperty, writable: true }
})

/** An element with these very attributes. */
export function make(name: string, attrs: Attributes, parent: Element | null): Element {
  const element = new Element(name)
  element.attrs = attrs
  element.parent = parent
  return element
}

/** Builds an element; attributes that are `undefined` are left out. */
export function el(name: string, attrs?: Attrs | string | null, ...content: Content[]): Element {
  const own = new Attributes()
  if (typeof attrs === 'string') own.xmlns = attrs
  else if (attrs) for (const key in attrs) if (attrs[key] !== undefined) own[key] = String(attrs[key])
  const element = make(name, own, null)
  add(element, content)
  return element
}

function add(element: Element, content: Content[]): void {
  for (const child of content) {
    if (child === undefined || child === null || child === false || child === '') continue
    if (Array.isArray(child)) add(element, child)
    else if (typeof child === 'object') append(element, child)
    else element.children.push(String(child))
  }
}

/** Appends without taking over the `parent` of an element that is shared between stanzas. */
function append(element: Element, child: Element): void {
  element.children.push(child)
  if (child.parent === null) child.parent = element
}

export function isElement(child: unknown): child is Element {
  return typeof child === 'object' && child !== null && 'attrs' in child
}

/** The element's namespace, looked up at its ancestors; `undefined` means the stream's content namespace. */
export function nsOf(element: Element): string | undefined {
  for (let e: Element | null = element; e; e = e.parent) if (e.attrs.xmlns !== undefined) return e.attrs.xmlns
  return undefined
}

/** The first child element of that name; with `ns`, in that namespace (inherited or declared). */
export function childOf(element: Element, name: string, ns?: string): Element | undefined {
  for (const child of element.children) {
    if (typeof child === 'string' || child.name !== name) continue
    if (ns === undefined || (child.attrs.xmlns ?? nsOf(element)) === ns) return child
  }
  return undefined
}

/** All child elements, or those of that name and namespace. */
export function childrenOf(element: Element, name?: string, ns?: string): Element[] {
  const found: Element[] = []
  for (const child of element.children) {
    if (typeof child === 'string') continue
    if (name !== undefined && child.name !== name) continue
    if (ns === undefined || (child.attrs.xmlns ?? nsOf(element)) === ns) found.push(child)
  }
  return found
}

/** The first child element, whatever its name. */
export function firstChild(element: Element): Element | undefined {
  for (const child of element.children) if (typeof child !== 'string') return child
  return undefined
}

/** The text of the element itself, without that of its child elements. */
export function textOf(element: Element): string {
  let text = ''
  for (const child of element.children) if (typeof child === 'string') text += child
  return text
}

/** The text of the first child of that name, `undefined` where there is none. */
export function childText(element: Element, name: string, ns?: string): string | undefined {
  const child = childOf(element, name, ns)
  return child && textOf(child)
}

/** A stanza with the same children and other attributes; an attribute set to `undefined` is dropped. */
export function readdress(stanza: Element, attrs: Attrs): Element {
  const own = new Attributes()
  for (const key in stanza.attrs) {
    const value = Object.hasOwn(attrs, key) ? attrs[key] : stanza.attrs[key]
    if (value !== undefined) own[key] = String(value)
  }
  for (const key in attrs) if (attrs[key] !== undefined) own[key] = String(attrs[key])
  const copy = make(stanza.name, own, null)
  for (const child of stanza.children as Child[]) {
    if (typeof child === 'string') copy.children.push(child)
    else append(copy, child)
  }
  return copy
}

/** A deep copy that stands alone: its namespace is declared on it. */
export function detached(element: Element): Element {
  const copy = deepCopy(element)
  const ns = nsOf(element)
  if (ns !== undefined) copy.attrs.xmlns = ns
  return copy
}

function deepCopy(element: Element): Element {
  const copy = make(element.name, Object.assign(new Attributes(), element.attrs), null)
  for (const child of element.children as Child[]) {
    if (typeof child === 'string') copy.children.push(child)
    else append(copy, deepCopy(child))
  }
  return copy
}
