import { StreamError } from '../errors'
import * as B from './bytes'
import { ascii, attributeValue, characterData, sectionData, utf8 } from './decode'
import { Attributes, make, type Child, type Element } from './element'
import { limitExceeded, stanzaTooBig, type XmlLimits } from './limits'
import { DEFAULT_NS, PREFIX_NS, PREFIXED, readName, readNamespace, type Name } from './names'
import { endOf, found, nameEnd, spaceEnd } from './scan'
import { checkDefault, declare, resolve, type Scope } from './scope'

/** What a read method answers where the bytes end before the token does; nothing has changed then. */
export const INCOMPLETE = -1

/** What was around an element that has a prefix, or changes the namespaces of what is in it. */
interface Frame {
  readonly depth: number
  readonly raw: string
  readonly ns: string | undefined
  readonly defaultNs: string
  readonly scope: Scope | undefined
  readonly outer: Frame | undefined
}

/**
 * Makes elements in canonical form out of tokens. Each read method takes the token that starts at `at`, and
 * answers where it ends. All throw a StreamError for what must not be.
 */
export class TreeBuilder {
  /** How many elements are open. */
  depth = 0
  /** The innermost open element; at depth 0 the stanza whose end tag has just been read. */
  current: Element | undefined
  /** Where the stanza began, as an index into the bytes at hand; negative where those are gone. */
  start = 0
  /** Whether the last start tag was an end tag too: then `close` is due. */
  empty = false
  /** The namespace of the innermost open element. */
  ns: string | undefined
  /** The default namespace that is declared, '' where none is. */
  defaultNs = ''
  scope: Scope | undefined
  #frame: Frame | undefined
  #elements = 0
  // Of the start tag that is being read:
  #declared: string | undefined
  #prefixed: Name[] | undefined
  #inner: Scope | undefined

  constructor(public limits: XmlLimits) {}

  /** Starts outside of everything, with what surrounds the next element. */
  reset(ns: string | undefined, defaultNs = '', scope?: Scope): void {
    this.depth = 0
    this.current = undefined
    this.#frame = undefined
    this.ns = ns
    this.defaultNs = defaultNs
    this.scope = scope
  }

  /** The name of the innermost open element as it was sent, with its prefix. */
  get openName(): string {
    const frame = this.#frame
    if (frame !== undefined && frame.depth === this.depth) return frame.raw
    return this.current === undefined ? '' : this.current.name
  }

  /** Opens an element: `<`, name, attributes, `>` or `/>`. */
  readStart(bytes: Buffer, at: number, end: number): number {
    if (this.depth === 0) {
      this.start = at
      this.#elements = 0
    } else if (at - this.start > this.limits.stanzaBytes) throw stanzaTooBig(this.limits)

    let i = nameEnd(bytes, at + 1, end)
    if (i === end) return INCOMPLETE
    const name = this.#name(bytes, at + 1, i, found.hash)
    const attrs = new Attributes()
    this.#declared = undefined
    this.#prefixed = undefined
    this.#inner = this.scope
    for (let count = 0; ; count++) {
      const gap = i
      i = spaceEnd(bytes, i, end)
      if (i === end) return INCOMPLETE
      if (bytes[i] === B.GT || bytes[i] === B.SLASH) break
      if (i === gap) throw malformed('a tag holds what is no attribute')
      if (count === this.limits.attributes) throw limitExceeded('an element has too many attributes')
      i = this.#attribute(bytes, i, end, attrs, name)
      if (i === INCOMPLETE) return INCOMPLETE
    }
    const empty = bytes[i] === B.SLASH
    if (empty) {
      if (++i === end) return INCOMPLETE
      if (bytes[i] !== B.GT) throw malformed('a "/" stands in a tag')
    }
    this.empty = empty
    this.#open(name, attrs)
    return i + 1
  }

  /** One attribute, into `attrs` or what is declared. */
  #attribute(bytes: Buffer, at: number, end: number, attrs: Attributes, element: Name): number {
    let i = nameEnd(bytes, at, end)
    if (i === end) return INCOMPLETE
    const name = this.#name(bytes, at, i, found.hash)
    i = spaceEnd(bytes, i, end)
    if (i === end) return INCOMPLETE
    if (bytes[i] !== B.EQUALS) throw malformed('an attribute has no value')
    i = spaceEnd(bytes, i + 1, end)
    if (i === end) return INCOMPLETE
    const quote = bytes[i] as number
    if (quote !== B.DOUBLE_QUOTE && quote !== B.SINGLE_QUOTE)
      throw malformed('an attribute value is not quoted')
    const valueAt = i + 1
    i = endOf(quote, bytes, valueAt, end)
    if (i === end) return INCOMPLETE
    const { classes } = found
    let value: string
    if ((classes & B.HIGH) !== 0) value = utf8(bytes, valueAt, i)
    else if (name.kind === DEFAULT_NS) value = readNamespace(bytes, valueAt, i)
    else value = ascii(bytes, valueAt, i)
    if ((classes & B.MARKED_VALUE) !== 0) value = attributeValue(value)

    if (name.kind === DEFAULT_NS) {
      if (this.#declared !== undefined) throw duplicate(name)
      checkDefault(value)
      this.#declared = value
      if (element.prefix === '' && value !== this.ns) attrs.xmlns = value
    } else if (name.kind === PREFIX_NS) {
      this.#inner = declare(this.#inner, this.scope, name.local, value)
      if (this.#inner.size > this.limits.prefixes)
        throw limitExceeded('too many namespace prefixes are in scope')
    } else {
      if (typeof attrs[name.raw] === 'string') throw duplicate(name)
      attrs[name.raw] = value
      if (name.kind === PREFIXED) (this.#prefixed ??= []).push(name)
    }
    return i + 1
  }

  #name(bytes: Buffer, at: number, end: number, hash: number): Name {
    if (((B.CLASS[bytes[at] as number] as number) & B.START) === 0)
      throw malformed('a name is expected; write &lt; for "<"')
    if (end - at > this.limits.nameBytes)
      throw limitExceeded(`a name may have ${this.limits.nameBytes} bytes`)
    return readName(bytes, at, end, hash)
  }

  #open(name: Name, attrs: Attributes): void {
    const { depth } = this
    if (depth === this.limits.depth) throw limitExceeded(`elements may be ${depth} deep`)
    if (++this.#elements > this.limits.elements)
      throw limitExceeded(`a stanza may have ${this.limits.elements} elements`)
    const { scope, ns } = this
    const inner = this.#inner
    const defaultNs = this.#declared ?? this.defaultNs
    const own = name.prefix === '' ? defaultNs : namespaceOf(name, inner)
    if (own !== ns) attrs.xmlns = own
    if (this.#prefixed !== undefined) declareAttributes(attrs, this.#prefixed, inner)
    if (name.prefix !== '' || own !== ns || defaultNs !== this.defaultNs || inner !== scope) {
      const frame = {
        depth: depth + 1,
        raw: name.raw,
        ns,
        defaultNs: this.defaultNs,
        scope,
        outer: this.#frame
      }
      this.#frame = frame
      this.ns = own
      this.defaultNs = defaultNs
      this.scope = inner
    }
    const parent = depth === 0 ? undefined : this.current
    const element = make(name.local, attrs, parent ?? null)
    if (parent !== undefined) append(parent, element)
    this.current = element
    this.depth = depth + 1
  }

  /** An end tag, that of the innermost open element. */
  readEnd(bytes: Buffer, at: number, end: number): number {
    const i = endTagEnd(this.openName, bytes, at, end)
    if (i !== INCOMPLETE) this.close()
    return i
  }

  /** Ends the innermost open element. */
  close(): void {
    const frame = this.#frame
    if (frame !== undefined && frame.depth === this.depth) {
      this.ns = frame.ns
      this.defaultNs = frame.defaultNs
      this.scope = frame.scope
      this.#frame = frame.outer
    }
    if (--this.depth > 0) this.current = this.current?.parent ?? undefined
  }

  /** Text up to the next `<`; where it is `whole`, up to `end`. */
  readText(bytes: Buffer, at: number, end: number, whole: boolean): number {
    const i = endOf(B.LT, bytes, at, end)
    if (i === end && !whole) return INCOMPLETE
    const { classes } = found
    const text = (classes & B.HIGH) === 0 ? ascii(bytes, at, i) : utf8(bytes, at, i)
    this.#addText((classes & B.MARKED_TEXT) === 0 ? text : characterData(text))
    return i
  }

  /** A CDATA section; it starts with `<!`. */
  readSection(bytes: Buffer, at: number, end: number): number {
    const from = at + SECTION.length
    const opening = ascii(bytes, at, Math.min(from, end))
    if (!SECTION.startsWith(opening)) throw declarationRefused()
    if (from > end) return INCOMPLETE
    const to = bytes.indexOf(']]>', from)
    if (to < 0) return INCOMPLETE
    const text = sectionData(utf8(bytes, from, to))
    if (text !== '') this.#addText(text)
    return to + 3
  }

  #addText(text: string): void {
    const children = this.current?.children as Child[]
    const last = children.length - 1
    if (last >= 0 && typeof children[last] === 'string') children[last] += text
    else if (this.current) append(this.current, text)
  }
}

const SECTION = '<![CDATA['

/** Where the end tag that starts at `at` ends; it must be that of the element opened as `name`. */
export function endTagEnd(name: string, bytes: Buffer, at: number, end: number): number {
  let i = at + 2
  for (let k = 0; k < name.length; k++, i++) {
    if (i === end) return INCOMPLETE
    if (name.charCodeAt(k) === bytes[i]) continue
    i = nameEnd(bytes, at + 2, end)
    if (i === end) return INCOMPLETE
    if (utf8(bytes, at + 2, i) !== name) throw malformed(`</${name}> is expected`)
    break
  }
  i = spaceEnd(bytes, i, end)
  if (i === end) return INCOMPLETE
  if (bytes[i] !== B.GT) throw malformed(`</${name}> is expected`)
  return i + 1
}

function namespaceOf(name: Name, scope: Scope | undefined): string {
  if (name.kind === PREFIXED) return resolve(scope, name.prefix)
  if (name.kind === PREFIX_NS) throw malformed('an element has the prefix xmlns')
  // There is no way to write such an element without its prefix (Namespaces in XML 1.0 §3).
  throw new StreamError('bad-namespace-prefix', 'an element has the prefix xml')
}

/** A prefixed attribute has the declaration of its prefix beside it. */
function declareAttributes(attrs: Attributes, prefixed: readonly Name[], scope: Scope | undefined): void {
  const seen = new Set<string>()
  for (const name of prefixed) {
    const uri = resolve(scope, name.prefix)
    attrs[`xmlns:${name.prefix}`] = uri
    // Namespaces in XML 1.0 §6.3
    const expanded = `${name.local} ${uri}`
    if (seen.has(expanded)) throw duplicate(name)
    seen.add(expanded)
  }
}

/** An array literal of one takes a fifth of the memory that the first `push` takes. */
function append(parent: Element, child: Child): void {
  if (parent.children.length === 0) parent.children = [child]
  else parent.children.push(child)
}

function malformed(text: string): StreamError {
  return new StreamError('not-well-formed', text)
}

function duplicate(name: Name): StreamError {
  return malformed(`the attribute ${name.raw} is there twice`)
}

// RFC 6120 §11.1
function declarationRefused(): StreamError {
  return new StreamError('restricted-xml', 'comments and declarations are not allowed')
}
