import { constants, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import { CodedError } from '../errors'
import type { Log } from '../log'
import {
  daysLeft,
  parseChain,
  problem,
  readAuthorities,
  readChain,
  remarksOn,
  type Authorities,
  type CertificateFiles,
  type Chain
} from './certificate-files'
import { Anchors, anchorsOf } from './chain'
import { certificateMatches } from './identity'
import { makeCertificate, type Pem } from './self-signed'

export type { CertificateFiles } from './certificate-files'

export interface CertificatePlan {
  /** Every domain that is served; with files where it has a certificate of its own. */
  domains: ReadonlyMap<string, CertificateFiles | undefined>
  /** For domains without one of their own; without it the server makes one. */
  standard?: CertificateFiles | undefined
  /** PEM files with authorities that other servers are believed by, beside those that come with Node. */
  authorities?: readonly string[]
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

/** No renegotiation, by which a peer would become another one. */
const SECURE = constants.SSL_OP_NO_RENEGOTIATION

/** The certificates of all domains, read at once and replaced at once. */
export class Certificates {
  #identities = new Map<string, Identity>()
  #standard: Identity | undefined
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

  /** What TLS with clients needs for a domain: its own certificate, or the one for all. */
  secureContext(domain: string): SecureContext | undefined {
    return this.#identity(domain)?.context
  }

  /**
   * The same for TLS with other servers, on either side. It knows the authorities that they are believed by. No
   * session is ever resumed, so that each connection shows its certificate (XEP-0178 §3).
   */
  peerContext(domain: string): SecureContext | undefined {
    return this.#identity(domain)?.peerContext
  }

  #identity(domain: string): Identity | undefined {
    return this.#identities.get(domain) ?? this.#standard
  }

  /**
   * Reads all certificates, also again while streams run: those that there are keep theirs. Returns a line for each
   * that is another one than before. Throws CodedError `ERR_CERTIFICATE` with what is wrong with which file; then
   * everything stays as it was.
   */
  async load({ domains, standard, authorities = [] }: CertificatePlan): Promise<string[]> {
    const trusted = await Promise.all(authorities.map(readAuthorities))
    const anchors = new Anchors(trusted.flatMap(({ certificates }) => certificates))
    const own = standard ? undefined : await this.#makeOwn(without(domains))
    const common = standard ?? own
    const identities = new Map<string, Identity>()
    let commonIdentity: Identity | undefined
    for (const { files, names } of usesOf(domains, common)) {
      const chain = await readChain(files)
      for (const remark of remarksOn(chain, names, trusted))
        this.log.warn({ file: files.certificate }, remark)
      const identity = new Identity(chain, trusted, anchors)
      for (const name of names) identities.set(name, identity)
      if (files === common) commonIdentity = identity
    }
    const before = this.#identities
    this.#identities = identities
    this.#standard = commonIdentity
    this.#own = own
    return news(before, identities)
  }

  /** The certificate in the data folder: what is there, if it will do, or a new one. */
  async #makeOwn(domains: readonly string[]): Promise<OwnCertificate | undefined> {
    if (domains.length === 0) return undefined
    const files = { certificate: join(this.folder, 'balcony.crt'), key: join(this.folder, 'balcony.key') }
    const there = await existing(files)
    const known = there && parseChain(there, files).certificate
    if (
      known &&
      daysLeft(known) >= RENEW_DAYS &&
      domains.every(domain => certificateMatches(known, domain))
    ) {
      return { ...files, fingerprint: known.fingerprint256, fresh: false }
    }
    const made = await makeCertificate(domains, there?.key)
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    await replace(files.key, made.key, 0o600)
    await replace(files.certificate, made.certificate, 0o644)
    return { ...files, fingerprint: new X509Certificate(made.certificate).fingerprint256, fresh: true }
  }
}

/** A certificate in use. */
class Identity {
  readonly certificate: X509Certificate
  readonly context: SecureContext
  #peerContext: SecureContext | undefined

  constructor(
    private readonly chain: Chain,
    private readonly trusted: readonly Authorities[],
    private readonly anchors: Anchors
  ) {
    this.certificate = chain.certificate
    this.context = this.#make(SECURE)
  }

  /** Made for those alone who speak with other servers. */
  get peerContext(): SecureContext {
    return (this.#peerContext ??= this.#makePeerContext())
  }

  #makePeerContext(): SecureContext {
    const made = this.#make(SECURE | constants.SSL_OP_NO_TICKET)
    // The option `ca` would be in the place of Node's authorities; all of them together cost a megabyte for each
    // certificate, and are named to every server that connects.
    const { context } = made
    for (const { pem } of this.trusted) context.addCACert(pem)
    anchorsOf.set(made, this.anchors)
    return made
  }

  #make(secureOptions: number): SecureContext {
    const { pem, files } = this.chain
    try {
      // RFC 7590 §3.1, BCP 195: TLS 1.2 and 1.3
      return createSecureContext({
        cert: pem.certificate,
        key: pem.key,
        minVersion: 'TLSv1.2',
        secureOptions
      })
    } catch (error) {
      throw problem(files.key, `it cannot be used: ${(error as Error).message}`)
    }
  }
}

/** What a plan says of a file, for the operator to read: faults keep it from being used, warnings do not. */
export async function examine({
  domains,
  standard,
  authorities = []
}: CertificatePlan): Promise<{ faults: string[]; warnings: string[] }> {
  const faults: string[] = []
  const warnings: string[] = []
  const note = (error: unknown): undefined => {
    if (!(error instanceof CodedError)) throw error
    faults.push(error.message)
    return undefined
  }
  const trusted: Authorities[] = []
  for (const file of authorities) {
    const read = await readAuthorities(file).catch(note)
    if (read) trusted.push(read)
  }
  for (const { files, names } of usesOf(domains, standard)) {
    const chain = await readChain(files).catch(note)
    if (chain)
      warnings.push(...remarksOn(chain, names, trusted).map(remark => `${files.certificate}: ${remark}`))
  }
  return { faults, warnings }
}

interface Use {
  files: CertificateFiles
  names: string[]
}

/** Each certificate once, with the domains that it is for; the common one in any case. */
function usesOf(domains: CertificatePlan['domains'], common: CertificateFiles | undefined): Use[] {
  const uses = new Map<string, Use>()
  const use = (files: CertificateFiles): Use => {
    const key = JSON.stringify([files.certificate, files.key])
    const known = uses.get(key) ?? { files, names: [] }
    uses.set(key, known)
    return known
  }
  if (common) use(common)
  for (const [domain, own] of domains) {
    const files = own ?? common
    if (files) use(files).names.push(domain)
  }
  return [...uses.values()]
}

/** The domains that have no certificate of their own. */
function without(domains: CertificatePlan['domains']): string[] {
  return [...domains].filter(([, files]) => !files).map(([domain]) => domain)
}

function news(before: ReadonlyMap<string, Identity>, after: ReadonlyMap<string, Identity>): string[] {
  const lines: string[] = []
  for (const [domain, { certificate }] of after) {
    const old = before.get(domain)
    if (old && old.certificate.fingerprint256 !== certificate.fingerprint256)
      lines.push(`${domain}: another certificate, valid until ${certificate.validTo}`)
  }
  return lines
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
