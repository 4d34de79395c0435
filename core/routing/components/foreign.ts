import { StanzaError, StreamError } from '../../errors'
import type { Host, Relay, Relayed } from '../../hosts/host'
import type { JID } from '../../jid'
import type { Log } from '../../log'
import type { Port } from '../../streams/ports'
import type { ComponentDoor, EnteredStream } from '../../streams/component/backend'
import { readdress, type Element } from '../../xml/element'
import { serialize } from '../../xml/serialize'
import type { Carrier, CarrierStream } from '../carrier'
import type { Origin } from '../origin'
import type { AcceptOptions, ComponentStatus } from './api'
import type { Counts } from './counts'
import { WaitingRoom, type Verdict } from './waiting'

export interface ForeignParts {
  log: Log
  counts: Counts
  /** Whom the component is asked by whether it is there. */
  asker(): string
  carrier(stream: CarrierStream): Carrier
}

/** A host whose work is done by a foreign component: its stream, if it is there, and what waits for it if not. */
export class ForeignComponent implements ComponentDoor, CarrierStream {
  readonly relay: Relay = { stanza: event => this.#deliver(event) }
  readonly #host: Host
  readonly #parts: ForeignParts
  readonly #origin: Origin
  readonly #carrier: Carrier
  readonly #waiting = new WaitingRoom({
    limits: () => this.options.waiting,
    giveUp: event => this.#refuse(event)
  })
  #stream: EnteredStream | undefined
  #full = false
  #since = Date.now()
  #problem: string | undefined

  constructor(
    host: Host,
    public options: AcceptOptions,
    parts: ForeignParts
  ) {
    this.#host = host
    this.#parts = parts
    this.#origin = { kind: 'component', name: host.name }
    this.#carrier = parts.carrier(this)
  }

  get secret(): string {
    return this.options.secret
  }

  get asker(): string {
    return this.#parts.asker() || this.#host.name
  }

  get waiting(): number {
    return this.#waiting.length
  }

  sift(verdict: Verdict): void {
    this.#waiting.sift(verdict)
  }

  listensAt({ address, port }: Port): boolean {
    return this.options.listen.some(one => one.address === address && one.port === port)
  }

  /** Who is connected stays; but not with a secret that is no longer the right one. */
  configure(options: AcceptOptions): void {
    const old = this.options
    this.options = options
    this.#stream?.behave(this.#behaviour())
    // RFC 6120 §4.9.3.16
    if (old.secret !== options.secret) this.#stream?.close(new StreamError('reset', 'the secret has changed'))
  }

  close(error: StreamError): void {
    this.#stream?.close(error)
    this.#waiting.close()
  }

  status(): ComponentStatus {
    return {
      host: this.#host.name,
      domain: this.#host.name,
      direction: 'accepted',
      connected: this.#stream !== undefined,
      peer: this.#stream?.remoteAddress,
      since: this.#since,
      problem: this.#problem,
      waiting: this.#waiting.length
    }
  }

  // --- its stream

  enter(stream: EnteredStream): StreamError | undefined {
    const { log } = this.#parts
    const component = this.#host.name
    if (this.#stream) {
      log.warn({ component, from: stream.remoteAddress }, 'refused: the component is connected already')
      this.#stream.probe()
      return new StreamError('conflict', 'the component is connected already')
    }
    this.#stream = stream
    this.#since = Date.now()
    this.#problem = undefined
    stream.behave(this.#behaviour())
    if (this.#full) stream.pause()
    this.#parts.counts.connected('accepted', 1)
    log.info({ component, from: stream.remoteAddress }, 'the component is connected')
    return undefined
  }

  entered(stream: EnteredStream): void {
    this.#waiting.leave(xml => stream.sendRaw(xml))
  }

  left(stream: EnteredStream, reason: string): void {
    if (this.#stream !== stream) return
    this.#stream = undefined
    this.#since = Date.now()
    this.#problem = reason
    this.#parts.counts.connected('accepted', -1)
    this.#parts.log.warn({ component: this.#host.name, reason }, 'the component is away')
  }

  #behaviour() {
    const { keepalive, silence, silenceAnswer } = this.options
    return { keepalive, silence, silenceAnswer }
  }

  // --- from it

  stanza(stanza: Element, from: JID, bytes: number): void {
    this.#carrier.stanza(stanza, from, bytes, this.#origin)
  }

  pause(): void {
    this.#full = true
    this.#stream?.pause()
  }

  resume(): void {
    this.#full = false
    this.#stream?.resume()
  }

  // --- for it

  /** Everything that is addressed to the host. */
  #deliver(event: Relayed): void {
    const { stanza } = event
    // XEP-0114 §3: it has a `from`, also where it answers a stanza that named nobody
    const xml = serialize(stanza.attrs.from ? stanza : readdress(stanza, { from: this.asker }))
    if (this.#stream) this.#stream.sendRaw(xml)
    else this.#waiting.add(event, xml)
  }

  /** RFC 6120 §8.3.3.19, of a type that says that it may come back. Presence is dropped, as for anybody who is away. */
  #refuse(event: Relayed): void {
    this.#parts.counts.bounced('accepted')
    if (event.stanza.name === 'presence') return
    event.fail(
      new StanzaError('service-unavailable', { type: 'wait', text: 'the component is not connected' })
    )
  }
}
