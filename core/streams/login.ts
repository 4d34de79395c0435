import { StreamError } from '../errors'
import { isPromise } from '../events/hooks'
import type { Log } from '../log'
import { el, firstChild, textOf, type Element } from '../xml/element'
import { NS } from '../xml/namespaces'
import type { StreamHost } from './backend'
import type { SaslCondition, SaslExchange, SaslStep } from './mechanism'
import { decodeSaslData, encodeChallengeData, encodeSuccessData } from './sasl'

/** What a login needs of its stream. */
export interface LoginStream {
  readonly domain: string
  readonly secure: boolean
  readonly remoteAddress: string
  /** Writes an element. */
  answer(element: Element): void
  /** Reads nothing more until the promise is settled. */
  wait<T>(promise: Promise<T>, then: (value: T) => void, failed: (error: unknown) => void): void
  close(error: StreamError): void
  /** Whether the client may be that user; then it is, and a new stream begins after `success` was sent. */
  loggedIn(user: string, success: Element): void
}

export interface LoginOptions {
  host: StreamHost
  /** Nothing is accepted before TLS. */
  tlsFirst: boolean
  /** Failures that are answered; the next ends the stream. */
  retries: number
  log: Log
}

/** SASL on one stream, until it succeeds (RFC 6120 §6.4). */
export class Login {
  readonly #stream: LoginStream
  readonly #options: LoginOptions
  #exchange: SaslExchange | undefined
  #failures = 0

  constructor(stream: LoginStream, options: LoginOptions) {
    this.#stream = stream
    this.#options = options
  }

  /** Takes an element in the namespace of SASL. */
  element(element: Element): void {
    const exchange = this.#exchange
    // RFC 6120 §6.4.2: a new <auth/> discards what was under way
    this.#exchange = undefined
    if (element.name === 'abort') return this.#fail('aborted')
    if (element.name === 'auth') return this.#auth(element)
    if (element.name !== 'response') return this.#stream.close(new StreamError('unsupported-stanza-type'))
    if (!exchange) return this.#fail('malformed-request', 'there is no challenge to respond to')
    const data = this.#data(element)
    if (data) this.#step(exchange, data)
  }

  #auth(element: Element): void {
    const { host, tlsFirst } = this.#options
    const { domain, secure, remoteAddress } = this.#stream
    // RFC 6120 §6.5.4
    if (tlsFirst) return this.#fail('encryption-required')
    const name = element.attrs.mechanism
    const mechanism = host.items.list('sasl-mechanism').find(each => each.name === name)
    if (!mechanism) return this.#fail('invalid-mechanism')
    if (mechanism.needsTls && !secure) return this.#fail('encryption-required')
    // RFC 6120 §6.4.2: no text is no initial response, "=" is one without data
    const data = element.children.length === 0 ? undefined : this.#data(element)
    if (!data && element.children.length > 0) return
    this.#step(mechanism.start({ domain, secure, remoteAddress }), data)
  }

  /** The data of a message; undefined when it was refused. */
  #data(element: Element): Buffer | undefined {
    if (firstChild(element)) {
      this.#fail('malformed-request', 'data is text')
      return undefined
    }
    const data = decodeSaslData(textOf(element))
    if (!data) this.#fail('incorrect-encoding')
    return data
  }

  #step(exchange: SaslExchange, data: Buffer | undefined): void {
    const failed = (error: unknown): void => {
      this.#options.log.error({ err: error, host: this.#stream.domain }, 'a SASL mechanism failed')
      this.#fail('temporary-auth-failure')
    }
    const took = (step: SaslStep): void => this.#took(exchange, step)
    try {
      const step = exchange.step(data)
      if (isPromise(step)) this.#stream.wait(step, took, failed)
      else took(step)
    } catch (error) {
      failed(error)
    }
  }

  #took(exchange: SaslExchange, step: SaslStep): void {
    if (step.type === 'failure') return this.#fail(step.condition, step.text)
    if (step.type === 'challenge') {
      this.#exchange = exchange
      return this.#stream.answer(el('challenge', NS.SASL, encodeChallengeData(step.data)))
    }
    this.#stream.loggedIn(step.user, el('success', NS.SASL, encodeSuccessData(step.data)))
  }

  #fail(condition: SaslCondition, text?: string): void {
    this.#exchange = undefined
    this.#stream.answer(el('failure', NS.SASL, el(condition), text && el('text', { 'xml:lang': 'en' }, text)))
    // RFC 6120 §6.4.5
    if (++this.#failures <= this.#options.retries) return
    this.#stream.close(new StreamError('policy-violation', 'too many failed attempts to authenticate'))
  }
}
