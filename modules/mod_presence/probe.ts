import { el, HANDLED, readdress, type Handled, type StanzaEvent } from '#core'
import type { Presence } from './index'
import { followsPresence, gotDirected } from './sharing'

/** RFC 6121 §4.3.2. */
export async function answerProbe(presence: Presence, event: StanzaEvent): Promise<Handled> {
  const { ctx } = presence
  const { from, to, host } = event
  const say = (type: string | undefined, who: string, id?: string): void =>
    ctx.send(el('presence', { type, id, from: who, to: from.full }))
  const { id } = event.stanza.attrs as { id?: string } // §4.3.2.1: mirrored where there is none to preserve

  if (!(await followsPresence(presence, event))) {
    // §4.6.6: the bare fact, and of that resource alone
    if (gotDirected(event)) say(undefined, to.full)
    // §4.3.2 rule 1: also where there is no such account, so that nobody can tell
    else say('unsubscribed', to.bare, id)
    return HANDLED
  }
  if (to.kind === 'full') {
    // §4.3.2: of no other resource, and without details
    const { presence: shown } = host.sessions.get(to.local, to.resource)?.state ?? {}
    if (shown || gotDirected(event)) say(undefined, to.full)
    else say('unavailable', to.full, id)
    return HANDLED
  }
  let shown = false
  for (const { state } of host.sessions.of(to.local).values()) {
    if (!state.presence) continue
    ctx.send(readdress(state.presence, { to: from.full }))
    shown = true
  }
  if (!shown) say('unavailable', to.bare, id)
  return HANDLED
}
