import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { PrecisError, saslprep } from '../../precis'

const pbkdf2Async = promisify(pbkdf2)

/** The hashes of SCRAM-SHA-1 (RFC 5802) and SCRAM-SHA-256 (RFC 7677). */
export type ScramHash = 'SHA-1' | 'SHA-256'

/** The stronger first. */
export const SCRAM_HASHES: readonly ScramHash[] = ['SHA-256', 'SHA-1']

/** Octets of a hash's output. */
export const HASH_LENGTH: Record<ScramHash, number> = { 'SHA-1': 20, 'SHA-256': 32 }

/**
 * PBKDF2 rounds of new accounts. RFC 7677 §4 asks for 4096 at least; clients, phones among them, pay for each
 * login, the server for PLAIN alone.
 */
export const DEFAULT_ITERATIONS = 10_000

export const SALT_LENGTH = 16

const ALGORITHM: Record<ScramHash, string> = { 'SHA-1': 'sha1', 'SHA-256': 'sha256' }

/** What the server keeps of a password (RFC 5802 §3): enough to check a proof, not to make one. */
export interface ScramKeys {
  salt: Buffer
  iterations: number
  storedKey: Buffer
  serverKey: Buffer
}

/** The keys of an account by hash. One that is missing makes its mechanism fail as if there was no account. */
export type Credentials = Partial<Record<ScramHash, ScramKeys>>

/** Off the main thread. Throws PrecisError where SASLprep refuses the password. */
export async function deriveKeys(
  password: string,
  hash: ScramHash,
  salt: Buffer,
  iterations: number
): Promise<ScramKeys> {
  const salted = await pbkdf2Async(saslprep(password), salt, iterations, HASH_LENGTH[hash], ALGORITHM[hash])
  return {
    salt,
    iterations,
    storedKey: digest(hash, hmac(hash, salted, 'Client Key')),
    serverKey: hmac(hash, salted, 'Server Key')
  }
}

/** Keys for a new password, by every hash, each with a salt of its own. Throws PrecisError like `deriveKeys`. */
export async function newCredentials(
  password: string,
  options: { iterations?: number } = {}
): Promise<Credentials> {
  const { iterations = DEFAULT_ITERATIONS } = options
  const entries = SCRAM_HASHES.map(
    async hash => [hash, await deriveKeys(password, hash, randomBytes(SALT_LENGTH), iterations)] as const
  )
  return Object.fromEntries(await Promise.all(entries))
}

/** Whether this is the password; by the strongest hash there is. False where there are no keys at all. */
export async function verifyPassword(credentials: Credentials, password: string): Promise<boolean> {
  for (const hash of SCRAM_HASHES) {
    const keys = credentials[hash]
    if (keys) return matches(hash, keys, password)
  }
  return false
}

/** Constant in time for a given count of iterations. */
export async function matches(hash: ScramHash, keys: ScramKeys, password: string): Promise<boolean> {
  try {
    const { storedKey } = await deriveKeys(password, hash, keys.salt, keys.iterations)
    return timingSafeEqual(storedKey, keys.storedKey)
  } catch (error) {
    if (error instanceof PrecisError) return false
    throw error
  }
}

export function digest(hash: ScramHash, data: Buffer): Buffer {
  return createHash(ALGORITHM[hash]).update(data).digest()
}

export function hmac(hash: ScramHash, key: Buffer, data: string): Buffer {
  return createHmac(ALGORITHM[hash], key).update(data).digest()
}
