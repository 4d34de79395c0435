import { errorReply, isStanzaError, StanzaError, StreamError } from '../errors'
import { isPromise } from '../events/hooks'
import type { JID } from '../jid'
import { childrenOf, el, firstChild, nsOf, type Element } from '../xml/element'
import { NS } from '../xml/namespaces'
import type { StreamHeader } from '../xml/parser'
import { serialize } from '../xml/serialize'
import type { StreamBackend, StreamHost, StreamSession } from './backend'
import { bindResult, negotiationOf, resourceFor, sessionResult } from './binding'
import { HOLD, OUTPUT_FULL, QUEUE_FULL, type Connection, type ConnectionOwner } from './connection'
import { featuresAfterAuth, featuresBeforeAuth, type TlsOffer } from './features'
import { newStreamId, readHeader, type ReadHeader } from './header'
import { Login, type LoginStream } from './login'
import type { SessionState } from './session'
import type { StreamSettings } from './settings'

/** Waits for a stream header: at the start, and after TLS and SASL. */
const HEADER = 0
/** Features are being negotiated. */
const NEGOTIATING = 1
const TLS_HANDSHAKE = 2
/** A resource is bound. */
const ONLINE = 3
const CLOSED = 4

/** A client's stream, from its header to its end: RFC 6120 §4 to §7 as the receiving entity. */
export class ClientStream implements StreamSession, ConnectionOwner, LoginStream {
  id = ''
  domain = ''
  user = ''
  jid: JID | undefined
  /** The default language of its stanzas, '' if it named none (RFC 6120 §4.7.4). */
  lang = ''
  readonly since = Date.now()
  readonly state: SessionState = {}
  readonly #connection: Connection
  readonly #backend: StreamBackend
  readonly #settings: StreamSettings
  #host: StreamHost | undefined
  #phase = HEADER
  /** Our header was sent. */
  #opened = false
  /** Who the client says to be, inside TLS (RFC 6120 §6.4.6). */
  #claimed = ''
  #login: Login | undefined
  /** What is sent while a resource is being bound. */
  #early: string[] | undefined
  #waits = 0
  #bindFailures = 0
  /** When the client was asked last whether it is there; 0 for never. */
  #asked = 0

  constructor(connection: Connection, backend: StreamBackend, settings: StreamSettings) {
    this.#connection = connection
    this.#backend = backend
    this.#settings = settings
    // Direct TLS: the stream begins inside it.
    if (connection.transport === 'tls') this.#phase = TLS_HANDSHAKE
    connection.owner = this
    connection.limits = settings.limitsBeforeAuth
    connection.maxOutput = settings.maxOutput
    connection.deadline = this.since + settings.authTimeout
  }

  get secure(): boolean {
    return this.#connection.secure
  }
  get transport(): 'tcp' | 'tls' | 'websocket' {
    return this.#connection.transport
  }
  get remoteAddress(): string {
    return this.#connection.remoteAddress
  }
  get closed(): boolean {
    return this.#phase === CLOSED
  }

  send(stanza: Element): void {
    if (this.#phase !== CLOSED) this.sendRaw(serialize(stanza))
  }

  sendRaw(xml: string): void {
    if (this.#phase === CLOSED) return
    if (this.#early) this.#early.push(xml)
    else this.#connection.send(this.#connection.framing.element(xml))
  }

  /** Stops reading from the client, until `resume`: its queue is full. */
  pause(): void {
    this.#connection.pause(QUEUE_FULL)
  }

  resume(): void {
    this.#connection.resume(QUEUE_FULL)
  }

  close(error?: StreamError): void {
    if (this.#phase === CLOSED) return
    const inHandshake = this.#phase === TLS_HANDSHAKE
    this.#phase = CLOSED
    const reason = error ? error.message : 'closed by the server'
    // RFC 6120 §5.4.3.2: what is sent now would not be XML
    if (inHandshake) this.#connection.lose(reason)
    else this.#sendEnd(error)
    this.#over(reason)
  }

  /** Drops the connection, without a word to the client. */
  abandon(reason: string): void {
    this.#connection.lose(reason)
  }

  #sendEnd(error: StreamError | undefined): void {
    const connection = this.#connection
    const { framing } = connection
    if (error) {
      // RFC 6120 §4.9.1.2
      if (!this.#opened) this.#sendHeader(this.domain || this.#backend.defaultDomain(), '', false)
      const content = childrenOf(error.toElement()).map(child => serialize(child))
      connection.send(framing.streamElement('error', content.join('')))
    }
    if (this.#opened) connection.send(framing.close)
    if (error || !this.#opened) return connection.end()
    // RFC 6120 §4.4: the client may end its stream too, but not take for ever
    connection.deadline = Date.now() + this.#settings.closeTimeout
    connection.resume(HOLD | QUEUE_FULL | OUTPUT_FULL)
  }

  /** Lets go of what belongs to a session. */
  #over(reason: string): void {
    this.#login = undefined
    this.#early = undefined
    if (this.jid) this.#backend.closed(this, reason)
  }

  streamEnd(): void {
    const wasClosed = this.#phase === CLOSED
    this.#phase = CLOSED
    if (!wasClosed && this.#opened) this.#connection.send(this.#connection.framing.close)
    this.#connection.end()
    if (!wasClosed) this.#over('the client ended the stream')
  }

  gone(reason: string): void {
    if (this.#phase === CLOSED) return
    this.#phase = CLOSED
    this.#over(reason)
  }

  fault(error: StreamError): void {
    if (this.#phase === CLOSED) this.#connection.end()
    else this.close(error)
  }

  expired(): void {
    if (this.#phase === CLOSED) this.#connection.end()
    else this.close(new StreamError('connection-timeout', 'logging in took too long'))
  }

  tick(now: number): void {
    if (this.#phase !== ONLINE) return
    const { keepalive, silence, silenceAnswer } = this.#settings
    const { lastRead, lastWrite } = this.#connection
    if (keepalive > 0 && now - lastWrite >= keepalive) this.#connection.keepalive()
    if (silence === 0 || now - lastRead < silence) return
    if (this.#asked === 0 || lastRead >= this.#asked) {
      this.#asked = now
      this.#ask()
    } else if (now - this.#asked >= silenceAnswer) {
      // RFC 6120 §4.6.2
      this.close(new StreamError('connection-timeout', 'no answer'))
    }
  }

  #ask(): void {
    if (this.transport === 'websocket') return this.#connection.keepalive()
    const ping = el('ping', 'urn:xmpp:ping')
    this.send(el('iq', { type: 'get', id: newStreamId(), from: this.domain, to: this.jid?.full }, ping))
  }

  // --- waiting

  wait<T>(promise: Promise<T>, then: (value: T) => void, failed: (error: unknown) => void): void {
    this.#hold()
    promise.then(
      value => this.#release(() => then(value)),
      (error: unknown) => this.#release(() => failed(error))
    )
  }

  /** Takes a step that asks modules, now or as soon as none of them is being swapped. */
  #whenOpen(step: () => void): void {
    const { gate } = this.#backend
    if (gate.open) return step()
    this.#hold()
    gate.whenOpen(() => this.#release(step))
  }

  #hold(): void {
    this.#waits++
    this.#connection.pause(HOLD)
  }

  #release(step: () => void): void {
    if (this.#phase === CLOSED) return
    try {
      step()
    } catch (error) {
      this.#broken(error)
    }
    if (--this.#waits === 0) this.#connection.resume(HOLD)
  }

  /** Something of ours failed where there is nothing else to answer with. */
  #broken(error: unknown): void {
    this.#backend.log.error({ err: error, host: this.domain }, 'a stream failed')
    this.close(new StreamError('internal-server-error'))
  }

  // --- header and features

  header(header: StreamHeader): void {
    if (this.#phase === CLOSED) return
    if (this.#phase !== HEADER)
      return this.close(new StreamError('bad-format', 'the stream has begun already'))
    this.#phase = NEGOTIATING
    this.#whenOpen(() => this.#begin(readHeader(header)))
  }

  #begin(read: ReadHeader): void {
    const host = read.domain === '' ? undefined : this.#backend.host(read.domain)
    this.#sendHeader(host?.name ?? this.#backend.defaultDomain(), read.from, read.old)
    const fault = read.fault ?? this.#addressFault(host)
    if (fault || !host) return this.close(fault)
    this.#host = host
    this.domain = host.name
    this.lang = read.lang
    this.#claimed = this.secure ? read.from : ''
    const tls = this.#tlsOffer()
    if (!tls) return
    const features = this.user === '' ? featuresBeforeAuth(host, this, tls) : featuresAfterAuth(host, this)
    this.#connection.send(this.#connection.framing.streamElement('features', features))
  }

  #addressFault(host: StreamHost | undefined): StreamError | undefined {
    if (!host) return new StreamError('host-unknown', 'this server does not serve that domain')
    if (this.user !== '' && host.name !== this.domain) {
      return new StreamError('not-authorized', `you are authenticated at ${this.domain}`)
    }
    return undefined
  }

  #sendHeader(from: string, to: string, old: boolean): void {
    this.id = newStreamId()
    this.#opened = true
    const attrs = { id: this.id, from, to: to || undefined, version: old ? undefined : '1.0' }
    this.#connection.send(this.#connection.framing.header(attrs))
  }

  /** What TLS is possible now; undefined when the stream had to be closed. */
  #tlsOffer(): TlsOffer | undefined {
    const { tls } = this.#settings
    if (this.secure || tls === 'off' || this.user !== '') return 'none'
    if (this.transport === 'tcp' && this.#backend.secureContext(this.domain)) return tls
    if (tls === 'optional') return 'none'
    if (this.transport === 'websocket') {
      // RFC 7395 §3.9
      this.close(new StreamError('policy-violation', 'this server wants TLS: connect to wss://'))
    } else {
      this.#backend.log.error(
        { host: this.domain },
        'TLS is required, but there is no certificate for this host'
      )
      this.close(new StreamError('internal-server-error'))
    }
    return undefined
  }

  // --- elements

  element(element: Element, bytes: number): void {
    if (this.#phase === ONLINE) return this.#online(element, bytes)
    if (this.#phase === NEGOTIATING) return this.#whenOpen(() => this.#negotiate(element))
    if (this.#phase === HEADER) this.close(notAHeader(element))
  }

  #online(element: Element, bytes: number): void {
    const { name, attrs } = element
    if (!isStanza(element)) return this.#other(element)
    if (name === 'iq') {
      if (attrs.type === 'set' && this.#renegotiated(element)) return
    } else if (this.lang !== '' && attrs['xml:lang'] === undefined) {
      // RFC 6120 §8.1.5
      attrs['xml:lang'] = this.lang
    }
    this.#backend.stanza(this, element, bytes)
  }

  #renegotiated(iq: Element): boolean {
    const negotiation = negotiationOf(iq)
    if (!negotiation) return false
    if (negotiation === 'session') this.send(sessionResult(iq))
    else this.#refuse(iq, new StanzaError('not-allowed', 'a resource is bound already'))
    return true
  }

  #negotiate(element: Element): void {
    const stanza = isStanza(element)
    if (!stanza && nsOf(element) === NS.TLS) return this.#startTls(element)
    if (this.user !== '') return stanza ? this.#beforeBind(element) : this.#other(element)
    if (stanza) return this.#beforeAuth(element)
    if (nsOf(element) === NS.SASL) return this.#authenticate(element)
    this.#unsupported(element)
  }

  /** A top-level element that is no stanza (RFC 6120 §4.8.4). */
  #other(element: Element): void {
    if (!this.#backend.streamElement(this, element)) this.#unsupported(element)
  }

  #unsupported(element: Element): void {
    const ns = nsOf(element)
    if (ns === NS.STREAM && element.name === 'error') {
      const condition = firstChild(element)?.name ?? 'none'
      this.#backend.log.debug(
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
    const { tls } = this.#settings
    const offered = this.transport === 'tcp' && !this.secure && this.user === '' && tls !== 'off'
    const context =
      offered && element.name === 'starttls' ? this.#backend.secureContext(this.domain) : undefined
    if (context && element.children.length === 0) {
      this.#opened = false
      this.#login = undefined
      this.#phase = TLS_HANDSHAKE
      if (this.#connection.startTls(context, serialize(el('proceed', NS.TLS)))) return
      this.#opened = true
    }
    // RFC 6120 §5.4.2.2
    this.#phase = NEGOTIATING
    this.answer(el('failure', NS.TLS))
    this.close()
    this.#connection.end()
  }

  secured(): void {
    // RFC 6120 §5.4.3.3: what was said before does not count
    this.domain = ''
    this.lang = ''
    this.#host = undefined
    if (this.#phase === TLS_HANDSHAKE) this.#phase = HEADER
  }

  // --- SASL

  #beforeAuth(stanza: Element): void {
    const payload = stanza.name === 'iq' ? firstChild(stanza) : undefined
    const items = payload && !this.#tlsFirst ? (this.#host?.items.list('preauth-iq') ?? []) : []
    const item = items.find(({ ns, name }) => name === payload?.name && ns === nsOf(payload))
    // RFC 6120 §4.3.5
    if (!item) return this.close(new StreamError('not-authorized', 'authenticate first'))
    const result = item.handle(this, stanza)
    if (isPromise(result))
      this.wait(
        result,
        () => undefined,
        error => this.#broken(error)
      )
  }

  get #tlsFirst(): boolean {
    return this.#settings.tls === 'required' && !this.secure
  }

  #authenticate(element: Element): void {
    const host = this.#host
    if (!host) return
    this.#login ??= new Login(this, {
      host,
      tlsFirst: this.#tlsFirst,
      retries: this.#settings.authRetries,
      log: this.#backend.log
    })
    this.#login.element(element)
  }

  answer(element: Element): void {
    this.#connection.send(serialize(element))
  }

  loggedIn(user: string, success: Element): void {
    // RFC 6120 §6.4.6
    if (this.#claimed !== '' && this.#claimed !== `${user}@${this.domain}`) {
      return this.close(new StreamError('invalid-from', `the stream is from ${this.#claimed}`))
    }
    this.#login = undefined
    this.user = user
    this.answer(success)
    // RFC 6120 §6.4.6
    this.#phase = HEADER
    this.#opened = false
    this.#connection.limits = this.#settings.limits
    this.#connection.restart()
    this.#backend.authenticated(this)
  }

  // --- binding

  #beforeBind(stanza: Element): void {
    // RFC 6120 §7.1
    if (stanza.name !== 'iq' || negotiationOf(stanza) !== 'bind') {
      return this.close(new StreamError('not-authorized', 'bind a resource first'))
    }
    const host = this.#host
    if (!host) return
    try {
      const jid = resourceFor(stanza, this.user, host, this.#settings)
      this.jid = jid
      this.#early = []
      const result = this.#backend.bind(this, jid)
      if (!isPromise(result)) return this.#bound(stanza, jid)
      this.wait(
        result,
        () => this.#bound(stanza, jid),
        error => this.#notBound(stanza, error)
      )
    } catch (error) {
      this.#notBound(stanza, error)
    }
  }

  #bound(iq: Element, jid: JID): void {
    const early = this.#early ?? []
    this.#early = undefined
    this.#phase = ONLINE
    this.#connection.deadline = 0
    this.send(bindResult(iq, jid))
    for (const xml of early) this.sendRaw(xml)
  }

  #notBound(iq: Element, error: unknown): void {
    this.jid = undefined
    this.#early = undefined
    if (!isStanzaError(error)) return this.#broken(error)
    this.#refuse(iq, error)
    // RFC 6120 §7.7.3
    if (++this.#bindFailures <= this.#settings.bindRetries) return
    this.close(new StreamError('policy-violation', 'too many failed attempts to bind a resource'))
  }

  #refuse(iq: Element, error: StanzaError): void {
    const reply = errorReply(iq, error)
    if (reply) this.send(reply)
  }
}

function isStanza({ name, attrs }: Element): boolean {
  return attrs.xmlns === undefined && (name === 'message' || name === 'presence' || name === 'iq')
}

/** What to answer where a stream should begin. */
function notAHeader({ name }: Element): StreamError {
  // RFC 7395 §3.3.2
  if (name === 'open' || name === 'close')
    return new StreamError('invalid-namespace', `<${name}/> is in ${NS.FRAMING}`)
  return new StreamError('bad-format', 'a stream begins with its header')
}
