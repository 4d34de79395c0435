import { el, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { Items } from '../../events/items'
import type { StreamHost } from '../backend'
import { CSI } from '../client-state'
import type { SaslOffer } from '../mechanism'
import { SM } from '../smacks/names'

/** XEP-0388 §2.1; nothing without mechanisms. */
export function authenticationFeature({ items }: StreamHost, { mechanisms }: SaslOffer): Element | undefined {
  if (mechanisms.length === 0) return undefined
  const resumption = items.list('stream-management')[0]?.resumption ?? 0
  const inline = [
    // XEP-0198 §9.2
    ...(resumption > 0 ? [el('sm', SM)] : []),
    ...(items.list('sasl2')[0]?.bind ? [bindFeature(items)] : [])
  ]
  return el(
    'authentication',
    NS.SASL2,
    mechanisms.map(name => el('mechanism', null, name)),
    inline.length > 0 && el('inline', null, inline)
  )
}

/** What a session may begin with, by the namespace that a client asks for it in (XEP-0386 §3.1). */
export function bind2Features(items: Items): string[] {
  const features: string[] = []
  // XEP-0198 §9.1
  if (items.list('stream-management').length > 0) features.push(SM)
  if (items.list('client-states').length > 0) features.push(CSI)
  return features
}

function bindFeature(items: Items): Element {
  const features = bind2Features(items).map(name => el('feature', { var: name }))
  return el('bind', NS.BIND2, features.length > 0 && el('inline', null, features))
}
