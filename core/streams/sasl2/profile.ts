import { StreamError } from '../../errors'
import { childOf, el, firstChild, textOf, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { LoginProfile, LoginRun } from '../login-profile'
import type { SaslExchange, SaslOffer } from '../mechanism'
import type { Negotiable } from '../negotiable'
import { decodeBase64 } from '../sasl'
import { negotiateInline } from './inline'
import { readInlineRequest, type InlineRequest } from './request'

/** SASL as XEP-0388 writes it. What a client may want inline is done by its stream. */
export class Sasl2Profile implements LoginProfile {
  readonly ns = NS.SASL2
  /** Of the attempt under way. */
  #request: InlineRequest | undefined

  constructor(
    private readonly login: LoginRun,
    private readonly stream: Negotiable,
    readonly offer: SaslOffer
  ) {}

  element(element: Element, exchange: SaslExchange | undefined): void {
    const { name } = element
    // XEP-0388 §2.4: a client that logs in responds or aborts, nothing else
    if (exchange && name !== 'response' && name !== 'abort') return this.#disturbed()
    if (name === 'abort') return this.login.failed(this, { condition: 'aborted' })
    if (name === 'authenticate') return this.#authenticate(element)
    if (name !== 'response') return this.stream.close(new StreamError('unsupported-stanza-type'))
    if (!exchange) {
      const text = 'there is no challenge to respond to'
      return this.login.failed(this, { condition: 'malformed-request', text })
    }
    const data = this.#data(element)
    if (data) this.login.step(this, exchange, data)
  }

  #disturbed(): void {
    this.stream.close(new StreamError('policy-violation', 'a login is under way'))
  }

  #authenticate(element: Element): void {
    this.#request = undefined
    // XEP-0388 §2.2: no element is no initial response, an empty one is one without data
    const initial = childOf(element, 'initial-response', NS.SASL2)
    const data = initial && this.#data(initial)
    if (initial && !data) return
    this.#request = readInlineRequest(element)
    this.login.attempt(this, element.attrs.mechanism, data)
  }

  /** The data of a message; undefined when it was refused. */
  #data(element: Element): Buffer | undefined {
    if (firstChild(element)) {
      this.login.failed(this, { condition: 'malformed-request', text: 'data is text' })
      return undefined
    }
    // XEP-0388 §2.2: white space should not be there, and may be, as in its examples
    const data = decodeBase64(textOf(element).replace(/[ \t\r\n]+/g, ''))
    if (!data) this.login.failed(this, { condition: 'incorrect-encoding' })
    return data
  }

  challenge(data: Buffer): Element {
    return el('challenge', NS.SASL2, data.toString('base64'))
  }

  succeeded(user: string, data: Buffer | undefined): void {
    // XEP-0388 §2.3, §4.4; nothing that was asked for inline is done then (§2.6.2)
    if (!this.stream.agreesWith(user)) {
      const text = 'the stream is from somebody else'
      return this.login.failed(this, { condition: 'invalid-authzid', text })
    }
    if (!this.stream.becomes(user)) return
    this.stream.whenOpen(() => negotiateInline(this.stream, data, this.#request ?? {}))
  }
}
