import { el, type Element } from '../xml/element'
import { NS } from '../xml/namespaces'
import { serialize } from '../xml/serialize'
import type { StreamHost } from './backend'
import type { SaslMechanism } from './mechanism'
import type { ClientSession } from './session'

/** Whether STARTTLS is possible on a stream now, and whether it must come first (RFC 6120 §5.3.1). */
export type TlsOffer = 'required' | 'optional' | 'none'

/** What is offered to a client that is not authenticated (RFC 6120 §5.4.1, §6.4.1). */
export function featuresBeforeAuth(host: StreamHost, session: ClientSession, tls: TlsOffer): string {
  // RFC 6120 §5.3.1: nothing beside a STARTTLS that is required
  if (tls === 'required') return serialize(el('starttls', NS.TLS, el('required')))
  const mechanisms = offeredMechanisms(host, session.secure).map(({ name }) => el('mechanism', null, name))
  return join([
    tls === 'optional' && el('starttls', NS.TLS),
    mechanisms.length > 0 && el('mechanisms', NS.SASL, mechanisms),
    ...ofModules(host, session, 'sasl')
  ])
}

/** What is offered after authentication (RFC 6120 §7.4). */
export function featuresAfterAuth(host: StreamHost, session: ClientSession): string {
  return join([
    el('bind', NS.BIND),
    // RFC 3921 §3 asked for a session; who still does so learns that it may be left out.
    el('session', NS.SESSION, el('optional')),
    ...ofModules(host, session, 'bind')
  ])
}

/** The mechanisms of a host in its order of preference, without those that need TLS first (RFC 6120 §6.3.4). */
export function offeredMechanisms(host: StreamHost, secure: boolean): SaslMechanism[] {
  return host.items
    .list('sasl-mechanism')
    .filter(mechanism => secure || !mechanism.needsTls)
    .sort((a, b) => b.strength - a.strength)
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
