import { StreamError } from '../errors'
import type { Gate } from '../events/gate'
import type { Log } from '../log'
import { childrenOf, el, type Element } from '../xml/element'
import type { StreamHeader } from '../xml/parser'
import { serialize } from '../xml/serialize'
import type { ChannelBindings } from './channel-binding'
import { HOLD, OUTPUT_FULL, QUEUE_FULL, type Connection, type ConnectionOwner } from './connection'
import { newStreamId } from './header'
import type { StreamLimits } from './rates/limits'
import type { StreamSettings } from './settings'

/** Waits for a stream header: at the start, and after TLS and SASL. */
export const HEADER = 0
/** Features are being negotiated. */
export const NEGOTIATING = 1
export const TLS_HANDSHAKE = 2
/** Stanzas may come. */
export const ONLINE = 3
export const CLOSED = 4

/** What every stream needs of its server. */
export interface StreamSurroundings {
  readonly gate: Gate
  readonly log: Log
  /** Rates by kind of stream; without it there are none. */
  readonly streamLimits?: StreamLimits | undefined
  /** Named where no other host can be; '' if there is none. */
  defaultDomain(): string
}

/** One stream as the receiving entity: how it waits, how it is watched and how it ends (RFC 6120 §4). */
export abstract class Stream implements ConnectionOwner {
  /** Unpredictable, another after each restart (RFC 6120 §4.7.3). */
  id = ''
  /** The domain that was asked for, prepared. */
  domain = ''
  readonly since = Date.now()
  protected phase = HEADER
  /** Our header was sent. */
  protected opened = false
  #waits = 0
  /** When the peer was asked last whether it is there; 0 for never. */
  #asked = 0

  protected constructor(
    protected connection: Connection,
    protected settings: StreamSettings,
    private readonly surroundings: StreamSurroundings
  ) {
    // Direct TLS: the stream begins inside it.
    if (connection.transport === 'tls') this.phase = TLS_HANDSHAKE
    connection.owner = this
    connection.limits = settings.limitsBeforeAuth
    connection.maxOutput = settings.maxOutput
    connection.traffic = surroundings.streamLimits?.traffic(settings.kind)
    connection.deadline = this.since + settings.authTimeout
  }

  abstract header(header: StreamHeader): void
  abstract element(element: Element, bytes: number): void
  abstract secured(): void
  /** The stream takes and sends nothing more. Called once. */
  protected abstract over(reason: string): void
  /** Sends a request that any peer answers. */
  protected abstract ask(): void

  get secure(): boolean {
    return this.connection.secure
  }
  get transport(): 'tcp' | 'tls' | 'websocket' {
    return this.connection.transport
  }
  get remoteAddress(): string {
    return this.connection.remoteAddress
  }
  get channelBindings(): ChannelBindings | undefined {
    return this.connection.channelBindings
  }
  get closed(): boolean {
    return this.phase === CLOSED
  }

  /** Writes an element that belongs to the stream itself. */
  answer(element: Element): void {
    this.connection.send(serialize(element))
  }

  protected sendHeader(from: string, to: string, old: boolean): void {
    this.id = newStreamId()
    this.opened = true
    const attrs = { id: this.id, from, to: to || undefined, version: old ? undefined : '1.0' }
    this.connection.send(this.connection.framing.header(attrs))
  }

  /**
   * The peer has shown who it is: it may send what is allowed then, and does not count among the strangers. To be
   * called by every kind of stream.
   */
  protected trusted(): void {
    this.connection.limits = this.settings.limits
    this.connection.ticket?.authenticated()
  }

  // --- ending

  close(error?: StreamError): void {
    if (this.phase === CLOSED) return
    const inHandshake = this.phase === TLS_HANDSHAKE
    this.phase = CLOSED
    const reason = error ? error.message : 'closed by the server'
    // RFC 6120 §5.4.3.2: what is sent now would not be XML
    if (inHandshake) this.connection.lose(reason)
    else this.sayEnd(error)
    this.over(reason)
  }

  /** Ends the stream on this connection, with the error if there is one. */
  protected sayEnd(error: StreamError | undefined): void {
    const { connection } = this
    const { framing } = connection
    if (error) {
      // RFC 6120 §4.9.1.2
      if (!this.opened) this.sendHeader(this.domain || this.surroundings.defaultDomain(), '', false)
      const content = childrenOf(error.toElement()).map(child => serialize(child))
      connection.send(framing.streamElement('error', content.join('')))
    }
    if (this.opened) connection.send(framing.close)
    if (error || !this.opened) return connection.end()
    // RFC 6120 §4.4: the peer may end its stream too, but not take for ever
    connection.deadline = Date.now() + this.settings.closeTimeout
    connection.resume(HOLD | QUEUE_FULL | OUTPUT_FULL)
  }

  /** Drops the connection, without a word to the peer. */
  abandon(reason: string): void {
    this.connection.lose(reason)
  }

  streamEnd(): void {
    const wasClosed = this.phase === CLOSED
    this.phase = CLOSED
    if (!wasClosed && this.opened) this.connection.send(this.connection.framing.close)
    this.connection.end()
    if (!wasClosed) this.over('the peer ended the stream')
  }

  /** The peer has ended its half of the connection, but not its stream. */
  cut(): void {
    this.streamEnd()
  }

  gone(reason: string): void {
    if (this.phase === CLOSED) return
    this.phase = CLOSED
    this.over(reason)
  }

  fault(error: StreamError): void {
    if (this.phase === CLOSED) this.connection.end()
    else this.close(error)
  }

  expired(): void {
    if (this.phase === CLOSED) this.connection.end()
    else this.close(new StreamError('connection-timeout', 'logging in took too long'))
  }

  /** Something of ours failed where there is nothing else to answer with. */
  protected broken(error: unknown): void {
    this.surroundings.log.error({ err: error, host: this.domain }, 'a stream failed')
    this.close(new StreamError('internal-server-error'))
  }

  // --- silence

  tick(now: number): void {
    this.connection.maxOutput = this.settings.maxOutput
    if (this.phase !== ONLINE) return
    const { keepalive, silence, silenceAnswer } = this.settings
    const { lastRead, lastWrite } = this.connection
    if (keepalive > 0 && now - lastWrite >= keepalive) this.connection.keepalive()
    if (silence === 0 || now - lastRead < silence) return
    if (this.#asked === 0 || lastRead >= this.#asked) {
      this.#asked = now
      if (this.transport === 'websocket') this.connection.keepalive()
      else this.ask()
    } else if (now - this.#asked >= silenceAnswer) {
      this.silent()
    }
  }

  /** The peer does not answer (RFC 6120 §4.6.2). */
  protected silent(): void {
    this.close(new StreamError('connection-timeout', 'no answer'))
  }

  // --- waiting

  /** Reads nothing more until the promise is settled; then goes on, if the stream has not been closed. */
  wait<T>(promise: Promise<T>, then: (value: T) => void, failed: (error: unknown) => void): void {
    this.#hold()
    promise.then(
      value => this.#release(() => then(value)),
      (error: unknown) => this.#release(() => failed(error))
    )
  }

  /** Takes a step that asks modules, now or as soon as none of them is being swapped. */
  whenOpen(step: () => void): void {
    const { gate } = this.surroundings
    if (gate.open) return step()
    this.#hold()
    gate.whenOpen(() => this.#release(step))
  }

  #hold(): void {
    this.#waits++
    this.connection.pause(HOLD)
  }

  #release(step: () => void): void {
    if (this.phase === CLOSED) return
    try {
      step()
    } catch (error) {
      this.broken(error)
    }
    if (--this.#waits === 0) this.connection.resume(HOLD)
  }
}

/** A ping for whoever may be there no longer (XEP-0199). */
export function pingOf(from: string, to: string | undefined): Element {
  return el('iq', { type: 'get', id: newStreamId(), from, to }, el('ping', 'urn:xmpp:ping'))
}
