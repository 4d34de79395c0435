import type { X509Certificate } from 'node:crypto'
import { JID } from '../jid'
import { literalAddress } from '../net/place'
import { asciiDomain } from '../precis'
import { alternativeNames } from './alternative-names'

/** What a peer has shown in TLS. */
export interface PeerCertificate {
  certificate: X509Certificate
  /** Its chain ends at an authority that is believed, and nothing in it had expired at the handshake. */
  trusted: boolean
  /** Why not, as OpenSSL calls it: `CERT_HAS_EXPIRED`, `DEPTH_ZERO_SELF_SIGNED_CERT`… */
  reason?: string | undefined
}

/**
 * Whether a certificate names that domain (RFC 6125 §6.4, RFC 6120 §13.7.2.1): by a DNS-ID, an SRV-ID of
 * `_xmpp-server` or an XmppAddr. The common name does not count, nor does who has signed it.
 *
 * @param domain prepared (RFC 7622 §3.2)
 */
export function certificateMatches(certificate: X509Certificate, domain: string): boolean {
  const address = literalAddress(domain)
  if (address !== undefined) return certificate.checkIP(address) !== undefined
  // RFC 6125 §6.4.2: A-labels are compared
  const wanted = asciiDomain(domain)
  const names = alternativeNames(certificate.raw)
  return (
    names.dns.some(name => dnsMatches(name.toLowerCase(), wanted)) ||
    names.srv.some(name => name.toLowerCase() === `_xmpp-server.${wanted}`) ||
    names.xmpp.some(name => isDomain(name, domain))
  )
}

/**
 * What keeps a peer from speaking for a domain by its certificate, for the log; undefined where nothing does. To be
 * asked at the moment when it matters: a certificate expires while a stream lives.
 */
export function certificateProblem(
  peer: PeerCertificate | undefined,
  domain: string,
  now = Date.now()
): string | undefined {
  if (!peer) return 'it has shown no certificate'
  const { certificate, trusted, reason } = peer
  if (!trusted) return `its certificate is not trusted (${reason ?? 'unknown reason'})`
  if (now < Date.parse(certificate.validFrom)) return `its certificate is valid from ${certificate.validFrom}`
  if (now > Date.parse(certificate.validTo)) return `its certificate has expired on ${certificate.validTo}`
  // RFC 6120 §13.7.1.1: an authority is no server; but whoever trusts a self-signed certificate means its owner
  if (certificate.ca && !certificate.checkIssued(certificate))
    return 'its certificate is that of an authority'
  return certificateMatches(certificate, domain) ? undefined : `its certificate does not name ${domain}`
}

export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey)
}

/** RFC 6125 §6.4.3: a wildcard is a whole label, the left-most, and stands for one; and never for all of a TLD. */
function dnsMatches(name: string, wanted: string): boolean {
  if (!name.startsWith('*.')) return name === wanted
  const parent = name.slice(1)
  const dot = wanted.indexOf('.')
  return dot > 0 && parent.lastIndexOf('.') > 0 && wanted.slice(dot) === parent
}

function isDomain(name: string, domain: string): boolean {
  const jid = JID.tryParse(name)
  return jid?.kind === 'host' && jid.domain === domain
}
