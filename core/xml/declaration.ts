import { StreamError } from '../errors'

const S = '[ \\t\\r\\n]'
const value = (pattern: string) => `${S}*=${S}*(?:'(${pattern})'|"(${pattern})")`
// XML 1.0 §2.8 [23] to [26], §4.3.3 [80] and §2.9 [32]
const DECLARATION = new RegExp(
  `^<\\?xml${S}+version${value('1\\.[0-9]+')}` +
    `(?:${S}+encoding${value('[A-Za-z][A-Za-z0-9._-]*')})?(?:${S}+standalone${value('yes|no')})?${S}*\\?>$`
)

/** Checks an XML declaration, from `<?` to `?>`; throws a StreamError. A standalone declaration means nothing here. */
export function checkDeclaration(text: string): void {
  const found = DECLARATION.exec(text)
  if (!found) throw new StreamError('not-well-formed', 'the XML declaration is malformed')
  const version = found[1] ?? found[2]
  const encoding = found[3] ?? found[4]
  // RFC 6120 §11.8
  if (version !== '1.0') throw new StreamError('bad-format', 'XMPP is XML 1.0')
  // RFC 6120 §11.6
  if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') {
    throw new StreamError('unsupported-encoding', 'XMPP is UTF-8')
  }
}

/**
 * Throws a StreamError where the first six characters of an instruction, or as many as there are, show that it is
 * no XML declaration (RFC 6120 §11.1).
 */
export function checkTarget(text: string): void {
  if ('<?xml'.startsWith(text.slice(0, 5)) && (text.length < 6 || /^.{5}[ \t\r\n?]/.test(text))) return
  throw new StreamError('restricted-xml', 'processing instructions are not allowed')
}
