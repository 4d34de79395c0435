import { JID } from '../../jid'

/**
 * The domain, prepared, of an address whose other parts may not conform; undefined where there is none. Other
 * software prepares addresses by other rules (RFC 7622 §4): a stream must not end over a name that it lets pass.
 */
export function domainOf(address: string | undefined): string | undefined {
  if (!address) return undefined
  const bare = address.split('/', 1)[0] ?? ''
  const domain = JID.tryParse(bare.slice(bare.indexOf('@') + 1))
  return domain?.kind === 'host' ? domain.domain : undefined
}
