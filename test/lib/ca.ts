import { webcrypto } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { domainToASCII } from 'node:url'
import { provideMetadata } from '../../core/streams/reflect'
import { SAN, tlv } from './der'

provideMetadata()
// It wants the metadata at the moment when it is loaded.
const x509 = require('@peculiar/x509') as typeof import('@peculiar/x509')
// Its type is that of browsers, which Node's is the same as.
x509.cryptoProvider.set(webcrypto as never)

type Extension = InstanceType<typeof x509.Extension>

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY = 86_400_000

export interface Leaf {
  /** PEM, with the chain but for the root. */
  certificate: string
  key: string
}

export interface LeafOptions {
  /** Domains as dNSName; in A-labels or not, wildcards too. */
  dns?: readonly string[]
  /** Further names, made by SAN. */
  names?: readonly Buffer[]
  /** In place of the subjectAltName that is made from the names: its value in DER; null for none. */
  san?: Buffer | null
  /** More of this extension than there should be. */
  sanCopies?: number
  commonName?: string
  /** Days from now; from yesterday for 90 days unless given. */
  from?: number
  until?: number
  /** Says to be an authority. */
  ca?: boolean
  /** `server`, `client` or both, which is what is meant unless given. */
  usage?: ReadonlyArray<'server' | 'client'>
  /** Without the certificates of who signed it. */
  alone?: boolean
  /** Further extensions: identifier, whether critical, value in DER. */
  extensions?: ReadonlyArray<readonly [oid: string, critical: boolean, value: Buffer]>
  /** What it is signed with; ECDSA with SHA-256 unless given. */
  algorithm?: { name: string; namedCurve: string; hash: string }
}

export interface AuthorityOptions extends Pick<
  LeafOptions,
  'from' | 'until' | 'usage' | 'extensions' | 'algorithm'
> {
  /** Whether it says to be one; it does unless given. */
  authority?: boolean
  /** How many authorities may stand below it. */
  pathLength?: number
}

/** A certificate authority of a test: everything that a peer could come with. */
export class TestCa {
  private constructor(
    readonly certificate: InstanceType<typeof x509.X509Certificate>,
    readonly keys: webcrypto.CryptoKeyPair,
    /** The certificates that a leaf has to bring: none for a root. */
    private readonly chain: readonly string[]
  ) {}

  static make(name = 'Authority of a test', options: AuthorityOptions = {}): Promise<TestCa> {
    return TestCa.#make(name, options)
  }

  static async #make(name: string, options: AuthorityOptions, over?: TestCa): Promise<TestCa> {
    const { authority = true, pathLength, from = -1, until = 365, algorithm = ALGORITHM, usage } = options
    const keys = await newKeys()
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: [{ CN: [name] }],
      issuer: over ? over.certificate.subjectName.toJSON() : [{ CN: [name] }],
      notBefore: new Date(Date.now() + from * DAY),
      notAfter: new Date(Date.now() + until * DAY),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: over ? over.keys.privateKey : keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(authority, pathLength, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
          true
        ),
        ...(usage ? [new x509.ExtendedKeyUsageExtension(purposes(usage))] : []),
        ...(options.extensions ?? []).map(
          ([oid, critical, value]) => new x509.Extension(oid, critical, value)
        )
      ]
    })
    const own = `${certificate.toString('pem')}\n`
    return new TestCa(certificate, keys, over ? [own, ...over.chain] : [])
  }

  /** An authority that this one has signed. */
  intermediate(name = 'Intermediate of a test', options: AuthorityOptions = {}): Promise<TestCa> {
    return TestCa.#make(name, options, this)
  }

  /** Somebody who is none, and signs all the same. */
  impostor(): Promise<TestCa> {
    return TestCa.#make('Not an authority', { authority: false }, this)
  }

  /** To be believed by others. */
  get pem(): string {
    return `${this.certificate.toString('pem')}\n`
  }

  async issue(options: LeafOptions = {}): Promise<Leaf> {
    const { dns = [], names = [], from = -1, until = 90, ca = false, sanCopies = 1 } = options
    const keys = await newKeys()
    const all = [...dns.map(name => SAN.dns(ascii(name))), ...names]
    const san = options.san === undefined ? (all.length > 0 ? tlv(0x30, ...all) : null) : options.san
    const extensions: Extension[] = [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      new x509.ExtendedKeyUsageExtension(purposes(options.usage ?? ['server', 'client'])),
      ...(options.extensions ?? []).map(([oid, critical, value]) => new x509.Extension(oid, critical, value))
    ]
    if (san) for (let i = 0; i < sanCopies; i++) extensions.push(new x509.Extension('2.5.29.17', false, san))
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: [{ CN: [options.commonName ?? 'A leaf of a test'] }],
      issuer: this.certificate.subjectName.toJSON(),
      notBefore: new Date(Date.now() + from * DAY),
      notAfter: new Date(Date.now() + until * DAY),
      signingAlgorithm: options.algorithm ?? ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions
    })
    const pem = `${certificate.toString('pem')}\n`
    return {
      certificate: options.alone ? pem : [pem, ...this.chain].join(''),
      key: await pemOf(keys.privateKey)
    }
  }

  /** Writes it to a file and returns the path: for `tls.ca` of the config. */
  write(folder: string, name = 'ca.crt'): string {
    const file = path.join(folder, name)
    fs.writeFileSync(file, this.pem)
    return file
  }
}

function purposes(usage: ReadonlyArray<'server' | 'client'>): string[] {
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
  return usage.map(name => (name === 'server' ? serverAuth : clientAuth))
}

/** Writes `name.crt` and `name.key`: as `tls` of the config wants them. */
export function writeLeaf(folder: string, name: string, leaf: Leaf): { certificate: string; key: string } {
  const files = { certificate: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) }
  fs.writeFileSync(files.certificate, leaf.certificate)
  fs.writeFileSync(files.key, leaf.key, { mode: 0o600 })
  return files
}

/** What is ASCII is written as it is. */
function ascii(name: string): string {
  if (/^\p{ASCII}*$/u.test(name)) return name
  return name.startsWith('*.') ? `*.${domainToASCII(name.slice(2))}` : domainToASCII(name)
}

function serial(): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
    .toString('hex')
    .replace(/^./, '1')
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n')
}
