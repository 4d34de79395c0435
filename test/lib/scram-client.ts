import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

export interface ScramClientOptions {
  user: string
  password: string
  /** Default SHA-256. */
  hash?: 'SHA-1' | 'SHA-256'
  authzid?: string
  /** The gs2 channel binding flag: n (default), y, or p=NAME. */
  flag?: string
  /** What `c` holds behind the gs2 header: the data of the channel binding. */
  bound?: Buffer
  /** Random by default. */
  nonce?: string
  /** Appended to the first message, and to the final one before its proof: `,x=1`. */
  extensions?: string
}

/**
 * The client's side of SCRAM (RFC 5802), written for tests and apart from the server's: `first()` goes into
 * `<auth/>`, `final(challenge)` into `<response/>`, `verify(data)` checks what came with `<success/>`.
 * Messages are text; whoever sends them makes base64 of them.
 */
export class ScramClient {
  readonly mechanism: string
  readonly nonce: string
  readonly #options: ScramClientOptions
  readonly #algorithm: 'sha1' | 'sha256'
  /** What the server says it has offered (XEP-0474 §6.1), base64; known after the challenge. */
  offerHash: string | undefined
  #serverSignature: string | undefined

  constructor(options: ScramClientOptions) {
    const { hash = 'SHA-256', flag = '', nonce = randomBytes(18).toString('base64') } = options
    this.#options = options
    this.#algorithm = hash === 'SHA-1' ? 'sha1' : 'sha256'
    this.mechanism = `SCRAM-${hash}${flag.startsWith('p=') ? '-PLUS' : ''}`
    this.nonce = nonce
  }

  get gs2Header(): string {
    const { flag = 'n', authzid } = this.#options
    return `${flag},${authzid === undefined ? '' : `a=${escapeName(authzid)}`},`
  }

  first(): string {
    return this.gs2Header + this.#firstBare()
  }

  /** Throws where the challenge is not one that a client may go on with. */
  final(challenge: string): string {
    const [, nonce = '', salt = '', iterations = '', offerHash] =
      /^r=([^,]+),s=([^,]+),i=(\d+)(?:,h=([^,]+))?$/.exec(challenge) ?? []
    this.offerHash = offerHash
    if (!nonce.startsWith(this.nonce) || nonce === this.nonce) throw new Error(`bad nonce in ${challenge}`)
    const salted = pbkdf2Sync(
      this.#options.password.normalize('NFKC'),
      Buffer.from(salt, 'base64'),
      Number(iterations),
      this.#algorithm === 'sha1' ? 20 : 32,
      this.#algorithm
    )
    const clientKey = this.#hmac(salted, 'Client Key')
    const storedKey = createHash(this.#algorithm).update(clientKey).digest()
    const { extensions = '', bound = Buffer.alloc(0) } = this.#options
    const c = Buffer.concat([Buffer.from(this.gs2Header), bound]).toString('base64')
    const withoutProof = `c=${c},r=${nonce}${extensions}`
    const message = `${this.#firstBare()},${challenge},${withoutProof}`
    const signature = this.#hmac(storedKey, message)
    const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)))
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), message).toString('base64')
    return `${withoutProof},p=${proof.toString('base64')}`
  }

  /** Whether the server has shown that it knows the account, too. */
  verify(data: string): boolean {
    return this.#serverSignature !== undefined && data === `v=${this.#serverSignature}`
  }

  #firstBare(): string {
    const { user, extensions = '' } = this.#options
    return `n=${escapeName(user)},r=${this.nonce}${extensions}`
  }

  #hmac(key: Buffer, data: string): Buffer {
    return createHmac(this.#algorithm, key).update(data).digest()
  }
}

function escapeName(name: string): string {
  return name.replace(/=/g, '=3D').replace(/,/g, '=2C')
}
