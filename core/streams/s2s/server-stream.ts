import { StreamError } from '../../errors'
import { JID } from '../../jid'
import { el, firstChild, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import { serialize } from '../../xml/serialize'
import { QUEUE_FULL } from '../connection'
import type { AnnouncedLimits } from '../rates/announce'
import { SM } from '../smacks'
import { CLOSED, ONLINE, pingOf, Stream } from '../stream'
import { coarseNow } from '../sweeper'
import { Acks } from './acks'
import type { Failure, Lane, Parcel, PeerStream, ServerStreamBackend } from './backend'
import type { ServerConnection } from './connection'
import { dialbackXml, errorXml, isDialback, readDialback, type DialbackElement } from './dialback'
import { Pairs } from './pairs'
import type { PeerPolicy, ServerStreamSettings } from './settings'

/**
 * What both ends of a stream between servers have in common: which pairs of domains may use it in which direction,
 * acknowledgements, and answers to whoever asks for the authoritative server.
 */
export abstract class ServerStream extends Stream implements PeerStream {
  abstract readonly direction: 'in' | 'out'
  /** What the peer said to be, or what it was called for. */
  remote = ''
  /** How the peer was authenticated, or we were; '' before. */
  auth: 'external' | 'dialback' | '' = ''
  /** Both sides may send on it (XEP-0288). */
  bidi = false
  /** The pairs whose stanzas the peer may send here. */
  readonly receives = new Pairs()
  failure: Failure | undefined
  /** When a stanza went over it last. */
  lastStanza = coarseNow()
  protected acks: Acks | undefined
  /** What the peer sends is counted: from its <enabled/> on, for what it sent before it did not count itself. */
  protected counts = true
  /** Bytes of a stanza that the peer takes (XEP-0478), as far as it has said. */
  #peerTakes = Infinity
  /** When it was about to be closed; 0: it is not. */
  #leaving = 0
  /** The peer has ended it with an error. */
  #complained = false
  /** Somebody waits for room. */
  #starved = false
  /** It was ended in good order, and what the peer has under way is still taken. */
  #lingers = false

  protected constructor(
    protected override readonly connection: ServerConnection,
    protected override readonly settings: ServerStreamSettings,
    protected readonly backend: ServerStreamBackend
  ) {
    super(connection, settings, backend)
    connection.whenDrained = () => this.#relieve()
  }

  /** Whether acknowledgements are in use. */
  get managed(): boolean {
    return this.acks !== undefined
  }

  /** What the peer has not acknowledged, in stanzas. */
  get unacknowledged(): number {
    return this.acks?.queue.length ?? 0
  }

  satisfies({ tls, auth }: PeerPolicy, remote: string): boolean {
    if (tls === 'required' && !this.secure) return false
    return auth === 'dialback' || this.proves(remote)
  }

  /** Whether the certificate that was shown in TLS is good for that domain, now (XEP-0178 §3). */
  protected proves(domain: string): boolean {
    return this.secure && domain !== '' && this.connection.certificateProblem(domain) === undefined
  }

  // --- sending stanzas

  /** Whether a stanza may be sent now; if not, the backend hears of it when it may. */
  hasRoom(): boolean {
    const { connection, acks } = this
    // Also in the midst of its end, when whoever is told of it sends something else
    if (this.closed) return false
    if (connection.writable && !(acks?.queue.full(this.settings.window) ?? false)) return true
    this.#starved = true
    return false
  }

  /** Sends a stanza of a pair that may use the stream. */
  deliver(parcel: Parcel): void {
    const { xml } = parcel
    if (xml.length * 3 > this.#peerTakes && Buffer.byteLength(xml) > this.#peerTakes) {
      parcel.lane.delivered(parcel)
      return this.backend.tooLarge(parcel, this.#peerTakes)
    }
    this.lastStanza = coarseNow()
    this.connection.send(xml)
    if (this.acks) this.acks.push(parcel)
    else parcel.lane.delivered(parcel)
  }

  /** The peer has told its limits: what is larger is not sent, for that would end the stream of all. */
  protected takesAtMost({ maxBytes }: AnnouncedLimits): void {
    this.#peerTakes = maxBytes ?? Infinity
  }

  #relieve(): void {
    if (!this.#starved || this.phase === CLOSED || !this.hasRoom()) return
    this.#starved = false
    this.backend.room(this)
  }

  protected ask(): void {
    if (this.acks) this.connection.send(`<r xmlns='${SM}'/>`)
    else if (this.#canAnswer) this.connection.send(serialize(pingOf(this.domain, this.remote)))
  }

  /** Without acknowledgements the answer to a ping comes over the stream that the peer has opened, or over none. */
  get #canAnswer(): boolean {
    return this.acks !== undefined || (this.bidi && this.direction === 'in')
  }

  /** Who cannot answer is not silent: TCP tells whether it is there, and what is idle is closed in good order. */
  protected override silent(): void {
    if (this.#canAnswer) super.silent()
  }

  /** Counts nothing that comes from now on, so that the peer sends it again to whoever comes after us. */
  freeze(): void {
    this.counts = false
  }

  // --- receiving

  pause(): void {
    this.connection.pause(QUEUE_FULL)
  }

  resume(): void {
    this.connection.resume(QUEUE_FULL)
  }

  /** The handlers of a stanza have ended. */
  settled(ticket: number): void {
    if (ticket !== 0) this.acks?.handled.done(ticket - 1)
  }

  element(element: Element, bytes: number): void {
    const { name, attrs } = element
    const { xmlns } = attrs
    const isStanza = xmlns === undefined && (name === 'message' || name === 'presence' || name === 'iq')
    // RFC 6120 §4.4
    if (isStanza && (this.phase !== CLOSED || this.#lingers)) return this.#stanza(element, bytes)
    if (this.phase === CLOSED) return
    if (xmlns === undefined) return this.close(new StreamError('unsupported-stanza-type'))
    if (xmlns === SM) return this.#management(element)
    if (isDialback(element)) return this.#dialback(element)
    if (xmlns === NS.STREAM && name === 'error') return this.peerError(element)
    this.negotiate(element)
  }

  /** An element that is part of the negotiation. */
  protected abstract negotiate(element: Element): void
  /** An answer to a dialback element of ours, or a key. */
  protected abstract dialback(element: DialbackElement): void

  // RFC 6120 §8.1.1.2, §8.1.2.2
  #stanza(stanza: Element, bytes: number): void {
    const { attrs } = stanza
    if (this.receives.size === 0) return this.close(new StreamError('not-authorized', 'authenticate first'))
    const from = JID.tryParse(attrs.from)
    const to = JID.tryParse(attrs.to)
    if (!from || !to) {
      const text = 'a stanza between servers has addresses in `from` and `to`'
      return this.close(new StreamError('improper-addressing', text))
    }
    if (!this.receives.has(from.domain, to.domain)) return this.close(this.#stray(from, to))
    // Whoever compares it later does not have to prepare it again
    if (attrs.from !== from.full) attrs.from = from.full
    this.lastStanza = coarseNow()
    this.backend.stanza(
      this,
      stanza,
      from,
      bytes,
      this.acks && this.counts ? this.acks.handled.take() + 1 : 0
    )
  }

  #stray(from: JID, to: JID): StreamError {
    if (!this.receives.hasRemote(from.domain))
      return new StreamError('invalid-from', `you are not authenticated as ${from.domain}`)
    return new StreamError('host-unknown', `you are not authenticated to send to ${to.domain}`)
  }

  protected peerError(error: Element): void {
    const condition = firstChild(error)?.name ?? 'undefined-condition'
    this.#complained = condition !== 'system-shutdown' && condition !== 'reset'
    const { log } = this.backend
    // Before it has shown who it is, anybody may say so; where we have called, whoever wanted to send tells the log
    const level = this.phase === ONLINE ? 'info' : 'debug'
    const data = { condition, domain: this.domain, remote: this.remote }
    log[level](data, 'another server reports a stream error')
    this.streamEnd()
  }

  // --- acknowledgements

  #management(element: Element): void {
    switch (element.name) {
      case 'r':
        return this.acks?.requested()
      case 'a':
        return this.#acknowledged(element)
      case 'enable':
        return this.enable()
      case 'resume':
        // XEP-0198 §5: what was not acknowledged is sent again by whoever sent it, on a new stream
        return this.answer(el('failed', SM, el('item-not-found', NS.STANZA_ERRORS)))
      default:
        return this.managementAnswer(element)
    }
  }

  #acknowledged(element: Element): void {
    if (!this.acks) return
    try {
      this.acks.acknowledged(element)
    } catch (error) {
      if (!(error instanceof StreamError)) throw error
      return this.close(error)
    }
    if (this.#leaving !== 0 && this.unacknowledged === 0) this.#end()
    else this.#relieve()
  }

  /** The peer wants acknowledgements. */
  protected enable(): void {
    this.answer(el('failed', SM, el('unexpected-request', NS.STANZA_ERRORS)))
  }

  protected managementAnswer(element: Element): void {
    this.close(new StreamError('unsupported-stanza-type', `unexpected <${element.name}/>`))
  }

  protected newAcks(): Acks {
    return new Acks({
      send: xml => this.connection.send(xml),
      timeout: this.settings.ackTimeout,
      now: coarseNow
    })
  }

  // --- dialback

  #dialback(element: Element): void {
    const read = readDialback(element)
    if (!read) return this.close(new StreamError('improper-addressing', 'dialback is between two domains'))
    if (read.name === 'verify' && read.type === '') return this.#answerVerify(read)
    this.dialback(read)
  }

  /** As the authoritative server of the domain that is asked for (XEP-0220 §2.2.2). */
  #answerVerify({ from, to, id, key, written }: DialbackElement): void {
    const attrs = { from: written.to, to: written.from, id }
    if (!this.backend.isLocal(to)) {
      const error = errorXml('item-not-found')
      return this.connection.send(dialbackXml('verify', { ...attrs, type: 'error' }, error))
    }
    const valid = id !== '' && this.backend.keys.matches(key, from, to, id)
    this.connection.send(dialbackXml('verify', { ...attrs, type: valid ? 'valid' : 'invalid' }))
  }

  /** The policy has changed: the peer may not send for this pair any more. */
  withdraw(local: string, remote: string, text = `${local} does not federate with ${remote}`): void {
    if (!this.receives.delete(remote, local)) return
    if (this.receives.size === 0) this.close(new StreamError('policy-violation', text))
  }

  // --- time and end

  override tick(now: number): void {
    super.tick(now)
    if (this.phase !== ONLINE) return
    // RFC 6120 §13.7.2.3
    if (now > this.connection.believedUntil)
      return this.close(new StreamError('reset', 'your certificate has expired'))
    if (this.acks && !this.acks.tick(now)) {
      return this.close(new StreamError('connection-timeout', 'no acknowledgement'))
    }
    const { closeTimeout } = this.settings
    // Who has opened it knows better when it is of no use any more
    const idle = this.settings.idle * (this.direction === 'in' && !this.bidi ? 2 : 1)
    if (this.#leaving !== 0 && now - this.#leaving >= closeTimeout) return this.#end()
    if (idle > 0 && now - this.lastStanza >= idle && this.unacknowledged === 0) this.close()
  }

  override streamEnd(): void {
    this.#lingers = false
    if (this.phase === ONLINE) this.acks?.acknowledge()
    super.streamEnd()
  }

  override get closed(): boolean {
    return super.closed || this.#leaving !== 0
  }

  /** Without an error, what was sent has a moment to be acknowledged first. */
  override close(error?: StreamError): void {
    if (this.phase !== ONLINE) return super.close(error)
    if (error || this.unacknowledged === 0) return this.#end(error)
    if (this.#leaving !== 0) return
    this.#leaving = Date.now()
    this.acks?.ask()
    this.backend.leaving(this)
  }

  #end(error?: StreamError): void {
    this.acks?.acknowledge()
    // With acknowledgements what comes now comes again, on another stream
    this.#lingers = error === undefined && !this.acks
    super.close(error)
  }

  protected over(reason: string): void {
    const left = this.acks?.queue.drain() ?? []
    const lanes = new Map<Lane, Parcel[]>()
    for (const parcel of left) {
      const parcels = lanes.get(parcel.lane)
      if (parcels) parcels.push(parcel)
      else lanes.set(parcel.lane, [parcel])
    }
    for (const [lane, parcels] of lanes) lane.returned(parcels, this.#complained)
    this.backend.closed(this, reason)
  }
}
