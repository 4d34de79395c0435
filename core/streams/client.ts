import { StanzaError, StreamError } from '../errors'
import { nsOf, type Element } from '../xml/element'
import { serialize } from '../xml/serialize'
import type { StreamBackend } from './backend'
import { negotiationOf, sessionResult } from './binding'
import { CSI, HeldBack } from './client-state'
import { QUEUE_FULL, type Connection } from './connection'
import type { ResumeOutcome } from './negotiable'
import { isStanza, Negotiation } from './negotiation'
import type { StreamSettings } from './settings'
import { severed } from './severed'
import {
  delayedXml,
  failed,
  Management,
  readCount,
  SM,
  type Copies,
  type Held,
  type ManagedStream
} from './smacks'
import { CLOSED, NEGOTIATING, ONLINE, pingOf } from './stream'
import { coarseNow } from './sweeper'

/*
 * Where to look: `negotiable.ts` says which steps lead to a bound resource and how to take them in another way than
 * RFC 6120's (SASL2, Bind 2), `negotiation.ts` takes them; this file is the session that comes of it, which may
 * outlive its connection (XEP-0198 §5): ONLINE → HIBERNATING → ONLINE …, or CLOSED.
 */

/** Bound, but without a connection. */
const HIBERNATING = 5

/** What a stanza takes beside its own text while it waits: it is sent with the time of its delay then. */
const HELD = 128

const REQUEST = `<r xmlns='${SM}'/>`

/** A client's stream and, once a resource is bound, its session. */
export class ClientStream extends Negotiation implements ManagedStream {
  /** Something of the following stands between `send` and the connection. */
  #aside = false
  /** What is sent while a resource is being bound. */
  #early: Array<{ stanza: Element | string; copies: Copies | undefined }> | undefined
  /** While the client is inactive (XEP-0352). */
  #heldBack: HeldBack | undefined
  #management: Management | undefined

  constructor(connection: Connection, backend: StreamBackend, settings: StreamSettings) {
    super(connection, backend, settings)
  }

  get management(): Management | undefined {
    return this.#management
  }

  get managed(): boolean {
    return this.#management !== undefined
  }

  get hibernating(): boolean {
    return this.phase === HIBERNATING
  }

  // --- sending

  send(stanza: Element, copies?: Copies): void {
    if (this.phase === CLOSED) return
    if (this.#aside) return this.#sendAside(stanza, copies)
    if (copies) copies.arrived = true
    this.connection.send(this.connection.framing.element(serialize(stanza)))
  }

  sendRaw(xml: string): void {
    if (this.phase === CLOSED) return
    if (this.#aside) this.#sendAside(xml, undefined)
    else this.connection.send(this.connection.framing.element(xml))
  }

  #sendAside(stanza: Element | string, copies: Copies | undefined): void {
    if (this.#early) return void this.#early.push({ stanza, copies })
    if (typeof stanza !== 'string') {
      if (this.#heldBack) this.#heldBack.take(stanza, copies)
      else this.#pass(serialize(stanza), copies)
      return
    }
    this.#heldBack?.flush()
    this.#pass(stanza, copies)
  }

  /** Sends what nothing holds back. */
  #pass(xml: string, copies: Copies | undefined): void {
    const management = this.#management
    if (!management) {
      if (copies) copies.arrived = true
      return this.connection.send(this.connection.framing.element(xml))
    }
    const { queue, policy } = management
    const now = Date.now()
    queue.push({ xml, at: now, copies }, xml.length + HELD)
    // All of it must fit into the output of the connection that resumes the session
    const full = queue.full(policy.unacknowledged) || queue.bytes * 2 > this.settings.maxOutput
    if (full && !management.makesRoom()) this.#overflow(management)
    if (this.phase !== ONLINE) return
    this.connection.send(this.connection.framing.element(xml))
    if (queue.due(now, policy.rhythm)) this.#request(management, now)
  }

  #settleAside(): void {
    this.#aside = this.#early !== undefined || this.#heldBack !== undefined || this.#management !== undefined
  }

  protected holdBack(): void {
    this.#early = []
    this.#settleAside()
  }

  protected letGo(first?: () => void): void {
    const early = this.#early ?? []
    this.#early = undefined
    this.#settleAside()
    first?.()
    if (!this.jid) return
    for (const { stanza, copies } of early) {
      if (typeof stanza === 'string') this.sendRaw(stanza)
      else this.send(stanza, copies)
    }
  }

  /** Stops reading from the client, until `resume`: its queue is full. */
  pause(): void {
    if (this.#management) this.#management.stopped = true
    this.connection.pause(QUEUE_FULL)
  }

  resume(): void {
    if (this.#management) this.#management.stopped = false
    this.connection.resume(QUEUE_FULL)
  }

  // --- what comes

  protected online(element: Element, bytes: number): void {
    const { name, attrs } = element
    if (!isStanza(element)) return this.other(element)
    const number = this.#management?.handled.take()
    this.stanzas++
    if (name !== 'iq' || attrs.type === 'set') this.active = coarseNow()
    if (name === 'iq') {
      if (attrs.type === 'set' && this.#renegotiated(element)) {
        if (number !== undefined) this.handled(number)
        return
      }
    } else if (this.lang !== '' && attrs['xml:lang'] === undefined) {
      // RFC 6120 §8.1.5
      attrs['xml:lang'] = this.lang
    }
    this.backend.stanza(this, element, bytes, number)
  }

  handled(number: number): void {
    this.#management?.handled.done(number)
  }

  #renegotiated(iq: Element): boolean {
    const negotiation = negotiationOf(iq)
    if (!negotiation) return false
    if (negotiation === 'session') this.send(sessionResult(iq))
    else this.refuse(iq, new StanzaError('not-allowed', 'a resource is bound already'))
    return true
  }

  protected nonza(element: Element): boolean {
    const { gate } = this.backend
    if (!gate.open && !this.#management) {
      // Who knows it may be about to be swapped
      this.whenOpen(() => this.other(element))
      return true
    }
    const ns = nsOf(element)
    if (ns === SM && (this.#management || this.#offeredManagement)) return this.#manage(element)
    if (this.user === '') return false
    if (ns === CSI) return this.indicateState(element)
    return this.backend.streamElement(this, element)
  }

  protected ask(): void {
    this.send(pingOf(this.domain, this.jid?.full))
  }

  override tick(now: number): void {
    super.tick(now)
    if (this.#management) this.#tend(this.#management, now)
  }

  // --- XEP-0352

  /** Taken at once, so before whatever comes behind it (XEP-0352 §5.1). */
  indicateState({ name }: Element): boolean {
    const host = this.host
    if (name !== 'active' && name !== 'inactive') return false
    if (name === 'active') this.#activate()
    else if (host?.items.list('client-states')[0] && this.phase === ONLINE) {
      this.#heldBack ??= new HeldBack(
        () => host.items.list('client-states')[0],
        (xml, copies) => this.#pass(xml, copies),
        this.backend.log
      )
      this.#settleAside()
    }
    return true
  }

  #activate(): void {
    const heldBack = this.#heldBack
    this.#heldBack = undefined
    heldBack?.flush()
    this.#settleAside()
  }

  // --- XEP-0198

  #manage(element: Element): boolean {
    const management = this.#management
    switch (element.name) {
      // Without stream management there is nothing to say, but no harm done
      case 'r':
        management?.requested(() => this.#tell(management))
        return true
      case 'a':
        if (management) this.#acknowledged(management, element)
        return true
      case 'enable':
        this.#enable(element)
        return true
      case 'resume':
        this.resumeSession(element, (answer, handOver) => {
          this.answer(answer)
          handOver?.()
        })
        return true
      default:
        return false
    }
  }

  get #offeredManagement() {
    return this.host?.items.list('stream-management')[0]
  }

  #enable(element: Element): void {
    const again = this.#management !== undefined
    this.answer(this.enableManagement(element))
    // XEP-0198 §3
    if (again) this.close(new StreamError('policy-violation', 'stream management is enabled already'))
  }

  enableManagement(enable: Element): Element {
    const policy = this.#offeredManagement
    // XEP-0198 §3: not before a resource is bound, and once
    if (this.#management || this.phase !== ONLINE) return failed('unexpected-request')
    if (!policy) return failed('feature-not-implemented')
    const management = new Management(policy, enable)
    this.#management = management
    if (management.resumable) this.backend.managed.add(this, management)
    this.#settleAside()
    return management.enabled()
  }

  #tell(management: Management): void {
    if (this.phase === ONLINE) this.answer(management.acknowledgement())
  }

  #acknowledged(management: Management, { attrs }: Element): void {
    const h = readCount(attrs.h)
    if (h === undefined)
      return this.close(new StreamError('policy-violation', 'an acknowledgement has an h, which is a number'))
    try {
      management.acknowledged(h)
    } catch (error) {
      this.close(error as StreamError)
    }
  }

  #request({ queue }: Management, now: number): void {
    this.connection.send(REQUEST)
    queue.asked(now)
  }

  #tend(management: Management, now: number): void {
    if (this.phase !== ONLINE) return
    management.policy = this.#offeredManagement ?? management.policy
    const { queue, policy } = management
    if (management.hasNews) this.#tell(management)
    if (queue.overdue(now, policy.rhythm)) {
      this.backend.managed.late.inc()
      this.silent()
    } else if (queue.due(now, policy.rhythm, true)) this.#request(management, now)
  }

  /** The client takes too little: memory is not for it alone. Later, for this happens in the middle of whatever sends. */
  #overflow(management: Management): void {
    if (management.overflown) return
    management.overflown = true
    setImmediate(() => {
      if (this.phase === CLOSED) return
      this.backend.managed.overflows.inc()
      this.close(new StreamError('resource-constraint', 'too much of what was sent is not acknowledged'))
    })
  }

  // --- hibernation and resumption

  override gone(reason: string): void {
    if (this.#canHibernate) this.#hibernate()
    else super.gone(reason)
  }

  /** XEP-0198 §7: without `</stream:stream>` the stream is unfinished. */
  override cut(): void {
    if (!this.#canHibernate) return super.cut()
    this.#part()
    this.#hibernate()
  }

  protected override silent(): void {
    if (!this.#canHibernate) return super.silent()
    this.#part(new StreamError('connection-timeout', 'no answer'))
    this.#hibernate()
  }

  get #canHibernate(): boolean {
    const management = this.#management
    return this.phase === ONLINE && management?.resumable === true && !management.overflown
  }

  /** Lets the connection go, with a word to whoever may be there. */
  #part(error?: StreamError): void {
    this.connection.owner = undefined
    this.sayEnd(error)
    this.connection.end()
  }

  #hibernate(): void {
    const management = this.#management as Management
    this.phase = HIBERNATING
    this.connection.owner = undefined
    this.connection = severed(this.connection)
    management.queue.cut()
    management.until = Date.now() + management.patience
    this.backend.managed.hibernate(this, management)
  }

  expire(reason: string): void {
    if (this.phase !== HIBERNATING) return
    this.phase = CLOSED
    this.over(reason)
  }

  resumeSession(resume: Element, outcome: ResumeOutcome): void {
    const { managed } = this.backend
    const refuse = (result: string, answer: Element): void => {
      managed.resumptions.with(result).inc()
      outcome(answer)
    }
    const { previd, h: count } = resume.attrs as Record<string, string | undefined>
    const h = readCount(count)
    if (this.user === '' || this.jid || this.phase !== NEGOTIATING)
      return refuse('refused', failed('unexpected-request'))
    const offered = this.#offeredManagement
    if (!offered) return refuse('refused', failed('feature-not-implemented'))
    if (h === undefined || previd === undefined) return refuse('refused', failed('bad-request'))
    const found = managed.find(previd, this.user, this.domain)
    const session = found.session as ClientStream | undefined
    if (!session?.management) {
      const condition = offered.resumption > 0 ? 'item-not-found' : 'feature-not-implemented'
      return refuse('unknown', failed(condition, (found as { h?: number }).h))
    }
    const { management } = session
    try {
      management.acknowledged(h)
    } catch (error) {
      return this.close(error as StreamError)
    }
    session.#claimedBy(this, management)
    const go = (): void => {
      if (management.claim !== this || session.closed)
        return refuse('unknown', failed('item-not-found', management.handled.h))
      managed.resumptions.with('resumed').inc()
      outcome(management.resumed(), () => session.#takeOver(this, management), session.jid)
    }
    if (management.handled.complete) return go()
    this.wait(management.handledSoon(), go, error => this.broken(error))
  }

  /** From now on nothing that comes over another connection counts. */
  #claimedBy(stream: ClientStream, management: Management): void {
    const conflict = new StreamError('conflict', 'the stream was resumed on another connection')
    const other = management.claim as ClientStream | undefined
    management.claim = stream
    if (other && !other.closed) other.close(conflict)
    if (this.phase !== ONLINE) return
    // XEP-0198 §5
    this.#part(conflict)
    this.#hibernate()
  }

  #takeOver(stream: ClientStream, management: Management): void {
    const { connection } = stream
    stream.phase = CLOSED
    connection.owner = this
    connection.deadline = 0
    this.connection = connection
    this.settings = stream.settings
    this.lang = stream.lang
    this.phase = ONLINE
    management.until = 0
    management.claim = undefined
    this.backend.managed.woken(this)
    if (management.stopped) connection.pause(QUEUE_FULL)
    for (const held of management.queue.pending())
      connection.send(connection.framing.element(delayedXml(held, this.domain)))
    // XEP-0352 §5.2
    this.#activate()
    if (management.queue.length > 0) this.#request(management, Date.now())
  }

  protected override over(reason: string): void {
    const management = this.#management
    this.#aside = false
    this.#early = this.#heldBack = undefined
    if (management) this.backend.managed.remove(this, management)
    super.over(reason)
  }

  protected override unacknowledged(): readonly Held[] {
    return this.#management?.queue.drain() ?? []
  }
}
