import { JID, HANDLED, StanzaError, type Handled, type StanzaEvent } from '#core'
import type { Presence } from './index'

/**
 * Presence with `to` that is no subscription (RFC 6121 §4.6): it is routed as it is, and the target is
 * remembered, so that it learns when the resource goes.
 */
export function noteDirected(presence: Presence, event: StanzaEvent): Handled | void {
  const { session } = event.origin
  if (!session) return
  const to = JID.parse(event.stanza.attrs.to as string).full // the router has parsed it
  switch (event.stanza.attrs.type) {
    case undefined:
      return remember(presence, session.state, to)
    case 'unavailable':
      session.state.directed = session.state.directed?.filter(target => target !== to)
      return
    case 'error':
      return
    case 'probe':
      return HANDLED // RFC 6121 §4.3: probes are the server's; a client's is no reason for an error
    default:
      throw new StanzaError('bad-request', 'unknown type of presence') // RFC 6121 §4.7.1
  }
}

function remember(presence: Presence, state: { directed?: string[] }, to: string): void {
  const targets = (state.directed ??= [])
  if (targets.includes(to)) return
  if (targets.length >= presence.ctx.config.maxDirected) {
    throw new StanzaError('resource-constraint', 'directed presence to so many addresses is not remembered')
  }
  targets.push(to)
}
