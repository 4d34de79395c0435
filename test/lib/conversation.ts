import { isElement } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { WebSocketChannel } from './channel'
import type { Channel } from './channel'
import { describeMismatch, fill, mismatch, parsePattern } from './pattern'
import type { MatchOptions, Vars } from './pattern'
import { inline, pretty } from './print'

/** Milliseconds: long enough for a busy machine; a wait that is fulfilled does not last that long. */
const TIMEOUT = 15_000

export interface ConversationOptions {
  /** The domain that the stream is for. */
  domain: string
  /** How error messages call the client. */
  name?: string
  /** What `{name}` stands for; shared between the clients of a scenario. */
  vars?: Vars
  /** Milliseconds that every wait may take. */
  timeout?: number
}

/** What a peer says on a stream, and what it got to hear: the part of a test client that speaks in stanzas. */
export abstract class Conversation {
  readonly name: string
  readonly domain: string
  readonly vars: Vars
  readonly timeout: number
  /** Stanzas that came and were not yet asked for. */
  readonly unread: Element[] = []
  /** The attributes of the server's last stream header. */
  header: Record<string, string> | undefined
  /** The server closed its stream. */
  ended = false
  /** The socket is gone. */
  closed = false
  channel!: Channel
  #fault: Error | undefined
  #ids = 0
  readonly #waiting = new Set<() => void>()

  protected constructor(options: ConversationOptions) {
    this.name = options.name ?? 'the client'
    this.domain = options.domain
    this.vars = options.vars ?? new Map()
    this.timeout = options.timeout ?? TIMEOUT
  }

  /** What the channel reports. */
  protected listener() {
    const changed = (): void => {
      for (const wake of [...this.#waiting]) wake()
    }
    return {
      header: (attrs: Record<string, string>) => {
        this.header = attrs
        changed()
      },
      stanza: (stanza: Element) => {
        this.unread.push(stanza)
        changed()
      },
      end: () => {
        this.ended = true
        changed()
      },
      closed: () => {
        this.closed = true
        changed()
      },
      fault: (error: Error) => {
        this.#fault = error
        changed()
      }
    }
  }

  /** Sends these very bytes, as they are. */
  write(data: string | Uint8Array): void {
    this.channel.write(data)
  }

  /** Sends a stanza as it is written, with what is remembered in place of `{name}`. */
  send(stanza: string | Element): void {
    this.write(
      isElement(stanza) ? this.#framed(inline(stanza)) : this.#framed(fill(stanza.trim(), this.vars))
    )
  }

  /** Sends like `send`; reads well in a scenario. */
  async sends(stanza: string): Promise<void> {
    this.send(stanza)
    return Promise.resolve()
  }

  /** On a WebSocket a stanza names its namespace (RFC 7395 §3.3.3). */
  #framed(xml: string): string {
    if (!(this.channel instanceof WebSocketChannel)) return xml
    return xml.replace(/^<(message|presence|iq)(?![^>]*\sxmlns=)/, `<$1 xmlns='${NS.CLIENT}'`)
  }

  /** The next stanza, whatever it is. */
  async next(what = 'a stanza'): Promise<Element> {
    await this.until(() => this.unread.length > 0, what)
    return this.unread.shift() as Element
  }

  /** The next stanza must match the pattern (test/lib/pattern.ts); it is returned. */
  async receives(pattern: string | Element, options?: MatchOptions): Promise<Element> {
    const wanted = parsePattern(pattern)
    const stanza = await this.next(`\n${pretty(wanted, '  ')}`)
    const why = mismatch(wanted, stanza, this.vars, options)
    if (why !== undefined) throw this.problem(describeMismatch(wanted, stanza, why) + this.#rest())
    return stanza
  }

  /** The next stanzas must match the patterns, one each, in whatever order they come. */
  async receivesAll(patterns: readonly (string | Element)[], options?: MatchOptions): Promise<Element[]> {
    const open = patterns.map(pattern => parsePattern(pattern))
    const received: Element[] = []
    while (open.length > 0) {
      const stanza = await this.next(`one of\n${open.map(one => pretty(one, '  ')).join('\n')}`)
      const index = open.findIndex(one => mismatch(one, stanza, this.vars, options) === undefined)
      if (index < 0) {
        const whys = open.map(one =>
          describeMismatch(one, stanza, mismatch(one, stanza, this.vars, options) ?? '')
        )
        throw this.problem(`none of what is expected:\n${whys.join('\n')}${this.#rest()}`)
      }
      open.splice(index, 1)
      received.push(stanza)
    }
    return received
  }

  /** Waits for a stanza that matches, and leaves the others that come before it unread. */
  async finds(pattern: string | Element, options?: MatchOptions): Promise<Element> {
    const wanted = parsePattern(pattern)
    const place = (): number =>
      this.unread.findIndex(one => mismatch(wanted, one, this.vars, options) === undefined)
    await this.until(() => place() >= 0, `\n${pretty(wanted, '  ')}`)
    return this.unread.splice(place(), 1)[0] as Element
  }

  /** Sends an iq get or set, under an id of its own where it has none, and waits for its answer alone. */
  async request(iq: string): Promise<Element> {
    const written = fill(iq.trim(), this.vars)
    const given = /^<iq\b[^>]*\sid=(['"])(.*?)\1/.exec(written)?.[2]
    const id = given ?? `request-${++this.#ids}`
    this.send(given === undefined ? written.replace(/^<iq/, `<iq id='${id}'`) : written)
    const isAnswer = (one: Element): boolean =>
      one.name === 'iq' && one.attrs.id === id && (one.attrs.type === 'result' || one.attrs.type === 'error')
    await this.until(() => this.unread.some(isAnswer), `the answer to\n  ${written}`)
    return this.unread.splice(this.unread.findIndex(isAnswer), 1)[0] as Element
  }

  /**
   * Waits until the server has dealt with everything that this client sent, and until all that was on its way here
   * by then has come: an iq is answered after what was sent before it (RFC 6120 §10.1). `to` may name another host
   * of the server, whose work is waited for.
   */
  async fence(to = this.domain): Promise<void> {
    await this.request(`<iq type='get' to='${to}'><ping xmlns='urn:xmpp:ping'/></iq>`)
  }

  /** Nothing must be unread once the server has dealt with all that was sent. (In a scenario: by all its clients.) */
  async receivesNothing(): Promise<void> {
    await this.fence()
    if (this.unread.length > 0) throw this.problem(`expected nothing, but got:${this.#rest()}`)
  }

  /** Forgets what is unread, after all that was on its way has come. */
  async forgets(): Promise<void> {
    await this.fence()
    this.unread.length = 0
  }

  /** Waits until the server has closed the connection. */
  async isClosed(): Promise<void> {
    await this.until(() => this.closed, 'the end of the connection', true)
  }

  /** Closes the stream (RFC 6120 §4.4) and waits for the server to do the same. */
  async close(): Promise<void> {
    if (this.closed) return
    this.channel.close()
    await this.until(() => this.ended || this.closed, "the server's closing tag", true)
    this.channel.endWriting()
    await this.isClosed()
  }

  /** Drops the connection as a broken cable does. */
  destroy(): void {
    this.channel.destroy()
  }

  protected async until(done: () => boolean, what: string, mayClose = false): Promise<void> {
    const lost = (): boolean => this.#fault !== undefined || (!mayClose && this.closed)
    if (!done() && !lost())
      await new Promise<void>(resolve => {
        const wake = (): void => {
          if (done() || lost()) finish()
        }
        const finish = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(finish, this.timeout)
        this.#waiting.add(wake)
      })
    if (done()) return
    const state = this.#fault
      ? this.#fault.message
      : this.closed
        ? 'the connection was closed'
        : `it did not come within ${this.timeout / 1000} s`
    throw this.problem(`waited for ${what}\nbut ${state}${this.#rest()}`, this.#fault)
  }

  #rest(): string {
    if (this.unread.length === 0) return '\nunread: nothing'
    return `\nunread:\n${this.unread.map(one => pretty(one, '  ')).join('\n')}`
  }

  protected problem(message: string, cause?: unknown): Error {
    return new Error(`${this.name}: ${message}`, { cause })
  }
}
