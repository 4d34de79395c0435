import { StreamError } from '../errors'
import { isPromise } from '../events/hooks'
import type { Log } from '../log'
import { el, nsOf, type Element } from '../xml/element'
import { NS } from '../xml/namespaces'
import type { StreamHost } from './backend'
import type { LoginProfile, LoginRun, LoginStream } from './login-profile'
import type { SaslCondition, SaslExchange, SaslStep } from './mechanism'
import type { Negotiable } from './negotiable'
import { loginOffer, type LoginOffer } from './offer'
import { OldProfile } from './old-profile'
import { LoginBusy, type LoginAttempt, type Logins } from './rates/logins'
import { Sasl2Profile } from './sasl2/profile'
import type { StreamSettings } from './settings'

export interface LoginOptions {
  host: StreamHost
  /** Those of the stream, as they are at any time. */
  settings: Pick<StreamSettings, 'authRetries'>
  /** Slows down who tries passwords. */
  logins?: Logins | undefined
  log: Log
}

type Success = Extract<SaslStep, { type: 'success' }>
type Failure = Extract<SaslStep, { type: 'failure' }>

/** SASL on one stream, by either profile, until it succeeds. */
export class Login implements LoginRun {
  readonly offer: LoginOffer
  readonly #stream: LoginStream
  readonly #options: LoginOptions
  readonly #old: LoginProfile
  readonly #sasl2: LoginProfile
  #underWay: { exchange: SaslExchange; profile: LoginProfile } | undefined
  #attempt: LoginAttempt | undefined
  #mechanism = ''
  #failures = 0

  constructor(stream: Negotiable, options: LoginOptions) {
    this.#stream = stream
    this.#options = options
    this.offer = loginOffer(options.host, stream)
    this.#old = new OldProfile(this, stream, this.offer.old)
    this.#sasl2 = new Sasl2Profile(this, stream, this.offer.sasl2)
  }

  /** XEP-0388 §2.4: nothing but its elements may come now. */
  get exclusive(): boolean {
    return this.#underWay?.profile === this.#sasl2
  }

  /** Whether the element is SASL's, by a profile that is offered. */
  takes(element: Element): boolean {
    const ns = nsOf(element)
    return ns === NS.SASL || (ns === NS.SASL2 && this.offer.sasl2.mechanisms.length > 0)
  }

  /** Takes such an element. */
  element(element: Element): void {
    const profile = nsOf(element) === NS.SASL2 ? this.#sasl2 : this.#old
    const before = this.#underWay
    this.#underWay = undefined
    profile.element(element, before?.profile === profile ? before.exchange : undefined)
  }

  /** An attempt to log in. No data is no initial response. */
  attempt(profile: LoginProfile, name: string | undefined, data: Buffer | undefined): void {
    const { host } = this.#options
    const { domain, secure, tlsFirst, remoteAddress, channelBindings, transport } = this.#stream
    // RFC 6120 §6.5.4
    if (tlsFirst) return this.failed(profile, { condition: 'encryption-required' })
    const mechanism = host.items.list('sasl-mechanism').find(each => each.name === name)
    if (mechanism?.needsTls && !secure) return this.failed(profile, { condition: 'encryption-required' })
    if (!mechanism || !profile.offer.mechanisms.includes(mechanism.name))
      return this.failed(profile, { condition: 'invalid-mechanism' })
    const { offer } = profile
    this.#mechanism = mechanism.name
    const attempt = (this.#attempt = this.#options.logins?.attempt(remoteAddress, domain))
    // strophe.js 1 (in converse.js 10) fails at any attribute that it does not know, against RFC 5802 §5.1. It
    // knows WebSocket alone, and not SASL2; pages cannot bind a login, so the list that is not vouched for is short.
    const vouches = transport !== 'websocket' || profile !== this.#old
    const exchange = mechanism.start({
      domain,
      secure,
      remoteAddress,
      channelBindings,
      offer,
      vouches,
      attempt
    })
    this.step(profile, exchange, data)
  }

  /** The next message of an attempt. */
  step(profile: LoginProfile, exchange: SaslExchange, data: Buffer | undefined): void {
    const failed = (error: unknown): void => {
      // Those are told where they are counted
      if (!(error instanceof LoginBusy))
        this.#options.log.error({ err: error, host: this.#stream.domain }, 'a SASL mechanism failed')
      this.failed(profile, { condition: 'temporary-auth-failure' })
    }
    const took = (step: SaslStep): void => this.#took(profile, exchange, step)
    try {
      const step = exchange.step(data)
      if (isPromise(step)) this.#stream.wait(step, took, failed)
      else took(step)
    } catch (error) {
      failed(error)
    }
  }

  #took(profile: LoginProfile, exchange: SaslExchange, step: SaslStep): void {
    if (step.type === 'failure') {
      if (step.user !== undefined) this.#attempt?.failed()
      return this.failed(profile, step)
    }
    if (step.type === 'success') return this.#succeeded(profile, step)
    this.#underWay = { exchange, profile }
    this.#stream.answer(profile.challenge(step.data))
  }

  /** Every attempt that succeeds passes here, whatever the profile. */
  #succeeded(profile: LoginProfile, { user, data }: Success): void {
    this.#attempt?.succeeded(this.#mechanism, profile === this.#sasl2 ? 'sasl2' : 'old')
    profile.succeeded(user, data)
  }

  /** Every attempt that fails passes here, whatever the profile and the reason. */
  failed(profile: LoginProfile, { condition, text }: Omit<Failure, 'type'>): void {
    this.#underWay = undefined
    this.#stream.answer(failureOf(profile.ns, condition, text))
    // RFC 6120 §6.4.5
    if (++this.#failures <= this.#options.settings.authRetries) return
    this.#stream.close(new StreamError('policy-violation', 'too many failed attempts to authenticate'))
  }
}

/** RFC 6120 §6.4.5, XEP-0388 §2.6.2: the conditions are the same, in their old namespace. */
function failureOf(ns: string, condition: SaslCondition, text: string | undefined): Element {
  return el(
    'failure',
    ns,
    el(condition, ns === NS.SASL ? null : NS.SASL),
    text && el('text', { 'xml:lang': 'en' }, text)
  )
}
