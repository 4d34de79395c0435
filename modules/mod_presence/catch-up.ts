import { el, JID, parseElement, readdress, type ClientSession } from '#core'
import type { Roster } from '../mod_roster'
import type { Presence } from './index'
import { mayKnow } from './sharing'

/** What a resource learns when it becomes available (RFC 6121 §4.2.2, §4.3.1, §3.1.3). */
export async function catchUp(presence: Presence, session: ClientSession, roster: Roster): Promise<void> {
  const { ctx } = presence
  const own = session.jid as JID // a session that broadcasts is bound
  for (const other of ctx.host.sessions.of(own.local).values()) {
    if (other !== session && other.state.presence)
      session.send(readdress(other.state.presence, { to: own.full }))
  }
  for (const item of roster.items.values()) {
    if (item.subscription !== 'to' && item.subscription !== 'both') continue
    const contact = JID.parse(item.jid)
    if (contact.domain === ctx.host.name && !looksAtAll(presence)) await lookAt(presence, session, contact)
    else ctx.send(el('presence', { type: 'probe', from: own.bare, to: item.jid }))
  }
  // RFC 6121 §3.1.3: a request is shown at every login until it is answered.
  for (const item of roster.items.values())
    if (item.request !== undefined) session.send(parseElement(item.request))
}

/** Somebody looks at what is sent within the host: no short way past them. */
function looksAtAll({ ctx }: Presence): boolean {
  return ctx.host.hooks.has('route/leaving')
}

/** The presence of a contact on the same host, which needs no probe; the contact's roster decides all the same. */
async function lookAt(presence: Presence, session: ClientSession, contact: JID): Promise<void> {
  const sessions = presence.ctx.host.sessions.of(contact.local)
  if (sessions.size === 0) return
  const own = session.jid as JID // as above
  const known = mayKnow(presence, contact.local, own.bare)
  if (!(typeof known === 'boolean' ? known : await known)) return
  for (const other of sessions.values()) {
    const shown = other.state.presence
    if (shown) session.send(readdress(shown, { to: own.full }))
  }
}
