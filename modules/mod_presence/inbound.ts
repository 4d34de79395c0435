import type { StanzaEvent } from '#core'

/** Presence of others for an account or resource (RFC 6121 §8.5.2.1.2, §8.5.3.1). Nobody there: dropped. */
export function deliverPresence({ host, to, stanza }: StanzaEvent): void {
  if (to.kind === 'full') {
    host.sessions.get(to.local, to.resource)?.send(stanza)
    return
  }
  for (const session of host.sessions.of(to.local).values()) {
    if (session.state.priority !== undefined) session.send(stanza)
  }
}
