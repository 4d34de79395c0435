import { StanzaError } from '#core'

/** A boolean attribute of a request (`parent-only`), as XML Schema writes it; one that is not there is false. */
export function isTrue(value: string | undefined): boolean {
  if (value === undefined || value === 'false' || value === '0') return false
  if (value === 'true' || value === '1') return true
  throw new StanzaError('bad-request', {
    type: 'modify',
    text: `'${value.slice(0, 32)}' is neither true nor false`
  })
}
