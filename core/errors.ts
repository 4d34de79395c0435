import { childOf, el, type Attrs, type Element } from './xml/element'
import { NS } from './xml/namespaces'

export type ErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait'

/** RFC 6120 §8.3.3: each stanza error condition with the type that usually goes with it. */
const CONDITIONS = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'cancel',
  'unexpected-request': 'wait'
} as const satisfies Record<string, ErrorType>

export type StanzaCondition = keyof typeof CONDITIONS

export interface StanzaErrorOptions {
  /** Other than the condition's usual type. */
  type?: ErrorType
  /** For a person to read (RFC 6120 §8.3.2). */
  text?: string
  /** An application-specific condition, e.g. `<closed-node xmlns='…pubsub#errors'/>` (RFC 6120 §8.3.4). */
  app?: Element | Element[]
  /** The URI of `gone` and `redirect`. */
  uri?: string
  /** The address that answered, where it is not the addressee (RFC 6120 §8.3.1). */
  by?: string
  /** What stands before the error in the answer, where a specification asks for it (XEP-0060 §8.9.2.4). */
  payload?: Element
}

/** An error that is answered to whoever sent the stanza (RFC 6120 §8.3). Thrown by handlers. */
export class StanzaError extends Error {
  readonly condition: StanzaCondition
  readonly type: ErrorType
  readonly text: string | undefined
  readonly app: readonly Element[]
  readonly uri: string | undefined
  readonly by: string | undefined
  readonly payload: Element | undefined

  constructor(condition: StanzaCondition, options: StanzaErrorOptions | string = {}) {
    const given = typeof options === 'string' ? { text: options } : options
    super(given.text ? `${condition}: ${given.text}` : condition)
    this.name = 'StanzaError'
    this.condition = condition
    this.type = given.type ?? CONDITIONS[condition]
    this.text = given.text
    this.app = given.app === undefined ? [] : Array.isArray(given.app) ? given.app : [given.app]
    this.uri = given.uri
    this.by = given.by
    this.payload = given.payload
  }

  /** Reads the `<error/>` of an answer; an unreadable one is `undefined-condition`. */
  static from(stanza: Element): StanzaError {
    const error = childOf(stanza, 'error')
    const options: StanzaErrorOptions = {}
    let condition: StanzaCondition = 'undefined-condition'
    const app: Element[] = []
    for (const child of error?.children ?? []) {
      if (typeof child === 'string') continue
      if (child.attrs.xmlns !== NS.STANZA_ERRORS) app.push(child)
      else if (child.name === 'text') options.text = child.getText()
      else if (Object.hasOwn(CONDITIONS, child.name)) condition = child.name as StanzaCondition
    }
    const type = error?.attrs.type
    if (type && ['auth', 'cancel', 'continue', 'modify', 'wait'].includes(type))
      options.type = type as ErrorType
    return new StanzaError(condition, { ...options, app })
  }

  /** The `<error/>` element. */
  toElement(): Element {
    return el(
      'error',
      { type: this.type, by: this.by },
      el(this.condition, NS.STANZA_ERRORS, this.uri),
      this.text && textElement(NS.STANZA_ERRORS, this.text),
      [...this.app]
    )
  }
}

/** RFC 6120 §4.9.2, §8.3.2: a text says its language. */
function textElement(xmlns: string, text: string): Element {
  return el('text', { xmlns, 'xml:lang': 'en' }, text)
}

/** Whatever was thrown, as an error to answer with: what is no StanzaError is a fault of ours. */
export function asStanzaError(thrown: unknown): StanzaError {
  return isStanzaError(thrown) ? thrown : new StanzaError('internal-server-error')
}

/** By shape, for errors that come out of another copy of this file. */
export function isStanzaError(thrown: unknown): thrown is StanzaError {
  return thrown instanceof Error && thrown.name === 'StanzaError' && 'condition' in thrown
}

/**
 * The error stanza that answers a stanza: same kind and id, addresses swapped (RFC 6120 §8.3.1).
 * `undefined` where an answer is forbidden: to an error, or to an iq result.
 */
export function errorReply(stanza: Element, error: StanzaError): Element | undefined {
  const { type, from, to, id } = stanza.attrs as Attrs
  if (type === 'error' || (stanza.name === 'iq' && type === 'result')) return undefined
  // Echoing the payload is optional (RFC 6120 §8.3.1): it would send passwords and large payloads back.
  return el(stanza.name, { type: 'error', id, from: to, to: from }, error.payload, error.toElement())
}

/** RFC 6120 §4.9.3. */
export type StreamCondition =
  | 'bad-format'
  | 'bad-namespace-prefix'
  | 'conflict'
  | 'connection-timeout'
  | 'host-gone'
  | 'host-unknown'
  | 'improper-addressing'
  | 'internal-server-error'
  | 'invalid-from'
  | 'invalid-namespace'
  | 'invalid-xml'
  | 'not-authorized'
  | 'not-well-formed'
  | 'policy-violation'
  | 'remote-connection-failed'
  | 'reset'
  | 'resource-constraint'
  | 'restricted-xml'
  | 'see-other-host'
  | 'system-shutdown'
  | 'undefined-condition'
  | 'unsupported-encoding'
  | 'unsupported-feature'
  | 'unsupported-stanza-type'
  | 'unsupported-version'

/** A fault that ends the stream (RFC 6120 §4.9). */
export class StreamError extends Error {
  constructor(
    readonly condition: StreamCondition,
    readonly text?: string,
    readonly app?: Element
  ) {
    super(text ? `${condition}: ${text}` : condition)
    this.name = 'StreamError'
  }

  toElement(): Element {
    return el(
      'error',
      NS.STREAM,
      el(this.condition, NS.STREAM_ERRORS),
      this.text && textElement(NS.STREAM_ERRORS, this.text),
      this.app
    )
  }
}

/** A fault with a code that does not change, for operators and tests: `ERR_MODULE_CYCLE` and the like. */
export class CodedError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions
  ) {
    super(message, options)
    this.name = 'CodedError'
  }
}
