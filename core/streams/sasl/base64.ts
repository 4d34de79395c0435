const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Strict base64, RFC 4648 §4 as RFC 6120 §6.4.1 and §13.9.1 ask: no white space, no other alphabet, padding as
 * it must be, no bits in it. Undefined for anything else.
 */
export function decodeBase64(text: string): Buffer | undefined {
  if (!BASE64.test(text)) return undefined
  const data = Buffer.from(text, 'base64')
  // one string of bytes has one encoding
  return data.toString('base64') === text ? data : undefined
}

/**
 * The content of `<auth/>` and `<response/>`. "=" is data of no length (RFC 6120 §6.4.2); so is '' in a
 * response, whereas `<auth/>` with '' has no initial response, which the caller tells apart. Undefined:
 * `incorrect-encoding`.
 */
export function decodeSaslData(text: string): Buffer | undefined {
  return decodeBase64(text === '=' ? '' : text)
}

/** The content of `<success/>`: '' for no additional data, "=" for data of no length (RFC 6120 §6.4.6). */
export function encodeSuccessData(data: Buffer | undefined): string {
  if (data === undefined) return ''
  return data.length === 0 ? '=' : data.toString('base64')
}

/** The content of `<challenge/>`. */
export function encodeChallengeData(data: Buffer): string {
  return data.toString('base64')
}
