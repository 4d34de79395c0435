import { el, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { StreamHost } from '../backend'
import type { SaslOffer } from '../mechanism'
import type { ClientSession } from '../session'
import { SM } from '../smacks/names'

/** XEP-0388 §2.1; nothing without mechanisms. */
export function authenticationFeature(
  host: StreamHost,
  session: ClientSession,
  { mechanisms }: SaslOffer
): Element | undefined {
  if (mechanisms.length === 0) return undefined
  const inline = [
    // XEP-0198 §9.2
    resumes(host) && el('sm', SM),
    host.items.list('sasl2')[0]?.bind && bindFeature(host, session)
  ].filter(feature => typeof feature === 'object')
  return el(
    'authentication',
    NS.SASL2,
    mechanisms.map(name => el('mechanism', null, name)),
    inline.length > 0 && el('inline', null, inline)
  )
}

/** Whether a session of this host can be taken up again by another connection. */
export function resumes(host: StreamHost): boolean {
  return (host.items.list('stream-management')[0]?.resumption ?? 0) > 0
}

/** XEP-0386 §3.1. */
function bindFeature(host: StreamHost, session: ClientSession): Element {
  const names = host.items
    .list('bind2-feature')
    .filter(feature => feature.offered?.(session) ?? true)
    .map(feature => feature.var)
  // XEP-0198 §9.1
  if (host.items.list('stream-management').length > 0) names.push(SM)
  const features = names.map(name => el('feature', { var: name }))
  return el('bind', NS.BIND2, features.length > 0 && el('inline', null, features))
}
