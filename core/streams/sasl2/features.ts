import { el, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { StreamHost } from '../backend'
import type { SaslOffer } from '../mechanism'
import type { ClientSession } from '../session'

/** XEP-0388 §2.1; nothing without mechanisms. */
export function authenticationFeature(
  host: StreamHost,
  session: ClientSession,
  { mechanisms }: SaslOffer
): Element | undefined {
  if (mechanisms.length === 0) return undefined
  const inline = [
    ...host.items.list('sasl2-feature').map(feature => feature.offer(session)),
    bindFeature(host, session)
  ].filter(feature => feature !== undefined)
  return el(
    'authentication',
    NS.SASL2,
    mechanisms.map(name => el('mechanism', null, name)),
    inline.length > 0 && el('inline', null, inline)
  )
}

/** XEP-0386 §3.1. */
function bindFeature(host: StreamHost, session: ClientSession): Element | undefined {
  if (!host.items.list('sasl2')[0]?.bind) return undefined
  const features = host.items
    .list('bind2-feature')
    .filter(feature => feature.offered?.(session) ?? true)
    .map(feature => el('feature', { var: feature.var }))
  return el('bind', NS.BIND2, features.length > 0 && el('inline', null, features))
}
