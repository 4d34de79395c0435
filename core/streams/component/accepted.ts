import { errorReply, StanzaError, StreamError } from '../../errors'
import { JID } from '../../jid'
import { el, firstChild, nsOf, textOf, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { StreamHeader } from '../../xml/parser'
import { serialize } from '../../xml/serialize'
import { QUEUE_FULL, type Connection } from '../connection'
import type { Port } from '../ports'
import type { StreamSettings } from '../settings'
import { HEADER, NEGOTIATING, ONLINE, pingOf, Stream } from '../stream'
import { domainOf } from './addresses'
import type { ComponentBackend, ComponentDoor, EnteredStream, Refusal } from './backend'
import { handshakeMatches } from './handshake'

/** The stream of an external component that connects to us: XEP-0114 §3 as the server. */
export class ComponentStream extends Stream implements EnteredStream {
  readonly #backend: ComponentBackend
  readonly #port: Port
  #door: ComponentDoor | undefined
  #entered = false
  /** When it was asked whether it is there, because another one came; 0 for never. */
  #probed = 0

  /**
   * @param settings the stream's own, which those of the component are added to
   * @param port where it came in
   */
  constructor(connection: Connection, backend: ComponentBackend, settings: StreamSettings, port: Port) {
    super(connection, settings, backend)
    this.#backend = backend
    this.#port = port
  }

  sendRaw(xml: string): void {
    if (this.phase === ONLINE) this.connection.send(xml)
  }

  behave(settings: Partial<StreamSettings>): void {
    Object.assign(this.settings, settings)
  }

  pause(): void {
    this.connection.pause(QUEUE_FULL)
  }

  resume(): void {
    this.connection.resume(QUEUE_FULL)
  }

  probe(): void {
    if (this.phase !== ONLINE || this.#probed > 0) return
    this.#probed = Date.now()
    this.ask()
  }

  override tick(now: number): void {
    super.tick(now)
    if (this.#probed === 0) return
    if (this.connection.lastRead > this.#probed) this.#probed = 0
    else if (now - this.#probed >= this.settings.silenceAnswer)
      this.close(new StreamError('connection-timeout', 'no answer'))
  }

  header(header: StreamHeader): void {
    if (this.phase !== HEADER) return
    this.phase = NEGOTIATING
    const to = JID.tryParse(header.element.attrs.to ?? '')
    const domain = to?.kind === 'host' ? to.domain : ''
    const door = domain === '' ? undefined : this.#backend.door(domain, this.#port)
    // XEP-0114 §3: `from` is the component's name; RFC 6120 §4.9.1.3: or ours, where that is unknown
    this.sendHeader(door ? domain : this.#backend.defaultDomain(), '', true)
    if (!door) return this.#refuse('host-unknown', 'no component of that name may connect here', domain)
    this.domain = domain
    this.#door = door
  }

  element(element: Element, bytes: number): void {
    if (this.phase === ONLINE) return isStanza(element) ? this.#stanza(element, bytes) : this.#other(element)
    if (this.phase !== NEGOTIATING || !this.#door) return
    if (element.name === 'handshake' && element.attrs.xmlns === undefined)
      return this.#handshake(element, this.#door)
    if (nsOf(element) === NS.STREAM) return this.#other(element)
    // XEP-0114 §3: nothing comes before the handshake
    this.#refuse('not-authorized', 'the handshake comes first')
  }

  #handshake(element: Element, door: ComponentDoor): void {
    if (!handshakeMatches(textOf(element), this.id, door.secret))
      return this.#refuse('not-authorized', 'the handshake is wrong')
    // Only here, so that strangers do not learn who is connected
    const fault = door.enter(this)
    if (fault) return this.#refuse('conflict', fault.text)
    this.#entered = true
    this.phase = ONLINE
    this.connection.deadline = 0
    this.trusted()
    this.answer(el('handshake'))
    door.entered(this)
  }

  #refuse(condition: Refusal, text: string | undefined, name = this.domain): void {
    this.#backend.refused(condition, this.remoteAddress, name, text)
    this.close(new StreamError(condition, text))
  }

  #stanza(stanza: Element, bytes: number): void {
    const from = JID.tryParse(stanza.attrs.from ?? '')
    const domain = from?.domain ?? domainOf(stanza.attrs.from)
    // RFC 6120 §4.9.3.7
    if (domain === undefined)
      return this.close(new StreamError('improper-addressing', 'every stanza needs a `from`'))
    // XEP-0114 §3, RFC 6120 §4.9.3.9
    if (domain !== this.domain) return this.close(new StreamError('invalid-from', `you are ${this.domain}`))
    if (!from) return this.#malformed(stanza)
    stanza.attrs.from = from.full
    this.#door?.stanza(stanza, from, bytes)
  }

  #malformed(stanza: Element): void {
    const reply = errorReply(stanza, new StanzaError('jid-malformed', 'the address in `from` is not a JID'))
    if (reply) this.sendRaw(serialize(reply))
  }

  /** A top-level element that is no stanza (RFC 6120 §4.8.4). */
  #other(element: Element): void {
    const ns = nsOf(element)
    if (ns === NS.STREAM && element.name === 'error') {
      const condition = firstChild(element)?.name ?? 'none'
      this.#backend.log.info({ component: this.domain, condition }, 'a component reports a stream error')
      return this.streamEnd()
    }
    // RFC 6120 §4.8.3
    if (ns === NS.CLIENT || ns === NS.SERVER)
      return this.close(new StreamError('invalid-namespace', `stanzas are in ${NS.COMPONENT} here`))
    this.close(new StreamError('unsupported-stanza-type'))
  }

  protected ask(): void {
    this.sendRaw(serialize(pingOf(this.#door?.asker ?? this.domain, this.domain)))
  }

  /** There is no TLS on these streams. */
  secured(): void {
    return undefined
  }

  protected over(reason: string): void {
    if (this.#entered) this.#door?.left(this, reason)
    this.#door = undefined
  }
}

function isStanza({ name, attrs }: Element): boolean {
  return attrs.xmlns === undefined && (name === 'message' || name === 'presence' || name === 'iq')
}
