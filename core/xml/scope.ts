import { StreamError } from '../errors'

const XML_NS = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NS = 'http://www.w3.org/2000/xmlns/'

/** The prefixes in scope, innermost first; `undefined` is none. */
export interface Scope {
  readonly prefix: string
  readonly uri: string
  readonly outer: Scope | undefined
  /** How many declarations are in scope: what a lookup may cost. */
  readonly size: number
}

/**
 * Adds `xmlns:prefix='uri'` of an element whose surroundings have `outer` in scope.
 * Throws a StreamError (Namespaces in XML 1.0 §3 and §6.3).
 */
export function declare(
  scope: Scope | undefined,
  outer: Scope | undefined,
  prefix: string,
  uri: string
): Scope {
  for (let s = scope; s !== outer && s; s = s.outer)
    if (s.prefix === prefix) throw refusal('a prefix is declared twice')
  if (uri === '') throw refusal('a prefix is bound to no namespace')
  if (prefix === 'xmlns' || uri === XMLNS_NS)
    throw refusal('the prefix and namespace of xmlns are bound for good')
  if ((prefix === 'xml') !== (uri === XML_NS))
    throw refusal('the prefix and namespace of xml are bound for good')
  return { prefix, uri, outer: scope, size: (scope?.size ?? 0) + 1 }
}

/** Throws a StreamError where `xmlns='uri'` must not be (Namespaces in XML 1.0 §3). */
export function checkDefault(uri: string): void {
  if (uri === XML_NS || uri === XMLNS_NS) throw refusal('a reserved namespace is declared as the default')
}

/** The namespace of a prefix other than xml and xmlns. Throws a StreamError where it is not declared. */
export function resolve(scope: Scope | undefined, prefix: string): string {
  for (let s = scope; s; s = s.outer) if (s.prefix === prefix) return s.uri
  throw refusal(`the prefix ${prefix.slice(0, 64)} is not declared`)
}

function refusal(text: string): StreamError {
  return new StreamError('not-well-formed', text)
}
