import { BOOLEAN, context, fieldsOf, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE } from './der'

/** RFC 5280 §4.2 */
export interface Extension {
  /** Hexadecimal, as it is encoded. */
  id: string
  critical: boolean
  /** What it holds, in DER. */
  value: Buffer
}

/** Those that are read here, by their identifiers. */
export const EXTENSION = {
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  certificatePolicies: '551d20',
  extendedKeyUsage: '551d25'
} as const

/** The field of a certificate that holds them. */
const HOLDER = context(3, true)

/** The extensions of a certificate in DER; undefined where they cannot be read. */
export function extensionsOf(certificate: Buffer): Extension[] | undefined {
  const [tbs] = fieldsOf(certificate, SEQUENCE)
  if (!tbs) return undefined
  const holder = fieldsOf(tbs.whole, SEQUENCE).find(({ tag }) => tag === HOLDER)
  if (!holder) return []
  const extensions: Extension[] = []
  for (const { whole } of fieldsOf(holder.content, SEQUENCE)) {
    const [id, ...rest] = fieldsOf(whole, SEQUENCE)
    const flag = rest.length === 2 ? rest[0] : undefined
    const value = rest.at(-1)
    if (id?.tag !== OBJECT_IDENTIFIER || value?.tag !== OCTET_STRING || rest.length > 2) return undefined
    if (flag && flag.tag !== BOOLEAN) return undefined
    extensions.push({
      id: id.content.toString('hex'),
      critical: flag?.content[0] === 0xff,
      value: value.content
    })
  }
  return extensions
}
