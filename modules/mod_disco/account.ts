import { el, NS, StanzaError, type Context, type Element, type StanzaEvent } from '#core'

/**
 * disco#info of an account, for its owner (XEP-0030 §3.1 with RFC 6121 §8.5.1: nobody else learns from the answer
 * whether the account exists).
 */
export function accountInfo(ctx: Context, event: StanzaEvent): Element {
  if (event.from.bare !== event.to.bare) throw new StanzaError('service-unavailable')
  const features = [NS.DISCO_INFO, NS.DISCO_ITEMS, ...ctx.items('account-feature')]
  return el(
    'query',
    NS.DISCO_INFO,
    el('identity', { category: 'account', type: 'registered' }),
    [...new Set(features)].sort().map(feature => el('feature', { var: feature }))
  )
}
