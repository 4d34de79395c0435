import { fieldsOf, OBJECT_IDENTIFIER, SEQUENCE } from './der'

/* The hash in the signature of a certificate, which Node does not tell (RFC 5280 §4.1). */

/** By the object identifiers of signatures (RFC 3279, 4055, 5758, 8702): hexadecimal, as they are encoded. */
const SIGNATURES: Record<string, string> = {
  '2a864886f70d010104': 'md5',
  '2a864886f70d010105': 'sha1',
  '2a864886f70d01010e': 'sha224',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha1',
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2a8648ce380403': 'sha1',
  '608648016503040301': 'sha224',
  '608648016503040302': 'sha256'
}

const HASHES: Record<string, string> = {
  '2b0e03021a': 'sha1',
  '608648016503040204': 'sha224',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512'
}

const RSASSA_PSS = '2a864886f70d01010a'

/** The first field of RSASSA-PSS-params (RFC 4055 §3.1). */
const HASH_ALGORITHM = 0xa0

/**
 * The hash that the signature of a certificate in DER was made with, by its name in OpenSSL; undefined where it has
 * none of its own, as Ed25519, or is not known.
 */
export function signatureHash(certificate: Buffer): string | undefined {
  const [, algorithm] = fieldsOf(certificate, SEQUENCE)
  const [identifier, parameters] = algorithm ? fieldsOf(algorithm.whole, SEQUENCE) : []
  if (identifier?.tag !== OBJECT_IDENTIFIER) return undefined
  const name = identifier.content.toString('hex')
  if (name !== RSASSA_PSS) return SIGNATURES[name]
  const hash = parameters && fieldsOf(parameters.whole, SEQUENCE).find(({ tag }) => tag === HASH_ALGORITHM)
  // RFC 4055 §3.1: SHA-1 where nothing is said
  if (!hash) return 'sha1'
  return HASHES[fieldsOf(hash.content, SEQUENCE)[0]?.content.toString('hex') ?? '']
}
