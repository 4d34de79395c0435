import { el, HANDLED, readdress, type Handled, type StanzaEvent } from '#core'
import type { Presence } from './index'
import { sharesPresence } from './sharing'

/** RFC 6121 §4.3.2. */
export async function answerProbe(presence: Presence, event: StanzaEvent): Promise<Handled> {
  const { ctx } = presence
  const { from, to, host } = event
  if (!(await sharesPresence(presence, event))) {
    // §4.3.2.1: also where there is no such account, so that nobody can tell.
    ctx.send(el('presence', { type: 'unsubscribed', from: to.bare, to: from.full }))
    return HANDLED
  }
  let shown = false
  for (const [resource, { state }] of host.sessions.of(to.local)) {
    if (!state.presence || (to.kind === 'full' && to.resource !== resource)) continue
    ctx.send(readdress(state.presence, { to: from.full }))
    shown = true
  }
  if (!shown) ctx.send(el('presence', { type: 'unavailable', from: to.full, to: from.full }))
  return HANDLED
}
