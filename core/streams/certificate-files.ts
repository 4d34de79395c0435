import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, rootCertificates } from 'node:tls'
import { CodedError } from '../errors'
import { certificateMatches, isSelfSigned } from './identity'
import type { Pem } from './self-signed'

/** Paths of PEM files: a certificate with its chain, and its key. */
export interface CertificateFiles {
  certificate: string
  key: string
}

/** What such files hold. */
export interface Chain {
  files: CertificateFiles
  pem: Pem
  /** The server's own, the first one. */
  certificate: X509Certificate
  /** Those of who has signed it. */
  issuers: X509Certificate[]
}

/** Certificates of authorities that are believed, from one file. */
export interface Authorities {
  pem: string
  certificates: X509Certificate[]
}

const WARN_DAYS = 14
const DAY = 86_400_000

/** Throws CodedError `ERR_CERTIFICATE` with what is wrong with which file. */
export async function readChain(files: CertificateFiles): Promise<Chain> {
  const pem = { certificate: await readPem(files.certificate), key: await readPem(files.key) }
  return { files, pem, ...parseChain(pem, files) }
}

/** The first certificate must belong to the key. Throws CodedError `ERR_CERTIFICATE`. */
export function parseChain(pem: Pem, files: CertificateFiles): Pick<Chain, 'certificate' | 'issuers'> {
  const [certificate, ...issuers] = parseAll(pem.certificate, files.certificate)
  if (!certificate) throw problem(files.certificate, NO_CERTIFICATE)
  try {
    createSecureContext({ cert: pem.certificate, key: pem.key })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw problem(files.key, KEY_REASONS[code ?? ''] ?? `it is no usable key: ${message}`)
  }
  return { certificate, issuers }
}

/** Throws CodedError `ERR_CERTIFICATE`. */
export async function readAuthorities(file: string): Promise<Authorities> {
  const pem = await readPem(file)
  const certificates = parseAll(pem, file)
  if (certificates.length === 0) throw problem(file, NO_CERTIFICATE)
  return { pem, certificates }
}

/**
 * What others will find fault with, though it works: a sentence for each.
 *
 * @param domains those that the certificate is used for
 */
export function remarksOn(
  chain: Chain,
  domains: readonly string[],
  trusted: readonly Authorities[]
): string[] {
  const { certificate } = chain
  const remarks: string[] = []
  const days = daysLeft(certificate)
  if (days < 0) remarks.push(`the certificate expired on ${certificate.validTo}`)
  else if (days < WARN_DAYS) remarks.push(`the certificate expires on ${certificate.validTo}`)
  if (Date.parse(certificate.validFrom) > Date.now())
    remarks.push(`the certificate is not valid before ${certificate.validFrom}`)
  const missing = domains.filter(domain => !certificateMatches(certificate, domain))
  if (missing.length > 0) remarks.push(`the certificate does not name ${missing.join(', ')}`)
  if (!isComplete(chain, trusted)) {
    remarks.push(
      'the certificate of who signed it is missing in the file; other servers will not believe it (use the full chain)'
    )
  }
  return remarks
}

export function daysLeft(certificate: X509Certificate): number {
  return (Date.parse(certificate.validTo) - Date.now()) / DAY
}

/** Whoever has the usual authorities can follow it. Only the first step is looked at: mostly it is all or nothing. */
function isComplete({ certificate, issuers }: Chain, trusted: readonly Authorities[]): boolean {
  const signed = (other: X509Certificate): boolean => certificate.checkIssued(other)
  if (isSelfSigned(certificate) || issuers.some(signed)) return true
  if (trusted.some(({ certificates }) => certificates.some(signed))) return true
  return rootCertificates.some(pem => signed(new X509Certificate(pem)))
}

function parseAll(pem: string, file: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return blocks.map(block => {
    try {
      return new X509Certificate(block)
    } catch {
      throw problem(file, NO_CERTIFICATE)
    }
  })
}

const NO_CERTIFICATE = 'it holds no certificate in PEM format'

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw problem(file, REASONS[code ?? ''] ?? message)
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'the server may not read it',
  EISDIR: 'it is a folder, not a file'
}

const KEY_REASONS: Record<string, string> = {
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the key does not belong to the certificate',
  ERR_OSSL_X509_KEY_TYPE_MISMATCH: 'the key does not belong to the certificate',
  ERR_MISSING_PASSPHRASE: 'the key is encrypted; take the password off',
  ERR_OSSL_PEM_NO_START_LINE: 'it holds no key in PEM format',
  ERR_OSSL_UNSUPPORTED: 'it holds no key in PEM format'
}

export function problem(file: string, why: string): CodedError {
  return new CodedError('ERR_CERTIFICATE', `${file}: ${why}`)
}
