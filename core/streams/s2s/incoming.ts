import { isStanzaError, StreamError } from '../../errors'
import { isPromise } from '../../events/hooks'
import { el, firstChild, textOf, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { StreamHeader } from '../../xml/parser'
import { serialize } from '../../xml/serialize'
import { announcedLimits, limitsFeature } from '../rates/announce'
import { decodeSaslData } from '../sasl'
import { SM } from '../smacks'
import { CLOSED, HEADER, NEGOTIATING, ONLINE, TLS_HANDSHAKE } from '../stream'
import type { ServerStreamBackend, Verdict } from './backend'
import type { ServerConnection } from './connection'
import { dialbackXml, domainOf, errorXml, type DialbackElement } from './dialback'
import { readServerHeader, type ServerHeader } from './header'
import { BIDI, BIDI_FEATURE, DIALBACK_FEATURE } from './names'
import { ServerStream } from './server-stream'
import type { PeerPolicy, ServerStreamSettings } from './settings'

/** Failed SASL exchanges that are answered. */
const RETRIES = 3

/** A stream that another server opened: RFC 6120 §4 to §6 as the receiving entity, XEP-0178, XEP-0220 §2.2. */
export class IncomingStream extends ServerStream {
  readonly direction = 'in'
  /** The pair that EXTERNAL was for, until the stream that begins behind it. */
  #proven: { remote: string; local: string } | undefined
  #challenged = false
  #failures = 0
  /** Keys that were not accepted. */
  #refusals = 0
  /** Pairs whose keys are being verified. */
  readonly #verifying = new Set<string>()
  /** Another with each header: what was asked on the stream before is no answer to this one. */
  #epoch = 0

  constructor(connection: ServerConnection, backend: ServerStreamBackend, settings: ServerStreamSettings) {
    super(connection, settings, backend)
  }

  // --- header and features

  header(header: StreamHeader): void {
    if (this.phase === CLOSED) return
    if (this.phase !== HEADER)
      return this.close(new StreamError('bad-format', 'the stream has begun already'))
    this.phase = NEGOTIATING
    this.whenOpen(() => this.#begin(readServerHeader(header)))
  }

  #begin(read: ServerHeader): void {
    const local = this.backend.isLocal(read.to) ? read.to : ''
    this.#epoch++
    this.sendHeader(local || this.backend.defaultDomain(), read.from, read.old)
    const fault = read.fault ?? this.#addressFault(read, local)
    if (fault) return this.close(fault)
    this.domain = local
    this.remote = read.from || (this.#proven?.remote ?? '')
    this.#sendFeatures()
    if (this.#proven) this.#online(this.#proven.local, this.#proven.remote)
  }

  #addressFault(read: ServerHeader, local: string): StreamError | undefined {
    if (local === '') return new StreamError('host-unknown', `this server does not serve ${read.to}`)
    if (this.backend.isLocal(read.from))
      return new StreamError('invalid-from', `${read.from} is served here, not by you`)
    const proven = this.#proven
    if (!proven) return undefined
    // RFC 6120 §6.4.6: the stream behind SASL is for whom SASL was
    if (read.from !== '' && read.from !== proven.remote)
      return new StreamError('invalid-from', `you are authenticated as ${proven.remote}`)
    if (local !== proven.local)
      return new StreamError('not-authorized', `you are authenticated at ${proven.local}`)
    return undefined
  }

  get #policy(): PeerPolicy {
    return this.backend.policy(this.remote)
  }

  #sendFeatures(): void {
    this.connection.send(this.connection.framing.streamElement('features', this.#features()))
  }

  #features(): string {
    const { tls, auth } = this.#policy
    const { acks, bidi } = this.settings
    const starttls = !this.secure && this.transport === 'tcp' && this.backend.secureContext(this.domain)
    // RFC 6120 §5.3.1: nothing beside a STARTTLS that is required
    if (starttls && tls === 'required') return serialize(el('starttls', NS.TLS, el('required')))
    const dialback = auth === 'dialback' || this.proves(this.remote)
    const external = !this.#proven && this.remote !== '' && this.proves(this.remote)
    const features = [
      starttls && el('starttls', NS.TLS),
      external && el('mechanisms', NS.SASL, el('mechanism', null, 'EXTERNAL')),
      dialback && el('dialback', DIALBACK_FEATURE, el('errors')),
      bidi && !this.#proven && el('bidi', BIDI_FEATURE),
      acks && (this.#proven || dialback) && el('sm', SM, el('optional')),
      // After dialback there are no further features: what holds then is told now
      limitsFeature(this.settings, true)
    ]
    return features.map(feature => (feature ? serialize(feature) : '')).join('')
  }

  // --- negotiation

  protected negotiate(element: Element): void {
    if (this.phase === HEADER || this.phase === TLS_HANDSHAKE)
      return this.close(new StreamError('bad-format', 'a stream begins with its header'))
    const { xmlns } = element.attrs
    if (xmlns === NS.TLS) return this.#startTls(element)
    if (xmlns === NS.SASL) return this.whenOpen(() => this.#sasl(element))
    if (xmlns === BIDI && element.name === 'bidi') return this.#enableBidi(element)
    this.close(new StreamError('unsupported-stanza-type'))
  }

  #startTls(element: Element): void {
    const offered = element.name === 'starttls' && this.transport === 'tcp' && !this.secure && this.#isFresh
    const context = offered ? this.backend.secureContext(this.domain) : undefined
    if (context) {
      this.opened = false
      this.phase = TLS_HANDSHAKE
      const proceed = serialize(el('proceed', NS.TLS))
      if (this.connection.startTls(context, proceed, { requestCert: true })) return
      this.opened = true
    }
    // RFC 6120 §5.4.2.2
    this.phase = NEGOTIATING
    this.answer(el('failure', NS.TLS))
    this.close()
    this.connection.end()
  }

  /** Nothing was agreed on yet. */
  get #isFresh(): boolean {
    return this.phase === NEGOTIATING && this.receives.size === 0 && this.#verifying.size === 0 && !this.bidi
  }

  secured(): void {
    // RFC 6120 §5.4.3.3: what was said before does not count
    this.domain = ''
    this.remote = ''
    this.#failures = 0
    this.#challenged = false
    if (this.phase === TLS_HANDSHAKE) this.phase = HEADER
  }

  /** XEP-0288 §2.2: after TLS and before authentication. */
  #enableBidi(element: Element): void {
    const { tls } = this.#policy
    const may = this.settings.bidi && this.receives.size === 0 && (this.secure || tls === 'optional')
    if (!may)
      return this.close(new StreamError('unsupported-stanza-type', 'bidi comes before authentication'))
    this.bidi = true
    // XEP-0478 §3.2
    this.takesAtMost(announcedLimits(element))
  }

  // --- SASL EXTERNAL

  #sasl(element: Element): void {
    // RFC 6120 §6.3.3: once
    if (this.auth !== '' || this.#proven) return this.close(new StreamError('unsupported-stanza-type'))
    const { name, attrs } = element
    const challenged = this.#challenged
    this.#challenged = false
    if (name === 'abort') return this.#saslFailure('aborted')
    if (name === 'response') {
      if (!challenged) return this.#saslFailure('malformed-request')
    } else if (name !== 'auth') {
      return this.close(new StreamError('unsupported-stanza-type'))
    } else if (attrs.mechanism !== 'EXTERNAL') {
      return this.#saslFailure(this.secure ? 'invalid-mechanism' : 'encryption-required')
    }
    if (firstChild(element)) return this.#saslFailure('malformed-request')
    if (name === 'auth' && textOf(element) === '' && this.secure) {
      this.#challenged = true
      return this.answer(el('challenge', NS.SASL))
    }
    const data = decodeSaslData(textOf(element))
    if (!data) return this.#saslFailure('incorrect-encoding')
    this.#external(data.toString())
  }

  /** XEP-0178 §3: the name on this very header must be in the certificate that this very connection has shown. */
  #external(authzid: string): void {
    const { remote, domain } = this
    if (!this.secure) return this.#saslFailure('encryption-required')
    if (remote === '') return this.#saslFailure('not-authorized')
    const problem = this.connection.certificateProblem(remote)
    if (problem !== undefined) {
      this.backend.refused(this, domain, remote, problem)
      return this.#saslFailure('not-authorized')
    }
    if (authzid !== '' && domainOf(authzid) !== remote) return this.#saslFailure('invalid-authzid')
    this.#whenPermitted(
      domain,
      remote,
      () => this.#externalDone(domain, remote),
      why => {
        this.backend.refused(this, domain, remote, why)
        this.#saslFailure('not-authorized')
      }
    )
  }

  #externalDone(local: string, remote: string): void {
    this.#proven = { remote, local }
    this.auth = 'external'
    // What is being found out about keys belongs to the stream that ends here
    this.#epoch++
    this.#verifying.clear()
    this.answer(el('success', NS.SASL))
    // RFC 6120 §6.4.6
    this.phase = HEADER
    this.opened = false
    this.connection.restart()
  }

  #saslFailure(condition: string): void {
    this.answer(el('failure', NS.SASL, el(condition)))
    // XEP-0178 §3: whoever fails may go on with dialback
    if (++this.#failures > RETRIES)
      this.close(new StreamError('policy-violation', 'too many failed attempts to authenticate'))
  }

  /** Asks whether the two may federate; nothing more is read until that is known. */
  #whenPermitted(local: string, remote: string, then: () => void, refused: (why: string) => void): void {
    const failed = (error: unknown): void => {
      if (isStanzaError(error)) refused(error.text ?? error.message)
      else this.broken(error)
    }
    try {
      const checked = this.backend.check(local, remote)
      if (isPromise(checked)) this.wait(checked, then, failed)
      else then()
    } catch (error) {
      failed(error)
    }
  }

  #online(local: string, remote: string): void {
    this.receives.add(remote, local)
    if (this.auth === '') this.auth = 'dialback'
    if (this.phase !== ONLINE) {
      this.phase = ONLINE
      this.connection.deadline = 0
      this.trusted()
    }
    this.backend.verified(this, local, remote)
  }

  protected override enable(): void {
    if (!this.settings.acks || this.acks || this.receives.size === 0) return super.enable()
    this.answer(el('enabled', SM))
    this.acks = this.newAcks()
  }

  // --- dialback

  protected dialback(read: DialbackElement): void {
    // XEP-0220 §3.1: nothing was asked on this stream, so nothing can be an answer
    if (read.type !== '') {
      this.backend.refused(this, read.to, read.from, `an unsolicited dialback answer (${read.name})`)
      return
    }
    if (this.phase !== NEGOTIATING && this.phase !== ONLINE)
      return this.close(new StreamError('bad-format', 'a stream begins with its header'))
    this.whenOpen(() => this.#key(read))
  }

  /** A key for a pair of domains (XEP-0220 §2.2.1). */
  #key(read: DialbackElement): void {
    const { from: remote, to: local } = read
    if (this.receives.has(remote, local)) return this.#result(read, 'valid')
    const fault = this.#keyFault(remote, local)
    if (fault) {
      this.backend.refused(this, local, remote, fault.text)
      this.#result(read, fault)
      return this.#count()
    }
    const pair = `${local} ${remote}`
    const refused = (why: string): void => {
      this.#verifying.delete(pair)
      this.backend.refused(this, local, remote, why)
      this.#result(read, { condition: 'policy-violation', text: why })
    }
    this.#verifying.add(pair)
    this.#whenPermitted(local, remote, () => this.#verify(read, pair), refused)
  }

  #keyFault(remote: string, local: string): (Exclude<Verdict, string> & { text: string }) | undefined {
    const { maxPairs, maxVerifying } = this.settings
    const { tls, auth } = this.backend.policy(remote)
    if (!this.backend.isLocal(local))
      return { condition: 'item-not-found', text: `${local} is not served here` }
    if (this.backend.isLocal(remote))
      return { condition: 'not-acceptable', text: `${remote} is served here, not by you` }
    if (tls === 'required' && !this.secure) return { condition: 'policy-violation', text: 'TLS comes first' }
    if (auth === 'certificate' && !this.proves(remote)) {
      const problem = this.secure ? this.connection.certificateProblem(remote) : undefined
      return { condition: 'not-authorized', text: problem ?? 'there is no TLS' }
    }
    const busy = this.#verifying.size >= maxVerifying || this.#verifying.has(`${local} ${remote}`)
    if (busy || this.receives.size >= maxPairs)
      return { condition: 'resource-constraint', text: 'too many domains on one connection' }
    return undefined
  }

  #verify(read: DialbackElement, pair: string): void {
    const { from: remote, to: local, key } = read
    // XEP-0220 §2.2.1: by the key or otherwise; a certificate is better than a key
    if (this.proves(remote)) return this.#verified(read, pair, 'valid')
    const epoch = this.#epoch
    void this.backend.verify({ local, remote, id: this.id, key }, this.remoteAddress).then(verdict => {
      if (this.closed || epoch !== this.#epoch) return
      this.whenOpen(() => this.#verified(read, pair, verdict))
    })
  }

  #verified(read: DialbackElement, pair: string, verdict: Verdict): void {
    if (!this.#verifying.delete(pair)) return
    const { from: remote, to: local } = read
    if (verdict === 'valid') {
      this.#result(read, verdict)
      return this.#online(local, remote)
    }
    const why =
      verdict === 'invalid' ? 'the key is not that of its server' : (verdict.text ?? verdict.condition)
    this.backend.refused(this, local, remote, why)
    // XEP-0220 §2.2.1: the end for whoever has shown nothing but that; others keep what they have
    if (verdict !== 'invalid' || this.receives.size > 0) {
      this.#result(read, verdict === 'invalid' ? { condition: 'forbidden' } : verdict)
      return this.#count()
    }
    this.#result(read, 'invalid')
    this.close()
  }

  /** Who is refused again and again does not get better. */
  #count(): void {
    if (++this.#refusals <= this.settings.maxPairs) return
    this.close(new StreamError('policy-violation', 'too many domains that are not yours'))
  }

  #result({ written }: DialbackElement, verdict: Verdict): void {
    const attrs = { from: written.to, to: written.from }
    const type = typeof verdict === 'string' ? verdict : 'error'
    const content = typeof verdict === 'string' ? '' : errorXml(verdict.condition, verdict.text)
    this.connection.send(dialbackXml('result', { ...attrs, type }, content))
  }
}
