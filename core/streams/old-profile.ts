import { StreamError } from '../errors'
import { el, firstChild, textOf, type Element } from '../xml/element'
import { NS } from '../xml/namespaces'
import type { LoginProfile, LoginRun, LoginStream } from './login-profile'
import type { SaslExchange, SaslOffer } from './mechanism'
import { decodeSaslData, encodeChallengeData, encodeSuccessData } from './sasl'

/** SASL as RFC 6120 §6.4 writes it. */
export class OldProfile implements LoginProfile {
  readonly ns = NS.SASL

  constructor(
    private readonly login: LoginRun,
    private readonly stream: LoginStream,
    readonly offer: SaslOffer
  ) {}

  // RFC 6120 §6.4.2: a new <auth/> discards what was under way
  element(element: Element, exchange: SaslExchange | undefined): void {
    if (element.name === 'abort') return this.login.failed(this, { condition: 'aborted' })
    if (element.name === 'auth') return this.#auth(element)
    if (element.name !== 'response') return this.stream.close(new StreamError('unsupported-stanza-type'))
    if (!exchange) {
      const text = 'there is no challenge to respond to'
      return this.login.failed(this, { condition: 'malformed-request', text })
    }
    const data = this.#data(element)
    if (data) this.login.step(this, exchange, data)
  }

  #auth(element: Element): void {
    // RFC 6120 §6.4.2: no text is no initial response, "=" is one without data
    const data = element.children.length === 0 ? undefined : this.#data(element)
    if (!data && element.children.length > 0) return
    this.login.attempt(this, element.attrs.mechanism, data)
  }

  /** The data of a message; undefined when it was refused. */
  #data(element: Element): Buffer | undefined {
    if (firstChild(element)) {
      this.login.failed(this, { condition: 'malformed-request', text: 'data is text' })
      return undefined
    }
    const data = decodeSaslData(textOf(element))
    if (!data) this.login.failed(this, { condition: 'incorrect-encoding' })
    return data
  }

  challenge(data: Buffer): Element {
    return el('challenge', NS.SASL, encodeChallengeData(data))
  }

  succeeded(user: string, data: Buffer | undefined): void {
    this.stream.loggedIn(user, el('success', NS.SASL, encodeSuccessData(data)))
  }
}
