import { StreamError } from '../errors'
import { JID } from '../jid'
import type { StreamHeader } from '../xml/parser'
import { randomName } from './random'

/** What a client said in its stream header; '' for what it left out. */
export interface ReadHeader {
  /** The domain it asks for, prepared. */
  domain: string
  /** The bare JID it says to be (RFC 6120 §4.7.1). */
  from: string
  /** The default language of its stanzas (RFC 6120 §4.7.4). */
  lang: string
  /** Below 1.0: it knows no version (RFC 6120 §4.7.5). */
  old: boolean
  /** What is wrong, if anything is; the other values are to be used in the answer. */
  fault: StreamError | undefined
}

// RFC 5646 §2.1, as far as its shape goes
const LANGUAGE = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}$/

/** Reads a stream header. Its namespaces are the parser's business. */
export function readHeader({ element }: StreamHeader): ReadHeader {
  const { to, from, version, 'xml:lang': lang } = element.attrs as Record<string, string | undefined>
  const sender = from ? JID.tryParse(from) : undefined
  const domain = JID.tryParse(to)
  const read: ReadHeader = {
    domain: domain?.kind === 'host' ? domain.domain : '',
    from: sender?.bare ?? '',
    lang: lang !== undefined && LANGUAGE.test(lang) ? lang : '',
    old: version === undefined,
    fault: undefined
  }
  read.fault =
    versionFault(version) ??
    (from && !sender ? new StreamError('invalid-from', '`from` is no address') : undefined) ??
    // RFC 6120 §4.9.1.3
    (read.domain === ''
      ? new StreamError('host-unknown', '`to` must name a domain of this server')
      : undefined)
  return read
}

/** RFC 6120 §4.7.5: whoever knows more than 1.0 can speak 1.0; another major version means something else. */
export function versionFault(version: string | undefined): StreamError | undefined {
  const major = /^0*([0-9]{1,4})\.[0-9]{1,4}$/.exec(version ?? '')?.[1]
  if (major !== undefined && Number(major) === 1) return undefined
  return new StreamError('unsupported-version', 'this server speaks XMPP 1.0')
}

/** RFC 6120 §4.7.3: unpredictable and never repeated, also not after a restart of the server. */
export function newStreamId(): string {
  return randomName(15)
}
