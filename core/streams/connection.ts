import type { SecureContext } from 'node:tls'
import type { StreamError } from '../errors'
import { NS } from '../xml/namespaces'
import type { Element } from '../xml/element'
import type { XmlLimits } from '../xml/limits'
import { StreamParser, type ParserHandlers, type StreamHeader } from '../xml/parser'
import type { ChannelBindings } from './channel-binding'
import { flushSoon } from './flusher'
import type { Framing } from './framing'
import { backlogs } from './rates/backlogs'
import { Meter } from './rates/meter'
import type { Ticket } from './rates/admission'
import type { Traffic } from './rates/traffic'
import { awaitTurn } from './rates/turns'
import { coarseNow, unwatch, watch } from './sweeper'

/** What a connection tells the stream that runs over it. */
export interface ConnectionOwner {
  header(header: StreamHeader): void
  /** A top-level element, and its size as it was sent. */
  element(element: Element, bytes: number): void
  /** The peer closed its stream. */
  streamEnd(): void
  /** The peer closed its half of the connection; where this is missing, that is like closing the stream. */
  cut?(): void
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
/** More came than its rate allows; withdrawn by the sweep. */
export const RATE = 8
/** Others are served first. */
export const TURN = 16

/** Above this a tick's output is handed on before the tick ends. */
const WRITE_SIZE = 65536

/** Stanzas, large ones counted for several, that a connection brings within a sweep before it has to take turns. */
const QUIET = 32
/** Stanzas of one turn. */
const SLICE = 16
/** Bytes of a stanza that count as one more. */
const LARGE = 1024

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
  /** What holds for all connections of its kind: rates, and how long it may not read. None where nothing is set. */
  traffic: Traffic | undefined
  protected readonly parser: StreamParser
  /** The transport takes no more at the moment. */
  protected blocked = false
  #queued = 0
  #paused = 0
  #ending = false
  #gone = false
  #lost: string | undefined
  #ticket: Ticket | undefined
  #meter: Meter | undefined
  /** What it may still bring before others have their turn; `#busy` when it has taken turns since the last sweep. */
  #allowance = QUIET
  #busy = false

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

  /** Its place among the connections of its address, which it leaves when it is gone. */
  get ticket(): Ticket | undefined {
    return this.#ticket
  }
  set ticket(ticket: Ticket | undefined) {
    this.#ticket = ticket
    if (ticket) ticket.connection = this
  }

  /** Appends to the output of this tick. */
  protected abstract append(xml: string): void
  /**
   * Hands output to the transport, as much as it takes but no more than about `WRITE_SIZE` at once, so that what is
   * taken can be seen. Returns what is left, in UTF-16 units; then the transport is blocked.
   */
  protected abstract transmit(): number
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
    const waiting = this.#queued + this.backlog
    if (waiting > this.maxOutput) this.lose('it does not read what it is sent')
    else backlogs.note(this, waiting)
  }

  /** Writes what waits, unless the transport is blocked. */
  flush(): void {
    if (this.blocked || this.#queued === 0 || this.#gone) return
    this.lastWrite = coarseNow()
    this.#queued = this.transmit()
  }

  /** The transport takes output again. */
  protected drained(): void {
    this.blocked = false
    this.flush()
    if (this.blocked) return
    backlogs.forget(this)
    this.resume(OUTPUT_FULL)
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
    if (this.traffic) this.#spend(this.traffic, chunk.length, 0)
    this.parser.write(chunk)
  }

  /** What has come counts; where it is too much, no more is read until time has made up for it. Nothing is lost. */
  #spend(traffic: Traffic, bytes: number, stanzas: number): void {
    if (!traffic.metered) return
    const now = coarseNow()
    const meter = (this.#meter ??= new Meter(traffic.rates, now))
    meter.count(bytes, stanzas)
    if (!meter.overdrawn(traffic.rates, now) || (this.#paused & RATE) !== 0 || this.#ending) return
    traffic.paused()
    this.pause(RATE)
  }

  /** Its turn has come. */
  turn(): void {
    this.#allowance = SLICE
    this.resume(TURN)
  }

  #giveWay(): void {
    this.#busy = true
    if ((this.#paused & TURN) !== 0 || this.#ending) return
    this.pause(TURN)
    awaitTurn(this)
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
    backlogs.forget(this)
    this.#ticket?.leave()
    this.owner?.gone(this.#lost ?? reason)
    this.keeper?.connectionGone()
  }

  sweep(now: number): void {
    this.#look(now, this.traffic)
    if (this.deadline === 0 || now < this.deadline) this.owner?.tick(now)
    else if (this.#ending) this.lose('it did not end the connection')
    else this.owner?.expired()
  }

  #look(now: number, traffic: Traffic | undefined): void {
    if (this.blocked && traffic?.isLong(now - this.lastWrite)) {
      return this.lose('it has not read for too long what it is sent')
    }
    // Who is not read for a reason of ours is not silent.
    if ((this.#paused & ~OUTPUT_FULL) !== 0) this.lastRead = now
    if (this.#meter && traffic) this.#settle(this.#meter, traffic, now)
    if (this.#paused !== 0) return
    if (!this.#busy) this.#allowance = QUIET
    this.#busy = false
  }

  #settle(meter: Meter, { rates }: Traffic, now: number): void {
    if ((this.#paused & RATE) === 0) {
      if (meter.full(rates, now)) this.#meter = undefined
    } else if (!meter.overdrawn(rates, now)) {
      // All that were paused come back at this moment: one after the other.
      this.#giveWay()
      this.resume(RATE)
    }
  }

  onOpen(header: StreamHeader): void {
    this.owner?.header(header)
  }
  onStanza(stanza: Element, bytes: number): void {
    this.owner?.element(stanza, bytes)
    if (this.traffic) this.#spend(this.traffic, 0, 1)
    this.#allowance -= 1 + Math.floor(bytes / LARGE)
    if (this.#allowance <= 0) this.#giveWay()
  }
  onClose(): void {
    this.owner?.streamEnd()
  }
  onError(error: StreamError): void {
    this.owner?.fault(error)
  }
}
