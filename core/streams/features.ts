import { el, type Element } from '../xml/element'
import { NS } from '../xml/namespaces'
import { serialize } from '../xml/serialize'
import type { StreamHost } from './backend'
import { loginOffer, type Bindable, type LoginOffer } from './offer'
import { authenticationFeature } from './sasl2/features'
import type { ClientSession } from './session'

/** Whether STARTTLS is possible on a stream now, and whether it must come first (RFC 6120 §5.3.1). */
export type TlsOffer = 'required' | 'optional' | 'none'

export interface BeforeAuth {
  offer?: LoginOffer
  /** What the stream may send (XEP-0478). */
  limits?: Element | undefined
}

/** What is offered to a client that is not authenticated (RFC 6120 §5.4.1, §6.4.1, XEP-0388 §2.1). */
export function featuresBeforeAuth(
  host: StreamHost,
  session: ClientSession & Bindable,
  tls: TlsOffer,
  { offer = loginOffer(host, session), limits }: BeforeAuth = {}
): string {
  // RFC 6120 §5.3.1: nothing beside a STARTTLS that is required
  if (tls === 'required') return serialize(el('starttls', NS.TLS, el('required')))
  const { mechanisms, bindings } = offer.old
  return join([
    tls === 'optional' && el('starttls', NS.TLS),
    mechanisms.length > 0 &&
      el(
        'mechanisms',
        NS.SASL,
        mechanisms.map(name => el('mechanism', null, name))
      ),
    authenticationFeature(host, offer.sasl2),
    // XEP-0440 §2
    bindings.length > 0 &&
      el(
        'sasl-channel-binding',
        NS.CHANNEL_BINDINGS,
        bindings.map(type => el('channel-binding', { type }))
      ),
    ...ofModules(host, session, 'sasl'),
    limits
  ])
}

/**
 * What is offered after authentication (RFC 6120 §7.4), or after a resource was bound with it (XEP-0388 §2.6.1), and
 * what the stream may send then (XEP-0478).
 */
export function featuresAfterAuth(host: StreamHost, session: ClientSession, limits?: Element): string {
  return join([...(session.jid ? [] : offerOfBinding()), ...ofModules(host, session, 'bind'), limits])
}

function offerOfBinding(): Element[] {
  // RFC 3921 §3 asked for a session; who still does so learns that it may be left out.
  return [el('bind', NS.BIND), el('session', NS.SESSION, el('optional'))]
}

function ofModules(
  host: StreamHost,
  session: ClientSession,
  stage: 'sasl' | 'bind'
): Array<Element | undefined> {
  const features = host.items.list('stream-feature').filter(feature => feature.stage === stage)
  return features.map(feature => feature.offer(session))
}

function join(elements: Array<Element | undefined | false>): string {
  let xml = ''
  for (const element of elements) if (element) xml += serialize(element)
  return xml
}
