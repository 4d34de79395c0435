import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import { asciiDomain } from '../precis'
import { provideMetadata } from './reflect'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY = 86_400_000
/** Browsers and Apple's systems refuse certificates that are good for longer. */
const VALIDITY = 398 * DAY

export interface Pem {
  certificate: string
  key: string
}

/**
 * Makes a certificate that names all these domains, signed with its own key: enough to start with, for clients
 * that are told to trust it. `keyPem` is used again where it is given.
 */
export async function makeCertificate(domains: readonly string[], keyPem?: string): Promise<Pem> {
  provideMetadata()
  // Loaded here alone: a server that has its certificate does without.
  const x509 = await import('@peculiar/x509')
  // Its type is that of browsers, which Node's is the same as.
  x509.cryptoProvider.set(webcrypto as never)
  const keys = keyPem === undefined ? await newKeys() : await readKeys(keyPem)
  const names = domains.map(domain =>
    isIP(domain) === 0
      ? { type: 'dns' as const, value: asciiDomain(domain) }
      : { type: 'ip' as const, value: domain }
  )
  const now = Date.now()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
      .toString('hex')
      .replace(/^./, '1'),
    name: [{ CN: [names[0]?.value.slice(0, 64) ?? 'localhost'] }],
    // An hour ago, for clients whose clock is slow
    notBefore: new Date(now - DAY / 24),
    notAfter: new Date(now + VALIDITY),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth
      ]),
      new x509.SubjectAlternativeNameExtension(names)
    ]
  })
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: `${certificate.toString('pem')}\n`, key: pem('PRIVATE KEY', Buffer.from(pkcs8)) }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

async function readKeys(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const der = Buffer.from(keyPem.replace(/-----[^-]+-----/g, ''), 'base64')
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign'])
  const { d: _secret, key_ops: _uses, ...jwk } = await webcrypto.subtle.exportKey('jwk', privateKey)
  const publicKey = await webcrypto.subtle.importKey('jwk', jwk, ALGORITHM, true, ['verify'])
  return { privateKey, publicKey }
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
