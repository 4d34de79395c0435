import { isIPv6 } from 'node:net'
import { checkBidiRule, hasRtl } from './bidi'
import { checkIdna, inIdna } from './classes'
import { checkContext } from './context'
import { PrecisError } from './error'
import { punycodeDecode, punycodeEncode } from './punycode'
import { mapWidth } from './stable'

/** RFC 1034 §3.1, of a label as DNS sees it. */
const MAX_LABEL_BYTES = 63

const PLAIN_LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const PLAIN_DOMAIN = new RegExp(`^${PLAIN_LABEL}(?:\\.${PLAIN_LABEL})*$`)
const RESERVED_LABEL = /(?:^|\.)..--/

/**
 * Domainpart by RFC 7622 §3.2 and IDNA2008 (RFC 5891 §5.4 with the mappings of RFC 5895): labels are NR-LDH
 * or U-labels; A-labels become U-labels, so that one domain has one form. Throws PrecisError.
 *
 * - One trailing dot is dropped; the ideographic full stops are dots.
 * - [IPv6] is written as RFC 5952 says; zones (RFC 6874) are refused, an address with one means nothing to
 *   another host. Dotted IPv4 is a name like others.
 * - No underscore, no hyphen at either end of a label, none at its third and fourth place but in A-labels.
 */
export function canonicalDomain(input: string): string {
  if (PLAIN_DOMAIN.test(input) && !RESERVED_LABEL.test(input)) return input
  // RFC 7622 §3.2: "before any other canonicalization steps are taken"
  const name = input.replace(/[.\u3002\uff0e\uff61]$/u, '')
  if (name.startsWith('[')) return ipLiteral(name)
  const labels = mapped(name).split('.').map(toULabel)
  const bidi = labels.some(hasRtl)
  for (const label of labels) {
    checkLabel(label)
    if (bidi) checkBidiRule(label)
  }
  return labels.join('.')
}

/** RFC 5895 §2. What IDNA2008 allows as it is stays so: Cherokee has no valid lower case. */
function mapped(name: string): string {
  const text = mapWidth(name).replace(/\u3002/g, '.')
  return Array.from(text, char => (char === char.toLowerCase() || inIdna(char) ? char : char.toLowerCase()))
    .join('')
    .normalize('NFC')
}

/** Bounds the label, so that Punycode works on short ones only. RFC 5891 §5.3: an A-label has to be exactly what its U-label encodes to. */
function toULabel(label: string): string {
  if (label.length > MAX_LABEL_BYTES) throw new PrecisError('has a label longer than 63 octets')
  if (!label.startsWith('xn--')) return label
  const decoded = punycodeDecode(label.slice(4))
  if (/^\p{ASCII}*$/u.test(decoded) || mapped(decoded) !== decoded || toALabel(decoded) !== label) {
    throw new PrecisError('holds an A-label that no U-label encodes to')
  }
  return decoded
}

/** A domain as DNS and certificates write it, in A-labels (RFC 5890 §2.3.2.1); from one that is prepared. */
export function asciiDomain(domain: string): string {
  return PLAIN_DOMAIN.test(domain) ? domain : domain.split('.').map(toALabel).join('.')
}

function toALabel(label: string): string {
  return /^\p{ASCII}*$/u.test(label) ? label : `xn--${punycodeEncode(label)}`
}

/** RFC 5891 §4.2.3, §5.4. */
function checkLabel(label: string): void {
  if (label === '') throw new PrecisError('has an empty label')
  if (toALabel(label).length > MAX_LABEL_BYTES) throw new PrecisError('has a label longer than 63 octets')
  if (label.startsWith('-') || label.endsWith('-'))
    throw new PrecisError('has a hyphen at the end of a label')
  if (label.startsWith('--', 2)) throw new PrecisError('has a label with hyphens in third and fourth place')
  if (/^\p{M}/u.test(label)) throw new PrecisError('has a label that begins with a combining mark')
  checkIdna(label)
  checkContext(label)
}

function ipLiteral(name: string): string {
  const address = name.slice(1, -1)
  if (!name.endsWith(']') || !isIPv6(address) || address.includes('%')) {
    throw new PrecisError('is in brackets but holds no IPv6 address')
  }
  return new URL(`http://${name}`).hostname
}
