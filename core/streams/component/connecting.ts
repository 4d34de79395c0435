import { errorReply, StanzaError, StreamError } from '../../errors'
import { JID } from '../../jid'
import { childrenOf, childText, el, nsOf, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { StreamHeader } from '../../xml/parser'
import { serialize } from '../../xml/serialize'
import { QUEUE_FULL, type Connection } from '../connection'
import type { StreamSettings } from '../settings'
import { HEADER, NEGOTIATING, ONLINE, pingOf, Stream, type StreamSurroundings } from '../stream'
import { domainOf } from './addresses'
import { handshakeOf } from './handshake'

/** Whose stream it is, and who is told of it. */
export interface AttachedDomain {
  /** The component's name, prepared. */
  readonly domain: string
  /** Shared with the server. */
  readonly secret: string
  /** Who is asked whether the server is there; undefined for nobody. */
  readonly asked: string | undefined
  /**
   * Whether stanzas for that domain may come. ejabberd sends what is for one of several components, unless told
   * otherwise (`global_routes: false`), over the connection of any of them.
   */
  serves(domain: string): boolean
  /** The server has taken the handshake. */
  attached(): void
  /** A stanza for that domain. `from` is as the server says: whether it may be is not looked at here. */
  stanza(stanza: Element, from: JID, to: JID, bytes: number): void
  /** A stanza that was not taken, and why. */
  dropped(why: string): void
  /** The stream takes and sends nothing more. Called once. */
  detached(reason: string, wasAttached: boolean): void
}

/** Our stream to a server that we are an external component of: XEP-0114 §3 as the component. */
export class UpstreamStream extends Stream {
  readonly #owner: AttachedDomain
  /** What the server said before it ended the stream. */
  #complaint: string | undefined
  #attached = false
  /** We have ended it in good order, and what the server has under way is still taken. */
  #lingers = false

  /** @param settings the stream's own */
  constructor(
    connection: Connection,
    owner: AttachedDomain,
    settings: StreamSettings,
    surroundings: StreamSurroundings
  ) {
    super(connection, settings, surroundings)
    this.#owner = owner
    this.domain = owner.domain
    this.opened = true
    connection.send(connection.framing.header({ to: this.domain }))
  }

  get attached(): boolean {
    return this.phase === ONLINE
  }

  /** How the stream behaves from now on. */
  behave(settings: Partial<StreamSettings>): void {
    Object.assign(this.settings, settings)
  }

  /** Writes a stanza that is serialised already. */
  sendRaw(xml: string): void {
    if (this.phase === ONLINE) this.connection.send(xml)
  }

  /** Stops reading from the server, until `resume`. */
  pause(): void {
    this.connection.pause(QUEUE_FULL)
  }

  resume(): void {
    this.connection.resume(QUEUE_FULL)
  }

  header({ element }: StreamHeader): void {
    if (this.phase !== HEADER) return
    const { id } = element.attrs
    // Prosody says so that it has no such component: its error follows, and tells more
    if (!id) return
    this.id = id
    this.phase = NEGOTIATING
    this.answer(el('handshake', null, handshakeOf(id, this.#owner.secret)))
  }

  element(element: Element, bytes: number): void {
    if (nsOf(element) === NS.STREAM && element.name === 'error') return this.#error(element)
    // RFC 6120 §4.4
    if (this.phase === ONLINE || this.#lingers) return this.#online(element, bytes)
    if (this.phase === HEADER)
      return this.close(new StreamError('bad-format', 'the server gives the stream no id'))
    if (this.phase !== NEGOTIATING) return
    if (element.name !== 'handshake' || element.attrs.xmlns !== undefined)
      return this.close(new StreamError('not-authorized', 'the handshake comes first'))
    this.phase = ONLINE
    this.#attached = true
    this.connection.deadline = 0
    this.trusted()
    this.#owner.attached()
  }

  #online(stanza: Element, bytes: number): void {
    const { name, attrs } = stanza
    if (attrs.xmlns !== undefined || (name !== 'message' && name !== 'presence' && name !== 'iq'))
      return this.close(new StreamError('unsupported-stanza-type'))
    const from = JID.tryParse(attrs.from ?? '')
    const to = JID.tryParse(attrs.to ?? '')
    const domain = domainOf(attrs.to)
    if (domain === undefined || !this.#owner.serves(domain))
      return this.#owner.dropped('it is for another domain')
    if (!from || !to) return this.#malformed(stanza, from ? 'to' : 'from')
    attrs.from = from.full
    this.#owner.stanza(stanza, from, to, bytes)
  }

  /** The server let it pass, by other rules than ours: no reason to end the stream of all others. */
  #malformed(stanza: Element, which: 'from' | 'to'): void {
    const reply = errorReply(stanza, new StanzaError('jid-malformed', `the address in ${which} is not a JID`))
    if (reply) this.sendRaw(serialize(reply))
    this.#owner.dropped(`the address in ${which} is not a JID`)
  }

  #error(element: Element): void {
    const condition = childrenOf(element).find(child => child.name !== 'text')?.name ?? 'undefined-condition'
    const text = childText(element, 'text', NS.STREAM_ERRORS)
    this.#complaint = `the server says ${condition}${text ? `: ${text}` : ''}`
    this.streamEnd()
  }

  override close(error?: StreamError): void {
    if (this.phase === ONLINE) this.#lingers = error === undefined
    super.close(error)
  }

  override streamEnd(): void {
    this.#lingers = false
    super.streamEnd()
  }

  override expired(): void {
    if (this.closed) this.connection.end()
    else this.close(new StreamError('connection-timeout', 'the server does not answer'))
  }

  protected ask(): void {
    const { asked } = this.#owner
    if (asked !== undefined) this.sendRaw(serialize(pingOf(this.domain, asked)))
  }

  /** Who was not asked has nothing to answer. */
  protected override silent(): void {
    if (this.#owner.asked !== undefined) super.silent()
  }

  /** TLS, where there is any, is below the stream. */
  secured(): void {
    return undefined
  }

  protected over(reason: string): void {
    this.#owner.detached(this.#complaint ?? reason, this.#attached)
  }
}
