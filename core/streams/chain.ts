import { X509Certificate } from 'node:crypto'
import { rootCertificates, type DetailedPeerCertificate, type SecureContext, type TLSSocket } from 'node:tls'
import { fieldsOf, BOOLEAN, INTEGER, SEQUENCE } from './der'
import { EXTENSION, extensionsOf, type Extension } from './extensions'
import { signatureHash } from './signature-hash'

/*
 * Node follows the chain of whoever connects for the purpose of a TLS client (RFC 5280 §4.2.1.12), and cannot be told
 * otherwise. The usual authorities give certificates for the purpose of a server alone, also to servers that connect to
 * others (XEP-0178 §3). For these the chain is followed here a second time. Whatever is not understood is refused.
 */

/** Hexadecimal, as they are encoded. */
const SERVER_PURPOSE = '2b06010505070301'
const ANY_PURPOSE = '551d2500'

/** What may be critical, for it is looked at, by us or by Node; policies are nobody's concern here. */
const UNDERSTOOD = new Set<string>(Object.values(EXTENSION))
/** Constraints that are not looked at: who has them signs nothing that counts (RFC 5280 §4.2.1.10, 11, 14). */
const CONSTRAINTS = new Set(['551d1e', '551d24', '551d36'])

const MAX_DEPTH = 8
const MIN_RSA_BITS = 2048

/** Whom servers are believed by: Node's authorities, and others. */
export class Anchors {
  #fingerprints: Set<string> | undefined

  constructor(private readonly more: readonly X509Certificate[]) {}

  has(certificate: X509Certificate): boolean {
    this.#fingerprints ??= new Set(
      [...rootCertificates.map(pem => new X509Certificate(pem)), ...this.more].map(
        ({ fingerprint256 }) => fingerprint256
      )
    )
    return this.#fingerprints.has(certificate.fingerprint256)
  }
}

/** Of contexts for TLS with other servers, which do not say themselves whom they believe. */
export const anchorsOf = new WeakMap<SecureContext, Anchors>()

/** The certificates that a peer has shown, and who has signed the last of them, if that is known here. */
export function shownChain(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (at?.raw && chain.length <= MAX_DEPTH) {
    chain.push(new X509Certificate(at.raw))
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate
  }
  return chain
}

/**
 * What keeps a chain from being that of a server (RFC 5280 §6.1); undefined where nothing does.
 *
 * @param chain the server's certificate, and from there each with the one that has signed it
 */
export function serverChainProblem(
  chain: readonly X509Certificate[],
  anchors: Pick<Anchors, 'has'>,
  now = Date.now()
): string | undefined {
  for (const [depth, certificate] of chain.slice(0, MAX_DEPTH).entries()) {
    const problem = ownProblem(certificate, depth, now)
    if (problem !== undefined) return problem
    if (anchors.has(certificate)) return undefined
    const issuer = chain[depth + 1]
    if (!issuer) return 'UNABLE_TO_GET_ISSUER_CERT'
    // Names, key identifiers, and whether the key may sign certificates
    if (!certificate.checkIssued(issuer)) return 'SUBJECT_ISSUER_MISMATCH'
    if (!certificate.verify(issuer.publicKey)) return 'CERT_SIGNATURE_FAILURE'
    const hash = signatureHash(certificate.raw)
    if (hash === 'md5' || hash === 'sha1') return 'CA_MD_TOO_WEAK'
  }
  return 'CERT_CHAIN_TOO_LONG'
}

function ownProblem(certificate: X509Certificate, depth: number, now: number): string | undefined {
  if (!(Date.parse(certificate.validFrom) <= now)) return 'CERT_NOT_YET_VALID'
  if (!(now <= Date.parse(certificate.validTo))) return 'CERT_HAS_EXPIRED'
  const { modulusLength = MIN_RSA_BITS } = certificate.publicKey.asymmetricKeyDetails ?? {}
  if (modulusLength < MIN_RSA_BITS) return 'EE_KEY_TOO_SMALL'
  return extensionProblem(extensionsOf(certificate.raw), depth)
}

function extensionProblem(extensions: readonly Extension[] | undefined, depth: number): string | undefined {
  if (!extensions) return 'INVALID_EXTENSION'
  const ids = extensions.map(({ id }) => id)
  if (new Set(ids).size !== ids.length) return 'INVALID_EXTENSION'
  if (extensions.some(({ id, critical }) => CONSTRAINTS.has(id) || (critical && !UNDERSTOOD.has(id))))
    return 'UNHANDLED_CRITICAL_EXTENSION'
  if (!isForServers(extensions, depth)) return 'INVALID_PURPOSE'
  if (depth === 0) return maySign(extensions) ? undefined : 'INVALID_PURPOSE'
  const below = mostBelow(extensions)
  if (below === undefined) return 'INVALID_CA'
  return depth - 1 <= below ? undefined : 'PATH_LENGTH_EXCEEDED'
}

/** RFC 5280 §4.2.1.12; above the leaf any purpose will do. */
function isForServers(extensions: readonly Extension[], depth: number): boolean {
  const usage = extensions.find(({ id }) => id === EXTENSION.extendedKeyUsage)
  if (!usage) return true
  const purposes = fieldsOf(usage.value, SEQUENCE).map(({ content }) => content.toString('hex'))
  return purposes.includes(SERVER_PURPOSE) || (depth > 0 && purposes.includes(ANY_PURPOSE))
}

/** RFC 5280 §4.2.1.3: digitalSignature, which is how a client proves in TLS that the key is its own. */
function maySign(extensions: readonly Extension[]): boolean {
  const usage = extensions.find(({ id }) => id === EXTENSION.keyUsage)
  // A BIT STRING: tag, length, unused bits, the bits
  return !usage || ((usage.value[3] ?? 0) & 0x80) !== 0
}

/** RFC 5280 §4.2.1.9: how many authorities may stand below this one; undefined where it is none. */
function mostBelow(extensions: readonly Extension[]): number | undefined {
  const constraints = extensions.find(({ id }) => id === EXTENSION.basicConstraints)
  const [authority, length] = constraints ? fieldsOf(constraints.value, SEQUENCE) : []
  if (authority?.tag !== BOOLEAN || authority.content[0] !== 0xff) return undefined
  if (!length) return Number.POSITIVE_INFINITY
  return length.tag === INTEGER && length.content.length === 1 ? length.content.readInt8(0) : undefined
}
