import { decodeBase64 } from './base64'

// RFC 5802 §7; that there is no NUL is checked before
const SASLNAME = '((?:[^,=]|=2C|=3D)+)'
const PRINTABLE = '([!-+\\--~]+)'
const EXTENSIONS = '((?:,[A-Za-z]=[^,]+)*)'
const GS2_HEADER = new RegExp(`^(?:(n|y)|p=([A-Za-z0-9.-]+)),(?:a=${SASLNAME})?,`)
const CLIENT_FIRST_BARE = new RegExp(`^n=${SASLNAME},r=${PRINTABLE}${EXTENSIONS}$`)
const CLIENT_FINAL = new RegExp(`^c=([A-Za-z0-9+/=]+),r=${PRINTABLE}${EXTENSIONS},p=([A-Za-z0-9+/=]+)$`)

export interface ClientFirst {
  /** As sent: the client repeats it, base64, in `c`. */
  gs2Header: string
  /** RFC 5802 §6: `n` knows no channel binding, `y` believes that the server does not, `p` requires one. */
  flag: 'n' | 'y' | 'p'
  /** Of the channel binding that is required, '' for none. */
  bindingType: string
  authzid: string | undefined
  /** As sent: part of what is signed. */
  bare: string
  username: string
  nonce: string
}

export interface ClientFinal {
  /** What `c` decodes to. */
  bound: Buffer
  nonce: string
  /** As sent: part of what is signed. */
  withoutProof: string
  proof: Buffer
}

/** Throws ScramSyntaxError. */
export function readClientFirst(text: string): ClientFirst {
  refuseNul(text)
  const header = GS2_HEADER.exec(text)
  if (!header) throw new ScramSyntaxError('the gs2 header is malformed')
  const [gs2Header, flag, bindingType = '', authzid] = header
  const bare = text.slice(gs2Header.length)
  if (bare.startsWith('m=')) throw new ScramSyntaxError('extensions-not-supported')
  const [, username = '', nonce = '', extensions = ''] = CLIENT_FIRST_BARE.exec(bare) ?? []
  if (username === '') throw new ScramSyntaxError('the first message is malformed')
  refuseMandatory(extensions)
  return {
    gs2Header,
    flag: flag === 'n' || flag === 'y' ? flag : 'p',
    bindingType,
    authzid: authzid === undefined ? undefined : unescapeName(authzid),
    bare,
    username: unescapeName(username),
    nonce
  }
}

/** Throws ScramSyntaxError. */
export function readClientFinal(text: string): ClientFinal {
  refuseNul(text)
  const [, c = '', nonce = '', extensions = '', p = ''] = CLIENT_FINAL.exec(text) ?? []
  const bound = decodeBase64(c)
  const proof = decodeBase64(p)
  if (!bound?.length || !proof?.length) throw new ScramSyntaxError('the final message is malformed')
  refuseMandatory(extensions)
  return { bound, nonce, withoutProof: text.slice(0, text.lastIndexOf(',p=')), proof }
}

/** The client sent what RFC 5802 §7 does not allow. */
export class ScramSyntaxError extends Error {
  override readonly name = 'ScramSyntaxError'
}

/** RFC 5802 §5.1: "m" makes the authentication fail wherever it is found; other extensions are ignored. */
function refuseMandatory(extensions: string): void {
  if (extensions.includes(',m=')) throw new ScramSyntaxError('extensions-not-supported')
}

function refuseNul(text: string): void {
  if (text.includes('\0')) throw new ScramSyntaxError('the message holds a NUL')
}

function unescapeName(name: string): string {
  return name.replace(/=2C/g, ',').replace(/=3D/g, '=')
}
