import { errorReply, isStanzaError, StanzaError, StreamError } from '../errors'
import { isPromise } from '../events/hooks'
import type { JID } from '../jid'
import { el, firstChild, nsOf, type Element } from '../xml/element'
import { NS } from '../xml/namespaces'
import type { StreamHeader } from '../xml/parser'
import { serialize } from '../xml/serialize'
import type { StreamBackend, StreamHost, StreamSession } from './backend'
import { bindResult, negotiationOf, resourceFor, wantedResource } from './binding'
import type { Connection } from './connection'
import { featuresAfterAuth, featuresBeforeAuth, type TlsOffer } from './features'
import { limitsFeature } from './rates/announce'
import { readHeader, type ReadHeader } from './header'
import { Login } from './login'
import type { BindOutcome, Negotiable, ResumeOutcome } from './negotiable'
import type { SessionState } from './session'
import type { Copies, Held } from './smacks'
import type { StreamSettings } from './settings'
import { CLOSED, HEADER, NEGOTIATING, ONLINE, Stream, TLS_HANDSHAKE } from './stream'

/** Milliseconds: see `#answersTooSoon`. */
const MOMENT = 2

/** A client's stream from its header until a resource is bound: RFC 6120 §4 to §7 as the receiving entity. */
export abstract class Negotiation extends Stream implements Negotiable, StreamSession {
  user = ''
  jid: JID | undefined
  lang = ''
  active = this.since
  stanzas = 0
  readonly state: SessionState = {}
  host: StreamHost | undefined
  protected readonly backend: StreamBackend
  /** Who the client says to be, inside TLS (RFC 6120 §6.4.6). */
  #claimed = ''
  #login: Login | undefined
  #bindFailures = 0

  protected constructor(connection: Connection, backend: StreamBackend, settings: StreamSettings) {
    super(connection, settings, backend)
    this.backend = backend
  }

  abstract get hibernating(): boolean
  abstract get managed(): boolean
  abstract send(stanza: Element, copies?: Copies): void
  abstract sendRaw(xml: string): void
  abstract pause(): void
  abstract resume(): void
  abstract handled(number: number): void
  abstract enableManagement(enable: Element): Element
  abstract indicateState(element: Element): boolean
  abstract resumeSession(resume: Element, outcome: ResumeOutcome): void
  /** A stanza, or what else may come, after a resource was bound. */
  protected abstract online(element: Element, bytes: number): void
  /** Keeps what is sent to the resource, until `letGo`: the client does not know it yet. */
  protected abstract holdBack(): void
  /** Sends what was kept, behind what `first` sends; drops it where no resource was bound. */
  protected abstract letGo(first?: () => void): void
  /** A top-level element that is no stanza and not part of the negotiation; false: nobody knows it. */
  protected abstract nonza(element: Element): boolean
  /** What was sent without having been acknowledged. Called at the end. */
  protected abstract unacknowledged(): readonly Held[]

  protected over(reason: string): void {
    this.#login = undefined
    if (this.jid) this.backend.closed(this, reason, this.unacknowledged())
  }

  // --- header and features

  header(header: StreamHeader): void {
    if (this.phase === CLOSED) return
    if (this.phase !== HEADER)
      return this.close(new StreamError('bad-format', 'the stream has begun already'))
    this.phase = NEGOTIATING
    const read = readHeader(header)
    const begin = (): void => this.whenOpen(() => this.#begin(read))
    if (!this.#answersTooSoon(read.domain)) return begin()
    const moment = new Promise<void>(resolve => setTimeout(resolve, MOMENT))
    this.wait(moment, begin, error => this.broken(error))
  }

  /**
   * @xmpp/client (0.14) listens for our header when it knows that its own is written: with TLS 1.3 that is a turn of
   * its event loop later, and a server on the same machine has answered by then. The header of the stream after
   * authentication used to make up for it; SASL2 has no such stream, and every third login failed.
   */
  #answersTooSoon(domain: string): boolean {
    if (!this.secure || this.user !== '' || this.transport === 'websocket') return false
    return (this.backend.host(domain)?.items.list('sasl2').length ?? 0) > 0
  }

  #begin(read: ReadHeader): void {
    const host = read.domain === '' ? undefined : this.backend.host(read.domain)
    this.sendHeader(host?.name ?? this.backend.defaultDomain(), read.from, read.old)
    const fault = read.fault ?? this.#addressFault(host, read.from)
    if (fault || !host) return this.close(fault)
    this.host = host
    this.domain = host.name
    this.lang = read.lang
    this.#claimed = this.secure ? read.from : ''
    if (this.user === '') this.#login = this.#newLogin(host)
    this.offerFeatures()
  }

  offerFeatures(): void {
    const { host } = this
    const tls = this.#tlsOffer()
    if (!host || !tls) return
    const offer = this.#login?.offer
    const features = offer
      ? featuresBeforeAuth(host, this, tls, { offer, limits: limitsFeature(this.settings, false) })
      : featuresAfterAuth(host, this, limitsFeature(this.settings, true))
    this.connection.send(this.connection.framing.streamElement('features', features))
  }

  #addressFault(host: StreamHost | undefined, from: string): StreamError | undefined {
    if (!host) return new StreamError('host-unknown', 'this server does not serve that domain')
    // XEP-0388 §2.1
    if (from !== '' && from.slice(from.indexOf('@') + 1) !== host.name) {
      return new StreamError('invalid-from', `nobody at another domain can log in to ${host.name}`)
    }
    if (this.user !== '' && host.name !== this.domain) {
      return new StreamError('not-authorized', `you are authenticated at ${this.domain}`)
    }
    return undefined
  }

  /** What TLS is possible now; undefined when the stream had to be closed. */
  #tlsOffer(): TlsOffer | undefined {
    const { tls } = this.settings
    if (this.secure || tls === 'off' || this.user !== '') return 'none'
    if (this.transport === 'tcp' && this.backend.secureContext(this.domain)) return tls
    if (tls === 'optional') return 'none'
    if (this.transport === 'websocket') {
      // RFC 7395 §3.9
      this.close(new StreamError('policy-violation', 'this server wants TLS: connect to wss://'))
    } else {
      this.backend.log.error(
        { host: this.domain },
        'TLS is required, but there is no certificate for this host'
      )
      this.close(new StreamError('internal-server-error'))
    }
    return undefined
  }

  // --- elements

  element(element: Element, bytes: number): void {
    if (this.phase === ONLINE) return this.online(element, bytes)
    if (this.phase === NEGOTIATING) return this.whenOpen(() => this.#negotiate(element))
    if (this.phase === HEADER) this.close(notAHeader(element))
  }

  #negotiate(element: Element): void {
    const stanza = isStanza(element)
    const login = this.#login
    // XEP-0388 §2.4
    if (login?.exclusive && nsOf(element) !== NS.SASL2)
      return this.close(new StreamError('policy-violation', 'a login is under way'))
    if (!stanza && nsOf(element) === NS.TLS) return this.#startTls(element)
    if (this.user !== '') return stanza ? this.#beforeBind(element) : this.other(element)
    if (stanza) return this.#beforeAuth(element)
    if (login?.takes(element)) return login.element(element)
    this.other(element)
  }

  /** A top-level element that is no stanza (RFC 6120 §4.8.4). */
  protected other(element: Element): void {
    if (!this.nonza(element)) this.unsupported(element)
  }

  protected unsupported(element: Element): void {
    const ns = nsOf(element)
    if (ns === NS.STREAM && element.name === 'error') {
      const condition = firstChild(element)?.name ?? 'none'
      this.backend.log.debug(
        { condition, user: this.user, host: this.domain },
        'a client reports a stream error'
      )
      return this.streamEnd()
    }
    // RFC 6120 §4.8.3
    if (ns === NS.SERVER || ns === NS.COMPONENT) {
      return this.close(new StreamError('invalid-namespace', `stanzas are in ${NS.CLIENT} here`))
    }
    this.close(new StreamError('unsupported-stanza-type'))
  }

  // --- TLS

  #startTls(element: Element): void {
    const { tls } = this.settings
    const offered = this.transport === 'tcp' && !this.secure && this.user === '' && tls !== 'off'
    const context =
      offered && element.name === 'starttls' ? this.backend.secureContext(this.domain) : undefined
    if (context && element.children.length === 0) {
      this.opened = false
      this.#login = undefined
      this.phase = TLS_HANDSHAKE
      if (this.connection.startTls(context, serialize(el('proceed', NS.TLS)))) return
      this.opened = true
    }
    // RFC 6120 §5.4.2.2
    this.phase = NEGOTIATING
    this.answer(el('failure', NS.TLS))
    this.close()
    this.connection.end()
  }

  secured(): void {
    // RFC 6120 §5.4.3.3: what was said before does not count
    this.domain = ''
    this.lang = ''
    this.host = undefined
    if (this.phase === TLS_HANDSHAKE) this.phase = HEADER
  }

  // --- SASL

  #beforeAuth(stanza: Element): void {
    const payload = stanza.name === 'iq' ? firstChild(stanza) : undefined
    const items = payload && !this.tlsFirst ? (this.host?.items.list('preauth-iq') ?? []) : []
    const item = items.find(({ ns, name }) => name === payload?.name && ns === nsOf(payload))
    // RFC 6120 §4.3.5
    if (!item) return this.close(new StreamError('not-authorized', 'authenticate first'))
    const result = item.handle(this, stanza)
    if (isPromise(result))
      this.wait(
        result,
        () => undefined,
        error => this.broken(error)
      )
  }

  get tlsFirst(): boolean {
    return this.settings.tls === 'required' && !this.secure
  }

  #newLogin(host: StreamHost): Login {
    return new Login(this, {
      host,
      settings: this.settings,
      logins: this.backend.streamLimits?.logins,
      log: this.backend.log
    })
  }

  agreesWith(user: string): boolean {
    return this.#claimed === '' || this.#claimed === `${user}@${this.domain}`
  }

  stableName(what: string): string {
    return this.backend.stableName(this.domain, this.user, what)
  }

  becomes(user: string): boolean {
    // RFC 6120 §6.4.6
    if (!this.agreesWith(user)) {
      this.close(new StreamError('invalid-from', `the stream is from ${this.#claimed}`))
      return false
    }
    this.#login = undefined
    this.user = user
    this.trusted()
    this.backend.authenticated(this)
    return true
  }

  loggedIn(user: string, success: Element): void {
    if (!this.becomes(user)) return
    this.answer(success)
    // RFC 6120 §6.4.6
    this.phase = HEADER
    this.opened = false
    this.connection.restart()
  }

  // --- binding

  #beforeBind(stanza: Element): void {
    // RFC 6120 §7.1
    if (stanza.name !== 'iq' || negotiationOf(stanza) !== 'bind') {
      return this.close(new StreamError('not-authorized', 'bind a resource first'))
    }
    if (!stanza.attrs.id) return this.refuse(stanza, new StanzaError('bad-request', 'an iq needs an id'))
    this.bindResource(wantedResource(stanza), {
      bound: jid => this.send(bindResult(stanza, jid)),
      refused: error => this.refuse(stanza, error)
    })
  }

  bindResource(wanted: string | undefined, outcome: BindOutcome): void {
    const { host } = this
    if (!host || this.jid) return
    try {
      const jid = resourceFor(wanted, this.user, host, this.settings)
      const settled = this.backend.settled(jid)
      // Maybe of the very session whose place this one takes
      if (settled)
        return this.wait(
          settled,
          () => this.bindResource(wanted, outcome),
          error => this.broken(error)
        )
      this.jid = jid
      this.holdBack()
      const result = this.backend.bind(this, jid)
      if (!isPromise(result)) return this.#bound(jid, outcome)
      this.wait(
        result,
        () => this.#bound(jid, outcome),
        error => this.#notBound(error, outcome)
      )
    } catch (error) {
      this.#notBound(error, outcome)
    }
  }

  #bound(jid: JID, outcome: BindOutcome): void {
    this.phase = ONLINE
    this.connection.deadline = 0
    this.letGo(() => outcome.bound(jid))
  }

  #notBound(error: unknown, outcome: BindOutcome): void {
    this.jid = undefined
    this.letGo()
    if (!isStanzaError(error)) return this.broken(error)
    outcome.refused(error)
    // RFC 6120 §7.7.3
    if (++this.#bindFailures <= this.settings.bindRetries) return
    this.close(new StreamError('policy-violation', 'too many failed attempts to bind a resource'))
  }

  protected refuse(iq: Element, error: StanzaError): void {
    const reply = errorReply(iq, error)
    if (reply) this.send(reply)
  }
}

export function isStanza({ name, attrs }: Element): boolean {
  return attrs.xmlns === undefined && (name === 'message' || name === 'presence' || name === 'iq')
}

/** What to answer where a stream should begin. */
function notAHeader({ name }: Element): StreamError {
  // RFC 7395 §3.3.2
  if (name === 'open' || name === 'close')
    return new StreamError('invalid-namespace', `<${name}/> is in ${NS.FRAMING}`)
  return new StreamError('bad-format', 'a stream begins with its header')
}
