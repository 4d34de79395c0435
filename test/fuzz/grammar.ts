import type { Random } from './random'

const STREAM = 'http://etherx.jabber.org/streams'

const NAMES = [
  'message',
  'iq',
  'body',
  'a',
  'b',
  'query',
  'x-1',
  '_y.z',
  'é',
  'Ω1',
  '\u{10000}\u{effff}',
  // These two have the same hash.
  'Aa',
  'BB',
  'constructor',
  '__proto__',
  'hasOwnProperty',
  'toString',
  'xmlfoo',
  'a-name-that-is-rather-longer-than-the-others-and-than-what-is-cached-by-the-parser'
] as const
/** Not names, or not in every place. */
const ODD_NAMES = [
  '1a',
  '-a',
  '.',
  ':',
  'a:',
  ':a',
  'a:b:c',
  'a:1',
  'a:-b',
  '\u{f0000}',
  '\u00d7',
  'a\u00d7',
  'a\u00b7',
  '\u00b7a',
  '\u037e',
  'a\u203f',
  'xmlns',
  'xml',
  '\ufffd',
  'a b',
  ''
] as const
const PREFIXES = ['p', 'q', 'stream', 'é', 'constructor', '__proto__', 'xmlx'] as const
const URIS = [
  'urn:a',
  'urn:b',
  'jabber:client',
  STREAM,
  'jabber:server',
  'urn:ü',
  'http://jabber.org/protocol/pubsub'
] as const
const ODD_URIS = [
  '',
  ' urn:a',
  'urn:a ',
  'urn:a\turn:b',
  'http://www.w3.org/XML/1998/namespace',
  'http://www.w3.org/2000/xmlns/'
] as const
const TEXTS = [
  'Romeo',
  ' ',
  '\n',
  'a\r\nb',
  '\r',
  '\t',
  '&lt;',
  '&amp;',
  '&gt;&quot;&apos;',
  '&#65;',
  '&#x1F600;',
  '&#xd;',
  '&#10;',
  '&#09;',
  '&#000000065;',
  ']',
  ']]',
  '>',
  '/>',
  "it's",
  'žluťoučký',
  '日本',
  '😀',
  '\ufeff',
  '\ufffd',
  '\u0085',
  '\u2028',
  '\x7f',
  '?',
  '!',
  '-->',
  '='
] as const
const ODD_TEXTS = [
  ']]>',
  '&',
  '&lt',
  '&unknown;',
  '&#0;',
  '&#xd800;',
  '&#xffff;',
  '&#x110000;',
  '&#xfffd;',
  '&#x;',
  '&#;',
  '&;',
  '&#x1g;',
  '&#X41;',
  '& amp;',
  '&amp ;',
  '\0',
  '\x08',
  '\x1f',
  '\ufffe',
  '\uffff',
  '<',
  '&#1;',
  '&#x85;',
  '&#99999999999999999999;',
  '&a:b;'
] as const
const SPACES = [' ', ' ', ' ', '\n', '\t', '\r\n', '  ', '\r'] as const
const EXTRAS = [
  '<!-- a comment -->',
  '<?pi data?>',
  '<?xml version="1.0"?>',
  '<!DOCTYPE a>',
  '<!ENTITY a "b">',
  '<![CDATA[',
  '<![IGNORE[',
  ']]>',
  '<!',
  '<?',
  '</',
  '<',
  '<?xml-stylesheet?>'
] as const
const DECLARATIONS = [
  "<?xml version='1.0'?>",
  '<?xml version="1.0" encoding="UTF-8"?>',
  "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>",
  "<?xml\tversion = '1.0'\n?>"
] as const
const ODD_DECLARATIONS = [
  "<?xml version='1.1'?>",
  "<?xml version='1.0' encoding='UTF-16'?>",
  "<?xml encoding='UTF-8'?>",
  "<?xml version='1.0' standalone='maybe'?>",
  "<?xml version='1.0'",
  '<?xml?>',
  "<?XML version='1.0'?>",
  "<?xml version='1.0'encoding='UTF-8'?>",
  "<?xml version='1.0' standalone='no' encoding='UTF-8'?>",
  "<?xml version='2.0'?>",
  "<?xml version='1.0' encoding='8'?>",
  " <?xml version='1.0'?>",
  '\ufeff',
  ' '
] as const

/**
 * Documents that are mostly well-formed. Each choice may go wrong, once in `flaws` times: then what should not
 * be there is there, a prefix is not declared, an end tag is another.
 */
export class Grammar {
  /** The prefixes in scope; not what they are bound to. */
  #prefixes: string[] = []

  constructor(
    private readonly random: Random,
    private readonly flaws: number
  ) {}

  /** A whole stream (RFC 6120 §4.2). */
  stream(): string {
    const { random } = this
    this.#prefixes = ['stream']
    const declaration = random.once(2) ? '' : this.#declaration()
    const prefix = this.#odd() ? 'p' : 'stream'
    const content = random.once(4) ? '' : ` xmlns='${this.#odd() ? random.pick(URIS) : 'jabber:client'}'`
    const declared = ` xmlns:${prefix}='${this.#odd() ? random.pick(URIS) : STREAM}'`
    const name = random.once(8) ? 'stream' : `${prefix}:stream`
    // Without a prefix the default namespace is that of streams (RFC 6120 §4.8.2).
    const own = name === 'stream' ? ` xmlns='${STREAM}'` : content
    let xml = `${declaration}${random.once(8) ? random.pick(SPACES) : ''}<${name}${own}${declared}${this.#attributes([])}>`
    for (let i = random.below(4); i > 0; i--) xml += this.#between() + this.element(0)
    return `${xml}${this.#between()}</${this.#odd() ? 'stream' : name}${this.#space(true)}>${random.once(8) ? '\n' : ''}`
  }

  /** A single element, as in a WebSocket message. */
  frame(): string {
    const { random } = this
    this.#prefixes = []
    const declaration = random.once(6) ? this.#declaration() : ''
    return declaration + this.element(0) + (random.once(8) ? random.pick(SPACES) : '')
  }

  element(depth: number): string {
    const { random } = this
    const before = this.#prefixes
    const declared: string[] = []
    while (random.once(6)) declared.push(random.pick(PREFIXES))
    this.#prefixes = [...before, ...declared]
    const name = this.#name(random.once(5))
    const attributes = this.#attributes(declared)
    const tag = `<${name}${attributes}${this.#space(true)}`
    const xml = random.once(5)
      ? `${tag}/>`
      : `${tag}>${this.#content(depth)}</${this.#odd() ? this.#name(true) : name}${this.#space(true)}>`
    this.#prefixes = before
    return xml
  }

  #declaration(): string {
    return this.random.once(20) ? this.random.pick(ODD_DECLARATIONS) : this.random.pick(DECLARATIONS)
  }

  #content(depth: number): string {
    const { random } = this
    let xml = ''
    for (let i = random.below(depth > 4 ? 2 : 4); i > 0; i--) {
      const choice = random.below(10)
      if (choice < 4) xml += this.text()
      else if (choice < 9) xml += this.element(depth + 1)
      else xml += `<![CDATA[${this.#section()}]]>`
      if (this.#odd()) xml += random.pick(EXTRAS)
    }
    return xml
  }

  text(): string {
    let text = ''
    for (let i = this.random.below(4); i >= 0; i--)
      text += this.#odd() ? this.random.pick(ODD_TEXTS) : this.random.pick(TEXTS)
    return text
  }

  #section(): string {
    return this.#odd()
      ? this.random.pick(ODD_TEXTS)
      : this.random.pick([...TEXTS, '<b>', '&nbsp;', '', ']', ']]', ']>', 'a[b]c]>d', '[[]]'])
  }

  #between(): string {
    if (this.#odd()) return this.random.once(2) ? this.text() : this.random.pick(EXTRAS)
    return this.random.once(4) ? this.random.pick(SPACES) : ''
  }

  #attributes(declared: readonly string[]): string {
    const { random } = this
    const list = declared.map(
      prefix =>
        `xmlns:${this.#odd() ? random.pick(['xml', 'xmlns', ...PREFIXES]) : prefix}=${this.#quoted(this.#uri())}`
    )
    if (random.once(3)) list.push(`xmlns=${this.#quoted(random.once(6) ? '' : this.#uri())}`)
    const names = new Set<string>()
    while (random.once(2)) names.add(this.#name(random.once(6)))
    if (random.once(6)) names.add(random.pick(['xml:lang', 'xml:space', 'xml:foo']))
    for (const name of names) list.push(`${name}${this.#space(true)}=${this.#space(true)}${this.#value()}`)
    if (this.#odd() && list[0]) list.push(list[0])
    if (this.#odd())
      list.push(random.pick(['a', 'a=', 'a=b', '=', '"', "a=''b=''", 'p:a="1" q:a="2"', '/', '<', 'a="<"']))
    if (random.once(3)) list.reverse()
    return list.map(attribute => (this.#odd() ? '' : this.#space(false)) + attribute).join('')
  }

  #value(): string {
    const { random } = this
    let value = random.once(10) ? '' : this.text()
    if (random.once(4)) value += random.pick(['\t', '\n', '\r\n', '&#9;', '&#xA;', '&#13;'])
    return this.#quoted(value.replaceAll('<', this.#odd() ? '<' : ''))
  }

  #quoted(value: string): string {
    const quote = this.random.once(2) ? '"' : "'"
    return quote + (this.#odd() ? value : value.replaceAll(quote, '')) + quote
  }

  #uri(): string {
    return this.#odd() ? this.random.pick(ODD_URIS) : this.random.pick(URIS)
  }

  #name(prefixed: boolean): string {
    const { random } = this
    const local = this.#odd() ? random.pick(ODD_NAMES) : random.pick(NAMES)
    if (!prefixed) return local
    if (this.#odd()) return `${random.pick(['xml', 'xmlns', ...PREFIXES])}:${local}`
    const prefix = this.#prefixes[random.below(this.#prefixes.length)]
    return prefix === undefined ? local : `${prefix}:${local}`
  }

  #space(optional: boolean): string {
    return optional && !this.random.once(8) ? '' : this.random.pick(SPACES)
  }

  #odd(): boolean {
    return this.random.once(this.flaws)
  }
}
