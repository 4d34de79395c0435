import type { StanzaEvent } from '#core'
import type { RosterItem } from '../mod_roster'
import type { Presence } from './index'

/** Whether an account lets somebody (a bare JID) know its presence; at once where its roster is in memory. */
export function mayKnow(presence: Presence, user: string, other: string): boolean | Promise<boolean> {
  const item = presence.roster.item(user, other)
  return item instanceof Promise ? item.then(isFrom) : isFrom(item)
}

/** Whether the contact is subscribed to the user's presence. */
export function isFrom(item: Pick<RosterItem, 'subscription'> | undefined): boolean {
  return item !== undefined && (item.subscription === 'from' || item.subscription === 'both')
}

/** Whether the sender may follow the addressee's presence; the user's own resources and own server always may. */
export function followsPresence(presence: Presence, event: StanzaEvent): boolean | Promise<boolean> {
  const { from, to, host } = event
  if (from.bare === to.bare || from.full === host.name) return true
  return mayKnow(presence, to.local, from.bare)
}

/** Whether the resource that is addressed has sent the sender directed presence (RFC 6121 §4.6.6). */
export function gotDirected({ from, to, host }: StanzaEvent): boolean {
  const directed = host.sessions.get(to.local, to.resource)?.state.directed
  return directed !== undefined && (directed.includes(from.full) || directed.includes(from.bare))
}

/** Whether the addressee's presence is known to the sender, by subscription or directed presence. */
export function sharesPresence(presence: Presence, event: StanzaEvent): boolean | Promise<boolean> {
  return gotDirected(event) || followsPresence(presence, event)
}
