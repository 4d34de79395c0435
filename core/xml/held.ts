import {
  BANG,
  CLOSE_BRACKET,
  DOUBLE_QUOTE,
  GT,
  LT,
  OPEN_BRACKET,
  QUESTION,
  SINGLE_QUOTE,
  SLASH
} from './bytes'

const UNKNOWN = 0
const TEXT = 1
const TAG = 2
/** An end tag or an XML declaration. */
const PLAIN = 3
const SECTION = 4

/**
 * A token whose end has not come yet. Its bytes are looked at once, however they are cut: only when the end is
 * there does the parser read them.
 */
export class Held {
  #bytes: Buffer
  #length = 0
  #kind = UNKNOWN
  /** In a tag: the quote that is open. In a CDATA section: how much of `]]>` has been seen. */
  #state = 0

  /**
   * @param size how many bytes are there now
   * @param declaration whether an XML declaration may come
   */
  constructor(
    size: number,
    private readonly declaration: boolean
  ) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(64, size))
  }

  get length(): number {
    return this.#length
  }

  get isText(): boolean {
    return this.#kind === TEXT
  }

  /** The bytes so far. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Takes what belongs to the token; answers where it ends in the chunk, or -1 where it goes on. */
  take(chunk: Buffer, from: number): number {
    const end = this.#endIn(chunk, from)
    this.#append(chunk, from, end < 0 ? chunk.length : end)
    return end
  }

  #append(chunk: Buffer, from: number, to: number): void {
    const length = this.#length + to - from
    if (length > this.#bytes.length) {
      // Doubled, so that a token which comes a byte at a time is copied twice, not once for every byte.
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    chunk.copy(this.#bytes, this.#length, from, to)
    this.#length = length
  }

  #endIn(chunk: Buffer, from: number): number {
    let i = from
    while (this.#kind === UNKNOWN && i < chunk.length) {
      const decided = this.#decide(chunk[i] as number, this.#length + i - from)
      i++
      if (decided) return i
    }
    if (this.#kind === TEXT) return chunk.indexOf(LT, i)
    if (this.#kind === TAG) return this.#tagEnd(chunk, i)
    return this.#kind === PLAIN ? this.#plainEnd(chunk, i) : this.#sectionEnd(chunk, i)
  }

  /** What sort of token it is, by its first bytes; true where they alone show that nobody will take it. */
  #decide(byte: number, index: number): boolean {
    if (index === 0) {
      if (byte !== LT) this.#kind = TEXT
      return false
    }
    if (index === 2) {
      // What is no CDATA section is a comment or a declaration.
      this.#kind = SECTION
      return byte !== OPEN_BRACKET
    }
    if (byte === BANG) return false
    this.#kind = byte === SLASH || byte === QUESTION ? PLAIN : TAG
    return byte === LT || byte === GT || (byte === QUESTION && !this.declaration)
  }

  // A "<" has no place in a tag: what is held until then is enough for the parser to refuse it.
  #tagEnd(chunk: Buffer, from: number): number {
    let quote = this.#state
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i] as number
      if (byte === LT || (byte === GT && quote === 0)) return i + 1
      if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE)
        quote = quote === 0 ? byte : quote === byte ? 0 : quote
    }
    this.#state = quote
    return -1
  }

  #plainEnd(chunk: Buffer, from: number): number {
    for (let i = from; i < chunk.length; i++) if (chunk[i] === GT || chunk[i] === LT) return i + 1
    return -1
  }

  #sectionEnd(chunk: Buffer, from: number): number {
    let brackets = this.#state
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i] as number
      if (byte === GT && brackets === 2) return i + 1
      brackets = byte === CLOSE_BRACKET ? Math.min(2, brackets + 1) : 0
    }
    this.#state = brackets
    return -1
  }
}
