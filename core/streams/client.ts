import { StanzaError } from '../errors'
import { el, type Element } from '../xml/element'
import { serialize } from '../xml/serialize'
import type { StreamBackend } from './backend'
import { negotiationOf, sessionResult } from './binding'
import { QUEUE_FULL, type Connection } from './connection'
import type { ResumeOutcome } from './negotiable'
import { isStanza, Negotiation } from './negotiation'
import type { StreamSettings } from './settings'
import { CLOSED, pingOf } from './stream'

/*
 * Where to look: `negotiable.ts` says which steps lead to a bound resource and how to take them in another way than
 * RFC 6120's (SASL2, Bind 2), `negotiation.ts` takes them, this file is what comes after.
 */

/** A client's stream and, once a resource is bound, its session. */
export class ClientStream extends Negotiation {
  /** What is sent while a resource is being bound. */
  #early: string[] | undefined

  constructor(connection: Connection, backend: StreamBackend, settings: StreamSettings) {
    super(connection, backend, settings)
  }

  send(stanza: Element): void {
    if (this.phase !== CLOSED) this.sendRaw(serialize(stanza))
  }

  sendRaw(xml: string): void {
    if (this.phase === CLOSED) return
    if (this.#early) this.#early.push(xml)
    else this.connection.send(this.connection.framing.element(xml))
  }

  protected holdBack(): void {
    this.#early = []
  }

  protected letGo(first?: () => void): void {
    const early = this.#early ?? []
    this.#early = undefined
    first?.()
    if (this.jid) for (const xml of early) this.sendRaw(xml)
  }

  /** Stops reading from the client, until `resume`: its queue is full. */
  pause(): void {
    this.connection.pause(QUEUE_FULL)
  }

  resume(): void {
    this.connection.resume(QUEUE_FULL)
  }

  protected override over(reason: string): void {
    this.#early = undefined
    super.over(reason)
  }

  protected ask(): void {
    this.send(pingOf(this.domain, this.jid?.full))
  }

  protected online(element: Element, bytes: number): void {
    const { name, attrs } = element
    if (!isStanza(element)) return this.other(element)
    if (name === 'iq') {
      if (attrs.type === 'set' && this.#renegotiated(element)) return
    } else if (this.lang !== '' && attrs['xml:lang'] === undefined) {
      // RFC 6120 §8.1.5
      attrs['xml:lang'] = this.lang
    }
    this.backend.stanza(this, element, bytes)
  }

  #renegotiated(iq: Element): boolean {
    const negotiation = negotiationOf(iq)
    if (!negotiation) return false
    if (negotiation === 'session') this.send(sessionResult(iq))
    else this.refuse(iq, new StanzaError('not-allowed', 'a resource is bound already'))
    return true
  }

  protected nonza(element: Element): boolean {
    return this.backend.streamElement(this, element)
  }

  enableManagement(): Element {
    return el('failed', 'urn:xmpp:sm:3', el('feature-not-implemented', 'urn:ietf:params:xml:ns:xmpp-stanzas'))
  }

  resumeSession(_resume: Element, outcome: ResumeOutcome): void {
    outcome(
      el('failed', 'urn:xmpp:sm:3', el('feature-not-implemented', 'urn:ietf:params:xml:ns:xmpp-stanzas'))
    )
  }
}
