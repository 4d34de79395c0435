/** A value in DER. */
export function tlv(tag: number, ...content: ReadonlyArray<Buffer | string>): Buffer {
  const body = Buffer.concat(content.map(part => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  if (length < 0x100) return Buffer.from([0x81, length])
  return Buffer.from([0x82, length >> 8, length & 0xff])
}

/** Names of a subjectAltName, each as a GeneralName in DER. */
export const SAN = {
  dns: (name: string | Buffer) => tlv(0x82, name),
  ip: (...bytes: number[]) => tlv(0x87, Buffer.from(bytes)),
  /** SRVName (RFC 4985). */
  srv: (name: string) => other('2b06010505070807', tlv(0x16, name)),
  /** id-on-xmppAddr (RFC 6120 §13.7.1.4). */
  xmpp: (name: string | Buffer) => other('2b06010505070805', tlv(0x0c, name)),
  uri: (name: string) => tlv(0x86, name),
  other
}

/** @param oid hexadecimal, as it is encoded */
function other(oid: string, value: Buffer): Buffer {
  return tlv(0xa0, tlv(0x06, Buffer.from(oid, 'hex')), tlv(0xa0, value))
}
