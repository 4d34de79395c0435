import type { StanzaEvent } from '#core'
import type { RosterItem } from '../mod_roster'
import type { Presence } from './index'

/** Whether an account lets somebody (a bare JID) know its presence; at once where its roster is in memory. */
export function mayKnow(presence: Presence, user: string, other: string): boolean | Promise<boolean> {
  const item = presence.roster.item(user, other)
  return item instanceof Promise ? item.then(isFrom) : isFrom(item)
}

function isFrom(item: RosterItem | undefined): boolean {
  return item !== undefined && (item.subscription === 'from' || item.subscription === 'both')
}

/**
 * Whether the addressee's presence is known to the sender, by subscription or directed presence; the user's own
 * resources and own server are trusted with it.
 */
export function sharesPresence(presence: Presence, event: StanzaEvent): boolean | Promise<boolean> {
  const { from, to, host } = event
  if (from.bare === to.bare || from.full === host.name) return true
  const directed = host.sessions.get(to.local, to.resource)?.state.directed
  if (directed?.includes(from.full) || directed?.includes(from.bare)) return true
  return mayKnow(presence, to.local, from.bare)
}
