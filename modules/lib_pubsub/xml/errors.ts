import { el, StanzaError, type Element } from '#core'
import { PubsubError } from '../errors'
import { ERRORS_NS } from './namespaces'

/** A protocol error as it is answered; `payload` stands before it in the answer (§8.8.2.4). */
export function toStanzaError(error: PubsubError, payload?: Element): StanzaError {
  const { condition, type, text, uri, app, feature } = error
  return new StanzaError(condition, {
    type,
    ...(text !== undefined && { text }),
    ...(uri !== undefined && { uri }),
    ...(app !== undefined && { app: el(app, { xmlns: ERRORS_NS, feature }) }),
    ...(payload && { payload })
  })
}

/** What a handler throws: protocol errors as stanza errors, everything else as it is. */
export function asAnswer(thrown: unknown): unknown {
  return thrown instanceof PubsubError ? toStanzaError(thrown) : thrown
}
