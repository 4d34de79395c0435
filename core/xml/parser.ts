import { StreamError } from '../errors'
import { endTagEnd, INCOMPLETE, TreeBuilder } from './builder'
import { BANG, LT, QUESTION, SLASH } from './bytes'
import { checkDeclaration, checkTarget } from './declaration'
import { ascii, utf8 } from './decode'
import type { ParserHandlers, ParserOptions, StreamHeader } from './handlers'
import { Held } from './held'
import { DEFAULT_LIMITS, stanzaTooBig, type XmlLimits } from './limits'
import { NS } from './namespaces'
import { spaceEnd } from './scan'

export type { ParserHandlers, ParserOptions, StreamHeader }

/** Where in the stream the parser is, outside of stanzas. */
const BEGIN = 0
const RESTARTED = 1
/** An XML declaration may not come any more. */
const PROLOG = 2
const OPEN = 3
const CLOSED = 4

const NOTHING = Buffer.alloc(0)

/**
 * Reads XMPP's restricted XML (RFC 6120 §11) from bytes that may be cut anywhere, and makes canonical elements
 * of it (see element.ts). What is not well-formed, not namespace-well-formed, forbidden or beyond the limits
 * ends it with a StreamError. Takes time in proportion to the bytes, whatever they are and however they are cut.
 */
export class StreamParser {
  readonly #handlers: ParserHandlers
  readonly #contentNs: string
  readonly #framed: boolean
  readonly #builder: TreeBuilder
  #phase = BEGIN
  #headerName = ''
  #paused = false
  #stopped = false
  #busy = false
  #inHandler = false
  #held: Held | undefined
  /** What came while the parser was paused or at work. */
  #waiting: Buffer[] | undefined
  /** The bytes that are being read, and how far they have been. */
  #bytes: Buffer = NOTHING
  #at = 0

  constructor({ handlers, contentNs, mode = 'stream', limits = DEFAULT_LIMITS }: ParserOptions) {
    this.#handlers = handlers
    this.#contentNs = contentNs
    this.#framed = mode === 'frame'
    this.#builder = new TreeBuilder(limits)
    this.#builder.reset(this.#framed ? contentNs : undefined)
  }

  /** May be replaced at any time, e.g. by wider ones after authentication. */
  get limits(): XmlLimits {
    return this.#builder.limits
  }
  set limits(limits: XmlLimits) {
    this.#builder.limits = limits
  }

  get paused(): boolean {
    return this.#paused
  }

  /** How many bytes wait for `resume`. */
  get waitingBytes(): number {
    let bytes = this.#paused ? 0 : this.#bytes.length - this.#at
    for (const chunk of this.#waiting ?? []) bytes += chunk.length
    return bytes
  }

  /**
   * Parses what has come. The chunk is not kept, except while the parser is paused; it must not be changed
   * afterwards. What a handler throws is thrown here, and the parser is stopped then.
   */
  write(chunk: Uint8Array): void {
    if (this.#stopped || (chunk.length === 0 && !this.#framed)) return
    const bytes = asBuffer(chunk)
    if (this.#busy || this.#paused || this.#waiting) (this.#waiting ??= []).push(bytes)
    this.#run(this.#waiting ? undefined : bytes)
  }

  /** Ends parsing after the stanza whose handler is running; bytes are kept until `resume`. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#run()
  }

  /**
   * Begins a new stream with the next byte (RFC 6120 §4.3.3). To be called by the handler of the stanza that
   * ends the old one, or later if that handler called `pause`. Also begins again after `stop`.
   */
  reset(): void {
    this.#stopped = false
    this.#phase = RESTARTED
    this.#builder.reset(this.#framed ? this.#contentNs : undefined)
    if (this.#held) this.#putBack(this.#held.bytes)
    this.#held = undefined
  }

  /**
   * Ends parsing until `reset`, even within a chunk, and answers the bytes that were not parsed: what came
   * behind a `<starttls/>` must not be taken for a part of the encrypted stream (RFC 6120 §5.4.3.3).
   */
  stop(): Buffer {
    const rest = Buffer.concat([
      this.#held?.bytes ?? NOTHING,
      this.#bytes.subarray(this.#at),
      ...(this.#waiting ?? [])
    ])
    this.#stopped = true
    this.#held = undefined
    this.#bytes = NOTHING
    this.#at = 0
    this.#waiting = undefined
    this.#builder.reset(undefined)
    return rest
  }

  #run(first?: Buffer): void {
    if (this.#busy) return
    this.#busy = true
    try {
      for (let chunk = first ?? this.#next(); chunk; chunk = this.#next()) {
        if (this.#framed) this.#frame(chunk)
        else this.#chunk(chunk)
      }
    } catch (thrown) {
      this.stop()
      if (this.#inHandler || !(thrown instanceof StreamError)) throw thrown
      this.#handlers.onError(thrown)
    } finally {
      this.#busy = false
      this.#inHandler = false
    }
  }

  #next(): Buffer | undefined {
    if (!this.#waiting || this.#paused || this.#stopped) return undefined
    const chunk = this.#waiting.shift()
    // An empty array would keep the room it once had, on each connection.
    if (this.#waiting.length === 0) this.#waiting = undefined
    return chunk
  }

  #putBack(bytes: Buffer): void {
    if (bytes.length > 0) (this.#waiting ??= []).unshift(bytes)
  }

  #chunk(chunk: Buffer): void {
    const held = this.#held
    if (held === undefined) return this.#read(chunk, false)
    const end = held.take(chunk, 0)
    this.#checkSize(held.length)
    if (end < 0) return
    this.#held = undefined
    if (end < chunk.length) this.#putBack(chunk.subarray(end))
    this.#read(held.bytes, true)
  }

  // RFC 7395 §3.3.3
  #frame(frame: Buffer): void {
    const builder = this.#builder
    if (frame.length > builder.limits.stanzaBytes) throw stanzaTooBig(builder.limits)
    if (frame[0] !== LT) throw new StreamError('bad-format', 'a message does not start with "<"')
    builder.reset(this.#contentNs)
    this.#phase = BEGIN
    this.#read(frame, false)
    const root = builder.current
    builder.current = undefined
    if (this.#held || builder.depth > 0 || !root) {
      throw new StreamError('not-well-formed', 'a message is not one whole element')
    }
    this.#inHandler = true
    if (root.attrs.xmlns !== NS.FRAMING) this.#handlers.onStanza(root, frame.length)
    else if (root.name === 'open')
      this.#handlers.onOpen({ element: root, prefix: '', defaultNs: '', prefixes: new Map() })
    else if (root.name === 'close') this.#handlers.onClose(root)
    else this.#handlers.onStanza(root, frame.length)
    this.#inHandler = false
  }

  /** Reads bytes to their end, or until a handler stops it. `whole`: they are one token that was held. */
  #read(bytes: Buffer, whole: boolean): void {
    const builder = this.#builder
    const end = bytes.length
    this.#bytes = bytes
    let i = 0
    while (i < end) {
      const next =
        builder.depth === 0
          ? this.#outside(bytes, i, end)
          : bytes[i] === LT
            ? this.#inside(bytes, i, end)
            : builder.readText(bytes, i, end, whole)
      if (next === INCOMPLETE) {
        if (whole) throw unfinished()
        this.#hold(bytes, i)
        break
      }
      i = next
      if (builder.depth === 0 && this.#interrupted(bytes, i)) return
    }
    this.#bytes = NOTHING
    this.#at = 0
    // What is held comes first in the next bytes.
    builder.start -= i
    if (builder.depth > 0 || this.#held) this.#checkSize(this.#held?.length ?? 0)
  }

  #interrupted(bytes: Buffer, at: number): boolean {
    if (this.#bytes !== bytes) return true
    if (!this.#paused) return false
    this.#putBack(bytes.subarray(at))
    this.#bytes = NOTHING
    this.#at = 0
    return true
  }

  #hold(bytes: Buffer, from: number): void {
    const held = new Held(bytes.length - from, this.#declarationMayCome)
    if (held.take(bytes, from) >= 0) throw unfinished()
    this.#held = held
    if (this.#builder.depth === 0) this.#builder.start = from
  }

  get #declarationMayCome(): boolean {
    return this.#phase <= RESTARTED && this.#builder.depth === 0
  }

  #checkSize(ahead: number): void {
    const { start, limits } = this.#builder
    if (ahead - start > limits.stanzaBytes) throw stanzaTooBig(limits)
  }

  /** Markup in a stanza. */
  #inside(bytes: Buffer, at: number, end: number): number {
    if (at + 1 === end) return INCOMPLETE
    const builder = this.#builder
    const sort = bytes[at + 1]
    if (sort === BANG) return builder.readSection(bytes, at, end)
    if (sort === QUESTION) throw instruction()
    if (sort !== SLASH) return this.#element(bytes, at, end)
    const next = builder.readEnd(bytes, at, end)
    if (next !== INCOMPLETE && builder.depth === 0) this.#stanza(next)
    return next
  }

  #element(bytes: Buffer, at: number, end: number): number {
    const builder = this.#builder
    const next = builder.readStart(bytes, at, end)
    if (next === INCOMPLETE || !builder.empty) return next
    builder.close()
    if (builder.depth === 0) this.#stanza(next)
    return next
  }

  #stanza(next: number): void {
    const builder = this.#builder
    const stanza = builder.current
    const bytes = next - builder.start
    if (bytes > builder.limits.stanzaBytes) throw stanzaTooBig(builder.limits)
    if (this.#framed) {
      this.#phase = CLOSED
      return
    }
    builder.current = undefined
    this.#at = next
    this.#inHandler = true
    if (stanza) this.#handlers.onStanza(stanza, bytes)
    this.#inHandler = false
  }

  /** What stands outside of stanzas. */
  #outside(bytes: Buffer, at: number, end: number): number {
    const afterSpace = spaceEnd(bytes, at, end)
    if (afterSpace > at) return this.#whitespace(at, afterSpace)
    if (bytes[at] !== LT) throw this.#stray(bytes[at] as number)
    if (at + 1 === end) return INCOMPLETE
    const sort = bytes[at + 1]
    if (sort === QUESTION) return this.#declaration(bytes, at)
    // Comments and DTDs; a CDATA section is text in a place where there is none.
    if (sort === BANG)
      throw new StreamError('restricted-xml', 'comments, DTDs and sections are not allowed here')
    if (sort === SLASH) return this.#streamEnd(bytes, at, end)
    if (this.#phase === CLOSED) throw new StreamError('not-well-formed', 'an element follows the end')
    if (this.#framed || this.#phase === OPEN) return this.#element(bytes, at, end)
    const next = this.#builder.readStart(bytes, at, end)
    if (next !== INCOMPLETE) this.#streamStart(next)
    return next
  }

  #whitespace(at: number, end: number): number {
    if (this.#phase === BEGIN) this.#phase = PROLOG
    if (this.#framed || !this.#handlers.onWhitespace) return end
    this.#at = end
    this.#inHandler = true
    this.#handlers.onWhitespace(end - at)
    this.#inHandler = false
    return end
  }

  #stray(byte: number): StreamError {
    // RFC 6120 §11.6: such bytes begin UTF-16, or are no UTF-8 at all.
    if (byte === 0 || byte >= 0xf8 || (byte >= 0x80 && byte < 0xc2)) {
      return new StreamError('unsupported-encoding', 'the bytes are not UTF-8')
    }
    const condition = this.#phase === OPEN && byte >= 0x20 ? 'bad-format' : 'not-well-formed'
    return new StreamError(condition, 'there is text outside of the stanzas')
  }

  #declaration(bytes: Buffer, at: number): number {
    if (!this.#declarationMayCome) throw instruction()
    checkTarget(ascii(bytes, at, Math.min(at + 6, bytes.length)))
    const end = bytes.indexOf('>', at)
    if (end < 0) return INCOMPLETE
    checkDeclaration(utf8(bytes, at, end + 1))
    this.#phase = PROLOG
    return end + 1
  }

  #streamStart(next: number): void {
    const builder = this.#builder
    const { current: element, openName, defaultNs, scope } = builder
    if (!element) return
    this.#at = next
    if (next - builder.start > builder.limits.stanzaBytes) throw stanzaTooBig(builder.limits)
    // RFC 6120 §4.8.1
    if (element.attrs.xmlns !== NS.STREAM) throw invalidNamespace(`a stream is in ${NS.STREAM}`)
    if (element.name !== 'stream') throw new StreamError('bad-format', 'a stream starts with <stream>')
    // RFC 6120 §4.8.2
    if (defaultNs !== '' && defaultNs !== NS.STREAM && defaultNs !== this.#contentNs) {
      throw invalidNamespace(`the content namespace of this stream is ${this.#contentNs}`)
    }
    builder.reset(this.#contentNs, defaultNs, scope)
    this.#phase = OPEN
    this.#headerName = openName
    const prefixes = new Map<string, string>()
    for (let s = scope; s; s = s.outer) prefixes.set(s.prefix, s.uri)
    const prefix = openName.slice(0, Math.max(0, openName.indexOf(':')))
    const empty = builder.empty
    this.#inHandler = true
    this.#handlers.onOpen({ element, prefix, defaultNs, prefixes })
    this.#inHandler = false
    if (empty && this.#phase === OPEN && !this.#stopped) this.#closed(next)
  }

  #streamEnd(bytes: Buffer, at: number, end: number): number {
    if (this.#phase !== OPEN) throw new StreamError('not-well-formed', 'an end tag ends nothing')
    const next = endTagEnd(this.#headerName, bytes, at, end)
    if (next !== INCOMPLETE) this.#closed(next)
    return next
  }

  #closed(next: number): void {
    this.#phase = CLOSED
    this.#at = next
    this.#inHandler = true
    this.#handlers.onClose()
    this.#inHandler = false
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function unfinished(): StreamError {
  return new StreamError('not-well-formed', 'a tag ends in the wrong place; write &lt; for "<"')
}

function instruction(): StreamError {
  return new StreamError('restricted-xml', 'processing instructions are not allowed')
}

function invalidNamespace(text: string): StreamError {
  return new StreamError('invalid-namespace', text)
}
