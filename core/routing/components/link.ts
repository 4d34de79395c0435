import type { Socket } from 'node:net'
import { errorReply, StanzaError, type StreamError } from '../../errors'
import type { Relayed } from '../../hosts/host'
import type { JID } from '../../jid'
import type { Log } from '../../log'
import { formatPlace } from '../../net'
import { UpstreamStream, type AttachedDomain } from '../../streams/component/connecting'
import { COMPONENT_FRAMING } from '../../streams/component/framing'
import type { Connection } from '../../streams/connection'
import type { StreamSettings } from '../../streams/settings'
import { SocketConnection } from '../../streams/socket-connection'
import type { StreamSurroundings } from '../../streams/stream'
import type { Element } from '../../xml/element'
import { serialize } from '../../xml/serialize'
import type { Carrier, CarrierStream } from '../carrier'
import type { Origin } from '../origin'
import type { AttachOptions, ComponentStatus } from './api'
import { Backoff } from './backoff'
import type { Counts } from './counts'
import { WaitingRoom, type Verdict } from './waiting'

export interface LinkParts {
  counts: Counts
  surroundings: StreamSurroundings
  log: Log
  /** Of a stream that is opened now. */
  settings(): StreamSettings
  /** A connected socket. Rejects with the reason, for the log. */
  dial(server: string, port: number, signal: AbortSignal): Promise<Socket>
  carrier(stream: CarrierStream): Carrier
  /** A connection that was opened, which the server's end waits for. */
  opened(connection: Connection): void
  /** Whether the host answers for that domain; while modules are swapped it may be about to. */
  isServed(domain: string): boolean
  /** Who is asked whether the server of that domain is there. */
  asked(domain: string): string | undefined
}

/** One domain of ours at another server: connected, or on the way to be. */
export class Link implements AttachedDomain, CarrierStream {
  readonly #host: string
  readonly #parts: LinkParts
  readonly #origin: Origin
  readonly #carrier: Carrier
  readonly #backoff = new Backoff(() => this.#options.retry)
  readonly #waiting = new WaitingRoom({
    limits: () => this.#options.waiting,
    giveUp: event => this.#refuse(event)
  })
  #options: AttachOptions
  #stream: UpstreamStream | undefined
  #dialling: AbortController | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** The connection is given up for another one. */
  #moves = false
  #full = false
  #since = Date.now()
  #problem: string | undefined

  /** @param host whose domain it is; the name of the origin of what comes */
  constructor(
    host: string,
    readonly domain: string,
    options: AttachOptions,
    parts: LinkParts
  ) {
    this.#host = host
    this.#options = options
    this.#parts = parts
    this.#origin = { kind: 'upstream', name: host }
    this.#carrier = parts.carrier(this)
    this.#connect()
  }

  get secret(): string {
    return this.#options.secret
  }

  get asked(): string | undefined {
    return this.#parts.asked(this.domain)
  }

  serves(domain: string): boolean {
    return this.#options.domains.includes(domain)
  }

  get waiting(): number {
    return this.#waiting.length
  }

  sift(verdict: Verdict): void {
    this.#waiting.sift(verdict)
  }

  /** Another place or secret means another connection; everything else is taken over by the one there is. */
  configure(options: AttachOptions): void {
    const { server, port, secret } = this.#options
    this.#options = options
    this.#stream?.behave(this.#behaviour())
    if (server === options.server && port === options.port && secret === options.secret) return
    this.#dialling?.abort()
    this.#moves = this.#stream !== undefined
    if (this.#stream) this.#stream.close()
    else this.#again(0)
  }

  /** Ends it; what waits is answered with errors. */
  close(error?: StreamError): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#dialling?.abort()
    this.#stream?.close(error)
    this.#waiting.close()
  }

  status(): ComponentStatus {
    return {
      host: this.#host,
      domain: this.domain,
      direction: 'upstream',
      connected: this.#stream?.attached ?? false,
      peer: this.#place,
      since: this.#since,
      problem: this.#problem,
      waiting: this.#waiting.length
    }
  }

  // --- connecting

  #connect(): void {
    const { server, port } = this.#options
    const dialling = new AbortController()
    this.#dialling = dialling
    this.#parts.dial(server, port, dialling.signal).then(
      socket => (dialling.signal.aborted ? socket.destroy() : this.#open(socket)),
      (error: unknown) => {
        if (!dialling.signal.aborted) this.#failed(error instanceof Error ? error.message : String(error))
      }
    )
  }

  #open(socket: Socket): void {
    this.#dialling = undefined
    const { settings, surroundings } = this.#parts
    const given = { ...settings(), ...this.#behaviour() }
    const connection = new SocketConnection(socket, given.limitsBeforeAuth, undefined, COMPONENT_FRAMING)
    this.#parts.opened(connection)
    this.#stream = new UpstreamStream(connection, this, given, surroundings)
  }

  #behaviour() {
    const { keepalive, silence, silenceAnswer } = this.#options
    return { keepalive, silence, silenceAnswer }
  }

  attached(): void {
    const stream = this.#stream
    if (!stream) return
    this.#backoff.succeeded()
    this.#since = Date.now()
    this.#problem = undefined
    if (this.#full) stream.pause()
    this.#parts.counts.connected('upstream', 1)
    this.#log('info', {}, 'attached')
    this.#waiting.leave(xml => stream.sendRaw(xml))
  }

  detached(reason: string, wasAttached: boolean): void {
    this.#stream = undefined
    if (wasAttached) {
      this.#since = Date.now()
      this.#parts.counts.connected('upstream', -1)
    }
    if (this.#closed) return
    if (!this.#moves) return this.#failed(reason)
    this.#moves = false
    this.#again(0)
  }

  /** The same problem is told once. */
  #failed(reason: string): void {
    const level = this.#problem === reason ? 'debug' : 'warn'
    this.#problem = reason
    const wait = this.#backoff.next()
    this.#log(level, { reason, retrySeconds: Math.round(wait / 100) / 10 }, 'not attached')
    this.#again(wait)
  }

  #again(wait: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#connect(), wait)
  }

  get #place(): string {
    return formatPlace({ host: this.#options.server, port: this.#options.port })
  }

  #log(level: 'debug' | 'info' | 'warn', facts: object, what: string): void {
    this.#parts.log[level]({ component: this.domain, server: this.#place, ...facts }, what)
  }

  // --- from the server

  stanza(stanza: Element, from: JID, to: JID, bytes: number): void {
    if (this.#parts.isServed(to.domain)) return this.#carrier.stanza(stanza, from, bytes, this.#origin)
    const reply = errorReply(
      stanza,
      new StanzaError('service-unavailable', 'nothing answers for that domain')
    )
    if (reply) this.#stream?.sendRaw(serialize(reply))
    this.dropped('no module of the host serves the domain')
  }

  dropped(why: string): void {
    this.#parts.counts.dropped()
    this.#log('debug', { why }, 'a stanza was not taken')
  }

  pause(): void {
    this.#full = true
    this.#stream?.pause()
  }

  resume(): void {
    this.#full = false
    this.#stream?.resume()
  }

  // --- to the server

  /** Takes a stanza of that domain to the server. */
  send(event: Relayed): void {
    const xml = serialize(event.stanza)
    if (this.#stream?.attached) this.#stream.sendRaw(xml)
    else this.#waiting.add(event, xml)
  }

  /** RFC 6120 §8.3.3.17. */
  #refuse(event: Relayed): void {
    this.#parts.counts.bounced('upstream')
    if (event.stanza.name === 'presence') return
    event.fail(new StanzaError('remote-server-timeout', 'this service is not connected to its server'))
  }
}
