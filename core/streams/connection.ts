import type { SecureContext } from 'node:tls'
import type { StreamError } from '../errors'
import { NS } from '../xml/namespaces'
import type { Element } from '../xml/element'
import type { XmlLimits } from '../xml/limits'
import { StreamParser, type ParserHandlers, type StreamHeader } from '../xml/parser'
import type { ChannelBindings } from './channel-binding'
import { flushSoon } from './flusher'
import type { Framing } from './framing'
import { coarseNow, unwatch, watch } from './sweeper'

/** What a connection tells the stream that runs over it. */
export interface ConnectionOwner {
  header(header: StreamHeader): void
  /** A top-level element, and its size as it was sent. */
  element(element: Element, bytes: number): void
  /** The peer closed its stream, or its half of the connection. */
  streamEnd(): void
  /** What was sent is not XMPP. */
  fault(error: StreamError): void
  /** TLS is negotiated. */
  secured(): void
  /** `deadline` is over. */
  expired(): void
  /** About twice a second. */
  tick(now: number): void
  /** There is no connection any more. Called once. */
  gone(reason: string): void
}

/** Reasons not to read. */
export const HOLD = 1
export const QUEUE_FULL = 2
export const OUTPUT_FULL = 4

/** Above this a tick's output is handed on before the tick ends. */
const WRITE_SIZE = 65536

/** Milliseconds between the end of a connection and its destruction. */
const LINGER = 5000

const IGNORED: Record<string, string> = {}

/**
 * Bytes to elements and back, over whatever carries them: one parser, one write per tick, bounds on both sides.
 * An idle connection must stay small: no buffers, timers or functions of its own.
 */
export abstract class Connection implements ParserHandlers {
  owner: ConnectionOwner | undefined
  /** Whoever counts the connections. */
  keeper: { connectionGone(): void } | undefined
  abstract readonly transport: 'tcp' | 'tls' | 'websocket'
  abstract readonly secure: boolean
  abstract readonly framing: Framing
  /** Milliseconds since the epoch, 0 for none: then the owner is told, or once ended the connection destroyed. */
  deadline = 0
  /** When something came last, and when something was sent; milliseconds since the epoch, not exact. */
  lastRead: number
  lastWrite: number
  /** Output that may wait for a peer that does not read, in UTF-16 units; above it the connection is destroyed. */
  maxOutput = 8 * 1024 * 1024
  protected readonly parser: StreamParser
  /** The transport takes no more at the moment. */
  protected blocked = false
  #queued = 0
  #paused = 0
  #ending = false
  #gone = false
  #lost: string | undefined

  /** For logs and limits; IPv4 as such, also where it came through an IPv6 socket. */
  readonly remoteAddress: string

  /** @param contentNs the namespace of stanzas */
  constructor(
    remoteAddress: string | undefined,
    mode: 'stream' | 'frame',
    limits: XmlLimits,
    contentNs: string = NS.CLIENT
  ) {
    this.remoteAddress = (remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '')
    this.parser = new StreamParser({ handlers: this, contentNs, mode, limits })
    watch(this)
    this.lastRead = this.lastWrite = coarseNow()
  }

  /** Appends to the output of this tick. */
  protected abstract append(xml: string): void
  /** Hands the output of this tick to the transport. */
  protected abstract transmit(): void
  /** What waits in the transport, in bytes. */
  protected abstract readonly backlog: number
  protected abstract pauseTransport(): void
  protected abstract resumeTransport(): void
  /** Ends the transport in an orderly way, after what was handed to it. */
  protected abstract endTransport(): void
  protected abstract destroyTransport(): void
  /** A sign of life that is no stanza (RFC 6120 §4.6.1, RFC 7395 §3.8). */
  abstract keepalive(): void
  /** Sends `proceed` and negotiates TLS as a server; false where bytes came too early or TLS is not possible. */
  abstract startTls(context: SecureContext, proceed: string): boolean

  /** What a login can be bound to; undefined outside TLS, and where something else than we ends it. */
  get channelBindings(): ChannelBindings | undefined {
    return undefined
  }

  /** node-xmpp-server writes its own stream id here, which nobody reads. */
  get streamAttrs(): Record<string, string> {
    return IGNORED
  }

  /** Whether nothing can be sent any more. */
  get ended(): boolean {
    return this.#ending
  }

  get limits(): XmlLimits {
    return this.parser.limits
  }
  set limits(limits: XmlLimits) {
    this.parser.limits = limits
  }

  /** Sends text that is complete: an element, a header, an end. */
  send(xml: string): void {
    if (this.#ending) return
    if (this.#queued === 0) flushSoon(this)
    this.#queued += xml.length
    this.append(xml)
    if (this.#queued > WRITE_SIZE) this.#crowded()
  }

  #crowded(): void {
    if (!this.blocked) return this.flush()
    // Who does not read is not read either, and in the end not served.
    this.pause(OUTPUT_FULL)
    if (this.#queued + this.backlog > this.maxOutput) this.lose('it does not read what it is sent')
  }

  /** Writes what waits, unless the transport is blocked. */
  flush(): void {
    if (this.blocked || this.#queued === 0 || this.#gone) return
    this.#queued = 0
    this.lastWrite = coarseNow()
    this.transmit()
  }

  /** The transport takes output again. */
  protected drained(): void {
    this.blocked = false
    this.flush()
    if (!this.blocked) this.resume(OUTPUT_FULL)
  }

  /** Stops reading for a reason: nothing is told to the owner until every reason is withdrawn. */
  pause(reason: number): void {
    const before = this.#paused
    this.#paused = before | reason
    if (before !== 0) return
    this.parser.pause()
    this.pauseTransport()
  }

  resume(reason: number): void {
    if ((this.#paused & reason) === 0) return
    this.#paused &= ~reason
    if (this.#paused !== 0 || this.#gone) return
    this.resumeTransport()
    this.parser.resume()
  }

  /** A new stream begins with the next byte (RFC 6120 §4.3.3). */
  restart(): void {
    this.parser.reset()
  }

  /** What the transport has read. */
  protected read(chunk: Buffer): void {
    this.lastRead = coarseNow()
    this.parser.write(chunk)
  }

  /**
   * Sends what waits and ends the connection; what still comes is dropped. It is destroyed when the peer has
   * ended it too, or soon after.
   */
  end(): void {
    if (this.#ending) return
    this.flush()
    this.#ending = true
    this.parser.stop()
    this.deadline = Date.now() + LINGER
    // Reading goes on, so that the peer's end is seen and what we sent is not lost to a reset.
    this.#paused = 0
    this.resumeTransport()
    this.endTransport()
  }

  /**
   * Ends the connection at once; what was sent may be lost. The owner is told later, for this happens in the
   * middle of whatever sends.
   */
  lose(reason: string): void {
    this.#ending = true
    this.#lost ??= reason
    this.destroyTransport()
  }

  /** The transport has ended. */
  protected closed(reason: string): void {
    if (this.#gone) return
    this.#gone = true
    this.#ending = true
    unwatch(this)
    this.parser.stop()
    this.owner?.gone(this.#lost ?? reason)
    this.keeper?.connectionGone()
  }

  sweep(now: number): void {
    if (this.deadline === 0 || now < this.deadline) this.owner?.tick(now)
    else if (this.#ending) this.lose('it did not end the connection')
    else this.owner?.expired()
  }

  onOpen(header: StreamHeader): void {
    this.owner?.header(header)
  }
  onStanza(stanza: Element, bytes: number): void {
    this.owner?.element(stanza, bytes)
  }
  onClose(): void {
    this.owner?.streamEnd()
  }
  onError(error: StreamError): void {
    this.owner?.fault(error)
  }
}
