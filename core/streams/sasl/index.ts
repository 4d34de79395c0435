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
export { scramMechanism } from './scram'
export { decodeCredentials, encodeCredentials } from './stored'

/** SCRAM-SHA-256, SCRAM-SHA-1 and PLAIN over the same accounts, the strongest first. */
export function passwordMechanisms(accounts: SaslAccounts): SaslMechanism[] {
  return [...SCRAM_HASHES.map(hash => scramMechanism(hash, accounts)), plainMechanism(accounts)]
}
