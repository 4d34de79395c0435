import { createHmac, randomBytes } from 'node:crypto'
import { JID } from '../../jid'
import { enforceLocal, PrecisError } from '../../precis'
import {
  HASH_LENGTH,
  SALT_LENGTH,
  SCRAM_HASHES,
  type Credentials,
  type ScramHash,
  type ScramKeys
} from './keys'

/** What a login must know of an account. */
export interface SaslAccount {
  credentials: Credentials
  /** It may not log in. Told only to who has proved to be its owner. */
  disabled: boolean
}

/** What the mechanisms ask of the server. */
export interface SaslAccounts {
  /** By local part, prepared, and domain; undefined where there is no such account. */
  find(user: string, domain: string): Promise<SaslAccount | undefined>
  /**
   * Makes the salts of accounts that do not exist. Kept for the life of the installation: a salt that changed
   * with a restart would tell that it was false.
   */
  readonly secret: Buffer
  /** What new accounts get, and hence what accounts that do not exist seem to have. */
  readonly iterations: number
}

/** The account that a login names. `real` is false for one made up: whatever it proves, it fails. */
export interface Candidate {
  user: string
  hash: ScramHash
  keys: ScramKeys
  real: boolean
  disabled: boolean
}

/**
 * Finds the keys to check a login against, by the first hash of `hashes` that the account has. Where there is
 * no account or none of the hashes, makes keys up, so that the exchange takes the same way and about the same
 * time (RFC 6120 §6.5.10, §13.11): accounts with another count of iterations can still be told apart.
 */
export async function findCandidate(
  accounts: SaslAccounts,
  name: string,
  domain: string,
  hashes: readonly ScramHash[] = SCRAM_HASHES
): Promise<Candidate> {
  const user = preparedName(name)
  const account = user === undefined ? undefined : await accounts.find(user, domain)
  const hash = hashes.find(each => account?.credentials[each])
  const keys = hash && account?.credentials[hash]
  if (user !== undefined && account && keys) {
    return { user, hash, keys, real: true, disabled: account.disabled }
  }
  const instead = hashes[0] ?? 'SHA-256'
  const madeUp = falseKeys(accounts, user ?? name, domain, instead)
  return { user: user ?? name, hash: instead, keys: madeUp, real: false, disabled: false }
}

/**
 * Whether the client may be who it wants to be: nobody in particular, or the bare JID that it logs in as
 * (RFC 6120 §6.3.8). Says nothing about whether there is such an account.
 */
export function mayActAs(authzid: string | undefined, name: string, domain: string): boolean {
  if (authzid === undefined || authzid === '') return true
  const user = preparedName(name)
  if (user === undefined) return false
  const wanted = JID.tryParse(authzid)
  return wanted?.kind === 'bare' && wanted.local === user && wanted.domain === domain
}

/** The authcid is a local part (RFC 6120 §6.3.7), so that profile stands for SASLprep. Undefined: it cannot be. */
export function preparedName(name: string): string | undefined {
  try {
    return enforceLocal(name)
  } catch (error) {
    if (error instanceof PrecisError) return undefined
    throw error
  }
}

function falseKeys(accounts: SaslAccounts, user: string, domain: string, hash: ScramHash): ScramKeys {
  const salt = createHmac('sha256', accounts.secret)
    .update(JSON.stringify(['salt', hash, domain, user]))
    .digest()
  return {
    salt: salt.subarray(0, SALT_LENGTH),
    iterations: accounts.iterations,
    storedKey: randomBytes(HASH_LENGTH[hash]),
    serverKey: randomBytes(HASH_LENGTH[hash])
  }
}
