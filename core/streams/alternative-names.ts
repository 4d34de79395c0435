import {
  context,
  fieldsIn,
  fieldsOf,
  IA5_STRING,
  OBJECT_IDENTIFIER,
  SEQUENCE,
  UTF8_STRING,
  type Field
} from './der'
import { EXTENSION, extensionsOf } from './extensions'

/** The names in the subjectAltName of a certificate that matter in XMPP (RFC 6120 §13.7.1.2), as they are written. */
export interface AlternativeNames {
  /** dNSName: DNS-ID */
  dns: string[]
  /** SRVName (RFC 4985): SRV-ID */
  srv: string[]
  /** id-on-xmppAddr (RFC 6120 §13.7.1.4) */
  xmpp: string[]
}

/** Hexadecimal, as they are encoded. */
const XMPP_ADDR = '2b06010505070805'
const SRV_NAME = '2b06010505070807'

const OTHER_NAME = context(0, true)
const OTHER_NAME_VALUE = context(0, true)
const DNS_NAME = context(2)

/** Names of one certificate; more than a certificate has are an attack on whoever compares them. */
const MAX_NAMES = 1000

/**
 * Reads a certificate in DER. Node does not tell names of kinds that it does not know. What cannot be understood
 * names nobody.
 */
export function alternativeNames(certificate: Buffer): AlternativeNames {
  const names: AlternativeNames = { dns: [], srv: [], xmpp: [] }
  for (const { tag, content } of generalNames(certificate).slice(0, MAX_NAMES)) {
    if (tag === DNS_NAME) keep(names.dns, ascii(content))
    if (tag !== OTHER_NAME) continue
    const [type, value] = fieldsIn(content)
    if (type?.tag !== OBJECT_IDENTIFIER || value?.tag !== OTHER_NAME_VALUE) continue
    const [text, ...rest] = fieldsIn(value.content)
    if (!text || rest.length > 0) continue
    const oid = type.content.toString('hex')
    if (oid === SRV_NAME && text.tag === IA5_STRING) keep(names.srv, ascii(text.content))
    if (oid === XMPP_ADDR && text.tag === UTF8_STRING) keep(names.xmpp, utf8(text.content))
  }
  return names
}

/** RFC 5280 §4.2.1.6 */
function generalNames(certificate: Buffer): Field[] {
  const found = extensionsOf(certificate)?.filter(({ id }) => id === EXTENSION.subjectAltName) ?? []
  // RFC 5280 §4.2: not more than one of a kind
  const [extension] = found
  return extension && found.length === 1 ? fieldsOf(extension.value, SEQUENCE) : []
}

function keep(list: string[], name: string | undefined): void {
  if (name !== undefined) list.push(name)
}

/** Visible characters alone: a name with a NUL in it is two names to two readers. */
function ascii(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1')
  return /^[\x21-\x7e]+$/.test(text) ? text : undefined
}

function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
