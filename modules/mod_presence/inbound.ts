import type { ClientSession, StanzaEvent } from '#core'

/** Presence of others for an account or resource (RFC 6121 §8.5.2.1.2, §8.5.3.1). Nobody there: dropped. */
export function deliverPresence(event: StanzaEvent): void {
  const { host, to } = event
  if (to.kind === 'full') {
    const session = host.sessions.get(to.local, to.resource)
    if (session) deliver(session, event)
    return
  }
  for (const session of host.sessions.of(to.local).values()) {
    if (session.state.priority !== undefined) deliver(session, event)
  }
}

function deliver(session: ClientSession, { stanza, from }: StanzaEvent): void {
  const { state } = session
  // RFC 6121 §4.6.1: whoever has gone need not learn when we go
  if (stanza.attrs.type === 'unavailable' && state.directed?.includes(from.full))
    state.directed = state.directed.filter(target => target !== from.full)
  session.send(stanza)
}
