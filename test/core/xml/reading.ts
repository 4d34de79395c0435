import type { StreamError } from '../../../core/errors'
import {
  serialize,
  StreamParser,
  type Element,
  type ParserOptions,
  type StreamHeader
} from '../../../core/xml'

export const HEADER =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='montague.lit' version='1.0'>"

/** A parser that writes down what it tells. */
export class Reading {
  readonly stanzas: Element[] = []
  readonly sizes: number[] = []
  readonly headers: StreamHeader[] = []
  readonly errors: StreamError[] = []
  closes = 0
  whitespace = 0
  /** Called for each stanza, as a session would handle it. */
  handle: (stanza: Element) => void = () => {}
  readonly parser: StreamParser

  constructor(options: Partial<ParserOptions> = {}) {
    this.parser = new StreamParser({
      contentNs: 'jabber:client',
      handlers: {
        onOpen: header => this.headers.push(header),
        onStanza: (stanza, bytes) => {
          this.stanzas.push(stanza)
          this.sizes.push(bytes)
          this.handle(stanza)
        },
        onClose: () => this.closes++,
        onError: error => this.errors.push(error),
        onWhitespace: bytes => (this.whitespace += bytes)
      },
      ...options
    })
  }

  write(...chunks: (string | Uint8Array)[]): this {
    for (const chunk of chunks) this.parser.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    return this
  }

  byByte(text: string | Buffer): this {
    for (const byte of Buffer.from(text)) this.parser.write(Uint8Array.of(byte))
    return this
  }

  get xml(): string[] {
    return this.stanzas.map(serialize)
  }

  /** Condition of the error, undefined where there was none. */
  get condition(): string | undefined {
    return this.errors[0]?.condition
  }
}

/** What comes of these bytes behind a stream header. */
export function stanzas(...chunks: (string | Uint8Array)[]): Reading {
  return new Reading().write(HEADER, ...chunks)
}
