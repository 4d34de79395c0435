import { StreamError } from '../../errors'
import { childOf, childrenOf, el, firstChild, textOf, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { StreamHeader } from '../../xml/parser'
import { announcedLimits, limitsFeature } from '../rates/announce'
import { SM } from '../smacks'
import { CLOSED, HEADER, NEGOTIATING, ONLINE, TLS_HANDSHAKE } from '../stream'
import type { Failure, ServerStreamBackend, Verdict } from './backend'
import { connectTls, type ServerConnection } from './connection'
import { dialbackXml, errorXml, keyXml, type DialbackElement } from './dialback'
import { readServerHeader } from './header'
import { BIDI, BIDI_FEATURE, DIALBACK_FEATURE } from './names'
import { ServerStream } from './server-stream'
import type { PeerPolicy, ServerStreamSettings } from './settings'

/** A stream that has asked what it was opened for is kept so long for the next question (milliseconds). */
const SPARE = 15_000

/** How far an outgoing stream is, beside its phase. */
type Step = 'features' | 'starttls' | 'idle' | 'sasl' | 'restart' | 'dialback' | 'ready'

export interface OutgoingOptions {
  local: string
  remote: string
  policy: PeerPolicy
}

interface Offers {
  external: boolean
  dialback: boolean
  bidi: boolean
  acks: boolean
}

/** A stream to another server: RFC 6120 §4 to §6 as the initiating entity, XEP-0178, XEP-0220 §2.1. */
export class OutgoingStream extends ServerStream {
  readonly direction = 'out'
  readonly #policy: PeerPolicy
  #step: Step = 'features'
  /** Stanzas are to be sent, so it must be authenticated; if not, it only asks for keys. */
  #wanted = false
  #offers: Offers | undefined
  #oldDialback = false
  readonly #questions = new Map<string, (verdict: Verdict) => void>()
  readonly #unasked: string[] = []
  /** Where the peer sends us instead (RFC 6120 §4.9.3.19): `host`, `host:port` or an address, as it was written. */
  elsewhere: string | undefined

  constructor(
    connection: ServerConnection,
    backend: ServerStreamBackend,
    settings: ServerStreamSettings,
    { local, remote, policy }: OutgoingOptions
  ) {
    super(connection, settings, backend)
    this.domain = local
    this.remote = remote
    this.#policy = policy
    if (this.phase === HEADER) this.#open()
  }

  /** Whether stanzas may be sent. */
  get ready(): boolean {
    return this.#step === 'ready' && this.phase === ONLINE
  }

  /** It has told what it offers, inside TLS where there is TLS: it is the right server, whatever comes of it. */
  get spoken(): boolean {
    return this.#offers !== undefined
  }

  /** It only asks for keys, and has nothing to do at the moment. */
  get #isSpare(): boolean {
    return this.#step === 'idle' && !this.#wanted
  }

  #open(): void {
    this.#step = 'features'
    this.phase = HEADER
    this.sendHeader()
  }

  protected override sendHeader(): void {
    this.opened = true
    const attrs = { from: this.domain, to: this.remote, version: '1.0' }
    this.connection.send(this.connection.framing.header(attrs))
  }

  header(header: StreamHeader): void {
    if (this.phase === CLOSED) return
    if (this.phase !== HEADER)
      return this.close(new StreamError('bad-format', 'the stream has begun already'))
    const { id, dialback, fault } = readServerHeader(header)
    this.id = id
    this.#oldDialback = dialback
    // Its `from` proves nothing, and `to` may be missing where it does not know us
    if (fault?.condition === 'unsupported-version')
      return this.#fail('remote-server-timeout', 'it is too old')
    this.phase = NEGOTIATING
  }

  // --- negotiation

  protected negotiate(element: Element): void {
    if (this.phase !== NEGOTIATING)
      return this.close(new StreamError('unsupported-stanza-type', `unexpected <${element.name}/>`))
    const { xmlns } = element.attrs
    if (xmlns === NS.STREAM && element.name === 'features' && this.#step === 'features')
      return this.whenOpen(() => this.#features(element))
    if (xmlns === NS.TLS && this.#step === 'starttls') return this.#tlsAnswer(element)
    if (xmlns === NS.SASL && this.#step === 'sasl') return this.#saslAnswer(element)
    this.close(new StreamError('unsupported-stanza-type', `unexpected <${element.name}/>`))
  }

  #features(features: Element): void {
    const { tls, auth } = this.#policy
    if (!this.secure) {
      // RFC 7590 §3.2: where TLS must be, it is tried even if somebody took the offer away
      if (childOf(features, 'starttls', NS.TLS) || tls === 'required') return this.#startTls()
    }
    if (auth === 'certificate') {
      const problem = this.connection.certificateProblem(this.remote)
      if (problem !== undefined) return this.#fail('remote-server-timeout', problem)
    }
    this.#offers = offersOf(features, this.#oldDialback)
    this.takesAtMost(announcedLimits(features))
    if (this.#step === 'features' && this.auth === 'external') return this.#established()
    this.#step = 'idle'
    this.#ask()
    if (this.#wanted) this.#authenticate()
  }

  #startTls(): void {
    this.#step = 'starttls'
    this.answer(el('starttls', NS.TLS))
  }

  #tlsAnswer(element: Element): void {
    if (element.name !== 'proceed') return this.#fail('remote-server-timeout', 'it refuses TLS')
    this.phase = TLS_HANDSHAKE
    this.opened = false
    const context = this.backend.secureContext(this.domain)
    if (!context) return this.#fail('remote-server-timeout', 'there is no certificate for TLS')
    if (this.connection.proceedTls(connectTls(context, this.remote))) return
    this.#fail('remote-server-timeout', 'bytes came before TLS')
  }

  secured(): void {
    if (this.phase === TLS_HANDSHAKE) this.#open()
  }

  // --- authentication

  /** Stanzas are to be sent: authenticates as soon as that is possible. */
  authenticate(): void {
    if (this.#wanted) return
    this.#wanted = true
    if (this.#step === 'idle' && this.phase === NEGOTIATING) this.#authenticate()
  }

  #authenticate(): void {
    const offers = this.#offers
    if (!offers) return
    this.connection.deadline = Date.now() + this.settings.authTimeout
    if (offers.bidi && this.settings.bidi) {
      // XEP-0288 §2.2
      this.answer(el('bidi', BIDI, limitsFeature(this.settings, true)))
      this.bidi = true
    }
    if (offers.external && (this.proves(this.remote) || !offers.dialback)) {
      this.#step = 'sasl'
      // XEP-0178 §3: the authorization identity is for older peers
      const authzid = Buffer.from(this.domain).toString('base64')
      return this.answer(el('auth', { xmlns: NS.SASL, mechanism: 'EXTERNAL' }, authzid))
    }
    this.#sendKey(offers)
  }

  #saslAnswer(element: Element): void {
    if (element.name === 'challenge') return this.answer(el('response', NS.SASL, '='))
    if (element.name === 'success') {
      this.auth = 'external'
      this.opened = false
      this.connection.restart()
      return this.#open()
    }
    const condition = firstChild(element)?.name ?? 'failure'
    this.backend.refused(this, this.domain, this.remote, `it refuses our certificate: ${condition}`)
    // XEP-0178 §3
    this.#sendKey(this.#offers)
  }

  /** XEP-0220 §2.1.1 */
  #sendKey(offers: Offers | undefined): void {
    if (!offers?.dialback) return this.#fail('remote-server-timeout', 'it offers no way to authenticate')
    if (this.id === '') return this.#fail('remote-server-timeout', 'its stream has no id')
    this.#step = 'dialback'
    const key = this.backend.keys.make(this.remote, this.domain, this.id)
    this.connection.send(dialbackXml('result', { from: this.domain, to: this.remote }, keyXml(key)))
  }

  #established(): void {
    const { settings, connection } = this
    this.#step = 'ready'
    this.phase = ONLINE
    connection.deadline = 0
    this.trusted()
    if (this.auth === '') this.auth = 'dialback'
    if (this.#offers?.acks && settings.acks) {
      // XEP-0198 §3: what follows is counted
      this.answer(el('enable', SM))
      this.counts = false
      this.acks = this.newAcks()
    }
    this.#ask()
    if (this.bidi) this.receives.add(this.remote, this.domain)
    this.backend.verified(this, this.domain, this.remote)
  }

  protected override managementAnswer(element: Element): void {
    if (!this.acks || (element.name !== 'enabled' && element.name !== 'failed'))
      return super.managementAnswer(element)
    this.counts = true
    if (element.name === 'enabled') return
    // It has told us that it would, and does not: what was sent has gone the way of all unacknowledged stanzas
    const acks = this.acks
    this.acks = undefined
    for (const parcel of acks.queue.drain()) parcel.lane.delivered(parcel)
    this.backend.room(this)
  }

  // --- dialback

  protected dialback(read: DialbackElement): void {
    if (read.type === '') return this.#refuseKey(read)
    if (read.name === 'verify') return this.#verdict(read)
    const expected = this.#step === 'dialback' && read.from === this.remote && read.to === this.domain
    if (!expected) return this.#unsolicited(read)
    if (read.type === 'valid') return this.#established()
    this.backend.refused(
      this,
      this.domain,
      this.remote,
      `it refuses our key: ${read.error?.message ?? read.type}`
    )
    // XEP-0220 §2.1.1, §2.5
    if (read.type === 'invalid') this.#fail('internal-server-error', 'it says that our key is invalid', false)
    else if (read.error && POLICY.has(read.error.condition)) {
      // Its administrators do not want it: asking again changes nothing
      this.#fail('not-allowed', `it does not federate with us: ${read.error.message}`, false)
    } else this.#fail('remote-server-timeout', `it refuses our key: ${read.error?.message ?? read.type}`)
  }

  /** XEP-0220 §3.1 */
  #unsolicited(read: DialbackElement): void {
    this.backend.refused(this, read.to, read.from, `an unsolicited dialback answer (${read.name})`)
  }

  /** Whoever was called does not need to prove anything here (XEP-0288 §2.2 leaves that to its own streams). */
  #refuseKey({ written }: DialbackElement): void {
    const attrs = { from: written.to, to: written.from, type: 'error' }
    this.connection.send(dialbackXml('result', attrs, errorXml('not-allowed')))
  }

  /** Asks for a key that came on another stream (XEP-0220 §2.1.2); resolves when this one ends, too. */
  verify(id: string, key: string): Promise<Verdict> {
    if (this.closed || this.#questions.has(id)) return Promise.resolve(GONE)
    const attrs = { from: this.domain, to: this.remote, id }
    this.#unasked.push(dialbackXml('verify', attrs, keyXml(key)))
    if (this.#isSpare) this.connection.deadline = Date.now() + this.settings.authTimeout
    this.lastStanza = Date.now()
    return new Promise(resolve => {
      this.#questions.set(id, resolve)
      this.#ask()
    })
  }

  #ask(): void {
    const may = this.#step === 'idle' || this.#step === 'dialback' || this.#step === 'ready'
    if (!may || this.#unasked.length === 0) return
    for (const xml of this.#unasked.splice(0)) this.connection.send(xml)
  }

  #verdict(read: DialbackElement): void {
    const resolve = this.#questions.get(read.id)
    if (!resolve || read.from !== this.remote || read.to !== this.domain) return this.#unsolicited(read)
    this.#questions.delete(read.id)
    if (this.#isSpare && this.#questions.size === 0) this.connection.deadline = Date.now() + SPARE
    if (read.type === 'valid' || read.type === 'invalid') return resolve(read.type)
    // XEP-0220 §2.5
    resolve({ condition: 'remote-server-not-found', text: read.error?.message ?? 'it cannot tell' })
  }

  // --- the end

  #fail(condition: Failure['condition'], reason: string, temporary = true): void {
    this.failure ??= { condition, reason, temporary }
    this.close()
    this.connection.end()
  }

  protected override peerError(error: Element): void {
    const conditions = childrenOf(error).filter(child => child.attrs.xmlns === NS.STREAM_ERRORS)
    const [found] = conditions
    const condition = found?.name ?? 'undefined-condition'
    const text = childOf(error, 'text', NS.STREAM_ERRORS)
    const unknown = condition === 'host-unknown' || condition === 'host-gone'
    if (found && condition === 'see-other-host' && this.#mayRedirect) this.elsewhere = textOf(found).trim()
    if (!this.ready && !this.#isSpare)
      this.failure ??= {
        condition: unknown ? 'remote-server-not-found' : 'remote-server-timeout',
        reason: `it says ${condition}${text ? `: ${textOf(text).slice(0, 200)}` : ''}`,
        temporary: !unknown
      }
    super.peerError(error)
  }

  /** RFC 6120 §4.9.3.19: nobody in between may send us away. */
  get #mayRedirect(): boolean {
    const { auth } = this.#policy
    return !this.ready && this.secure && (auth === 'dialback' || this.proves(this.remote))
  }

  override expired(): void {
    if (this.#isSpare) return this.close()
    this.failure ??= { condition: 'remote-server-timeout', reason: 'it took too long', temporary: true }
    super.expired()
  }

  protected override over(reason: string): void {
    if (this.#step !== 'ready' && !this.#isSpare)
      this.failure ??= { condition: 'remote-server-timeout', reason, temporary: true }
    for (const resolve of this.#questions.values()) resolve(GONE)
    this.#questions.clear()
    super.over(reason)
  }
}

// XEP-0220 §2.5
const GONE: Verdict = { condition: 'remote-server-timeout', text: 'the authoritative server does not answer' }

function offersOf(features: Element, oldDialback: boolean): Offers {
  const mechanisms = childOf(features, 'mechanisms', NS.SASL)
  const names = mechanisms ? childrenOf(mechanisms, 'mechanism').map(each => textOf(each).trim()) : []
  return {
    external: names.includes('EXTERNAL'),
    dialback: oldDialback || childOf(features, 'dialback', DIALBACK_FEATURE) !== undefined,
    bidi: childOf(features, 'bidi', BIDI_FEATURE) !== undefined,
    acks: childOf(features, 'sm', SM) !== undefined
  }
}

/** Why a server refuses a domain whatever it has proved (XEP-0220 §2.5, RFC 6120 §8.3.3). */
const POLICY: ReadonlySet<string> = new Set(['policy-violation', 'not-allowed', 'forbidden'])
