import { decodeBase64 } from './base64'
import { HASH_LENGTH, SCRAM_HASHES, type Credentials, type ScramHash, type ScramKeys } from './keys'

/** What a damaged or hostile table may not ask of us (RFC 5803 §3). */
const MAX_ITERATIONS = 10_000_000

/**
 * The stored shape of credentials: a JSON array of RFC 5803 values, one for each hash,
 * `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, the binary ones in base64.
 */
export function encodeCredentials(credentials: Credentials): string {
  const values = SCRAM_HASHES.flatMap(hash => {
    const keys = credentials[hash]
    return keys ? [encodeKeys(hash, keys)] : []
  })
  return JSON.stringify(values)
}

/** The reverse. Values of mechanisms that are not known here are left out; throws on what is damaged. */
export function decodeCredentials(stored: string): Credentials {
  const values: unknown = JSON.parse(stored)
  if (!Array.isArray(values)) throw new Error('stored credentials are no array of RFC 5803 values')
  const credentials: Credentials = {}
  for (const value of values) {
    const scheme = String(value).split('$', 1)[0]
    const hash = SCRAM_HASHES.find(name => scheme === `SCRAM-${name}`)
    if (hash) credentials[hash] = decodeKeys(hash, String(value))
  }
  return credentials
}

function encodeKeys(hash: ScramHash, { iterations, salt, storedKey, serverKey }: ScramKeys): string {
  const [s, stored, server] = [salt, storedKey, serverKey].map(data => data.toString('base64'))
  return `SCRAM-${hash}$${iterations}:${s}$${stored}:${server}`
}

function decodeKeys(hash: ScramHash, value: string): ScramKeys {
  const [, count = '', s = '', stored = '', server = ''] =
    /^[^$]+\$([1-9]\d{0,8}):([^:$]+)\$([^:$]+):([^:$]+)$/.exec(value) ?? []
  const iterations = Number(count)
  const [salt, storedKey, serverKey] = [s, stored, server].map(decodeBase64)
  const length = HASH_LENGTH[hash]
  if (!salt?.length || storedKey?.length !== length || serverKey?.length !== length) throw damaged(hash)
  if (!(iterations > 0 && iterations <= MAX_ITERATIONS)) throw damaged(hash)
  return { salt, iterations, storedKey, serverKey }
}

/** Names no value: it is as good as a password. */
function damaged(hash: ScramHash): Error {
  return new Error(`the stored SCRAM-${hash} keys of an account are damaged; set its password anew`)
}
