import { JID } from '../jid'

/** The domain that a client names in TLS, prepared; '' where it is none. */
export function preparedDomain(serverName: string): string {
  const jid = JID.tryParse(serverName)
  return jid?.kind === 'host' ? jid.domain : ''
}
