import { StanzaError, type Element, type ErrorType, type StanzaCondition } from '#core'

/** XEP-0086, as far as this module answers it. */
const CODES: Partial<Record<StanzaCondition, number>> = {
  'bad-request': 400,
  conflict: 409,
  forbidden: 403,
  'internal-server-error': 500,
  'not-acceptable': 406,
  'not-allowed': 405,
  'not-authorized': 401,
  'registration-required': 407,
  'resource-constraint': 500,
  'service-unavailable': 503,
  'unexpected-request': 400
}

/** XEP-0077 §9: with the code of old, beside what is said today. */
export class RegistrationError extends StanzaError {
  constructor(condition: StanzaCondition, text: string, type?: ErrorType) {
    super(condition, { text, ...(type ? { type } : {}) })
  }

  override toElement(): Element {
    const error = super.toElement()
    const code = CODES[this.condition]
    if (code !== undefined) error.attrs.code = String(code)
    return error
  }
}
