import { StanzaError, type JID, type ServerApi, type StanzaEvent } from '#core'
import type { ChannelActor } from './access'

/** Whose domains are whose: asked of the server, never of a form or a name. */
export interface Authority {
  /** Domains of accounts whose channels are here. */
  readonly accounts: ReadonlySet<string>
  readonly topics: ReadonlySet<string>
}

/**
 * Who sent a request, by what core authenticated. A name of an account domain is believed only where that account's
 * session or the server itself speaks; of all other domains the stream has vouched.
 */
export function actorOf(event: StanzaEvent, authority: Authority, server: ServerApi): ChannelActor {
  const { from, origin } = event
  const own = server.host(from.domain)
  if (own && !speaksFor(from, event)) throw new StanzaError('not-authorized', 'that address is not yours')
  const local = origin.kind !== 's2s' && authority.accounts.has(from.domain) && from.local !== ''
  return { jid: from.full, bare: from.bare, local }
}

function speaksFor(from: JID, { origin }: StanzaEvent): boolean {
  if (origin.kind === 'c2s') return origin.name === from.bare
  // A host of this server, whether its work is done here or by an external component
  return (origin.kind === 'local' || origin.kind === 'component') && origin.name === from.domain
}
