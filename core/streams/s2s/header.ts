import { StreamError } from '../../errors'
import type { StreamHeader } from '../../xml/parser'
import { versionFault } from '../header'
import { domainOf } from './dialback'
import { DIALBACK } from './names'

/** What a server said in its stream header; '' for what it left out. */
export interface ServerHeader {
  /** The domain it asks for, prepared. */
  to: string
  /** The domain it says to be, prepared. */
  from: string
  id: string
  /** It knows dialback, as one said before there were features (XEP-0220 §2.4.1). */
  dialback: boolean
  /** Below 1.0: it knows no version (RFC 6120 §4.7.5). */
  old: boolean
  fault: StreamError | undefined
}

/** Reads the header of a stream between servers (RFC 6120 §4.7). */
export function readServerHeader({ element, prefixes }: StreamHeader): ServerHeader {
  const { to, from, id = '', version } = element.attrs as Record<string, string | undefined>
  const read = { to: domainOf(to), from: domainOf(from), id }
  return {
    ...read,
    dialback: [...prefixes.values()].includes(DIALBACK),
    old: version === undefined,
    fault: versionFault(version) ?? addressFault(read, to, from)
  }
}

function addressFault(
  read: { to: string; from: string },
  to: string | undefined,
  from: string | undefined
): StreamError | undefined {
  if (from !== undefined && read.from === '') return new StreamError('invalid-from', '`from` is no domain')
  if (to === undefined) return new StreamError('improper-addressing', 'a header says in `to` whom it is for')
  return read.to === '' ? new StreamError('host-unknown', '`to` is no domain') : undefined
}
