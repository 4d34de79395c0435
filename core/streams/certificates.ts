import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import { domainToASCII } from 'node:url'
import { CodedError } from '../errors'
import type { Log } from '../log'
import { makeCertificate, type Pem } from './self-signed'

/** Paths of PEM files: a certificate with its chain, and its key. */
export interface CertificateFiles {
  certificate: string
  key: string
}

export interface CertificatePlan {
  /** Every domain that is served; with files where it has a certificate of its own. */
  domains: ReadonlyMap<string, CertificateFiles | undefined>
  /** For domains without one of their own; without it the server makes one. */
  standard?: CertificateFiles | undefined
}

/** A certificate that this server made itself. */
export interface OwnCertificate extends CertificateFiles {
  /** Over SHA-256, for whoever has to trust it. */
  fingerprint: string
  /** It was made just now. */
  fresh: boolean
}

/** A certificate that this server made is made anew when it has fewer days left. */
const RENEW_DAYS = 30
const WARN_DAYS = 14
const DAY = 86_400_000

/** The certificates of all domains, read at once and replaced at once. */
export class Certificates {
  #contexts = new Map<string, SecureContext>()
  #standard: SecureContext | undefined
  #own: OwnCertificate | undefined

  /** @param folder where the server keeps the certificate that it makes */
  constructor(
    private readonly folder: string,
    private readonly log: Log
  ) {}

  /** The certificate that was made for want of another. */
  get own(): OwnCertificate | undefined {
    return this.#own
  }

  /** What TLS needs for a domain: its own certificate, or the one for all. */
  secureContext(domain: string): SecureContext | undefined {
    return this.#contexts.get(domain) ?? this.#standard
  }

  /**
   * Reads all certificates, also again while streams run: those that there are keep theirs. Throws CodedError
   * `ERR_CERTIFICATE` with what is wrong with which file; then everything stays as it was.
   */
  async load({ domains, standard }: CertificatePlan): Promise<void> {
    const contexts = new Map<string, SecureContext>()
    const others: string[] = []
    for (const [domain, files] of domains) {
      if (files) contexts.set(domain, await this.#read(files, [domain]))
      else others.push(domain)
    }
    const own = standard || others.length === 0 ? undefined : await this.#makeOwn(others)
    const files = standard ?? own
    const context = files && (await this.#read(files, others))
    this.#contexts = contexts
    this.#standard = context
    this.#own = own
  }

  async #read(files: CertificateFiles, domains: readonly string[]): Promise<SecureContext> {
    const pem = { certificate: await readPem(files.certificate), key: await readPem(files.key) }
    const certificate = parse(pem, files)
    this.#warn(certificate, files.certificate, domains)
    try {
      // RFC 7590 §3.1, BCP 195: TLS 1.2 and 1.3
      return createSecureContext({ cert: pem.certificate, key: pem.key, minVersion: 'TLSv1.2' })
    } catch (error) {
      throw problem(files.key, `it cannot be used: ${(error as Error).message}`)
    }
  }

  #warn(certificate: X509Certificate, file: string, domains: readonly string[]): void {
    const days = daysLeft(certificate)
    if (days < 0) this.log.warn({ file }, `the certificate expired on ${certificate.validTo}`)
    else if (days < WARN_DAYS) this.log.warn({ file }, `the certificate expires on ${certificate.validTo}`)
    const missing = domains.filter(domain => !names(certificate, domain))
    if (missing.length > 0) this.log.warn({ file }, `the certificate does not name ${missing.join(', ')}`)
  }

  /** The certificate in the data folder: what is there, if it will do, or a new one. */
  async #makeOwn(domains: readonly string[]): Promise<OwnCertificate> {
    const files = { certificate: join(this.folder, 'balcony.crt'), key: join(this.folder, 'balcony.key') }
    const there = await existing(files)
    const known = there && parse(there, files)
    if (known && daysLeft(known) >= RENEW_DAYS && domains.every(domain => names(known, domain))) {
      return { ...files, fingerprint: known.fingerprint256, fresh: false }
    }
    const made = await makeCertificate(domains, there?.key)
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    await replace(files.key, made.key, 0o600)
    await replace(files.certificate, made.certificate, 0o644)
    return { ...files, fingerprint: new X509Certificate(made.certificate).fingerprint256, fresh: true }
  }
}

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

/** The first certificate, which must belong to the key. */
function parse(pem: Pem, files: CertificateFiles): X509Certificate {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem.certificate)
  } catch {
    throw problem(files.certificate, 'it holds no certificate in PEM format')
  }
  try {
    createSecureContext({ cert: pem.certificate, key: pem.key })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw problem(files.key, KEY_REASONS[code ?? ''] ?? `it is no usable key: ${message}`)
  }
  return certificate
}

const KEY_REASONS: Record<string, string> = {
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the key does not belong to the certificate',
  ERR_OSSL_X509_KEY_TYPE_MISMATCH: 'the key does not belong to the certificate',
  ERR_MISSING_PASSPHRASE: 'the key is encrypted; take the password off',
  ERR_OSSL_PEM_NO_START_LINE: 'it holds no key in PEM format',
  ERR_OSSL_UNSUPPORTED: 'it holds no key in PEM format'
}

async function existing(files: CertificateFiles): Promise<Pem | undefined> {
  try {
    return { certificate: await readFile(files.certificate, 'utf8'), key: await readFile(files.key, 'utf8') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw problem(files.key, (error as Error).message)
  }
}

/** Never half a file under that name, and never a key that others may read. */
async function replace(file: string, content: string, mode: number): Promise<void> {
  const draft = `${file}.new`
  await writeFile(draft, content, { mode })
  await rename(draft, file)
}

function names(certificate: X509Certificate, domain: string): boolean {
  const found =
    isIP(domain) === 0 ? certificate.checkHost(domainToASCII(domain)) : certificate.checkIP(domain)
  return found !== undefined
}

function daysLeft(certificate: X509Certificate): number {
  return (Date.parse(certificate.validTo) - Date.now()) / DAY
}

function problem(file: string, why: string): CodedError {
  return new CodedError('ERR_CERTIFICATE', `${file}: ${why}`)
}
