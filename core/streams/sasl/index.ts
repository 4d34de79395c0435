import type { SaslMechanism } from '../mechanism'
import type { SaslAccounts } from './accounts'
import { SCRAM_HASHES } from './keys'
import { plainMechanism } from './plain'
import { scramMechanism } from './scram'

export type { SaslAccount, SaslAccounts } from './accounts'
export { decodeBase64, decodeSaslData, encodeChallengeData, encodeSuccessData } from './base64'
export {
  DEFAULT_ITERATIONS,
  deriveKeys,
  newCredentials,
  verifyPassword,
  type Credentials,
  type ScramHash,
  type ScramKeys
} from './keys'
export { plainMechanism } from './plain'
export { scramMechanism, type ScramOptions } from './scram'
export { decodeCredentials, encodeCredentials } from './stored'

/** SCRAM with SHA-256 and SHA-1, each with channel binding and without, and PLAIN over the same accounts. */
export function passwordMechanisms(accounts: SaslAccounts): SaslMechanism[] {
  return [
    ...SCRAM_HASHES.map(hash => scramMechanism(hash, accounts, { plus: true })),
    ...SCRAM_HASHES.map(hash => scramMechanism(hash, accounts)),
    plainMechanism(accounts)
  ]
}
