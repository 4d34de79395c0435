import {
  childText,
  el,
  frozen,
  HANDLED,
  isElement,
  JID,
  readdress,
  StanzaError,
  type ClientSession,
  type Element,
  type Handled,
  type StanzaEvent
} from '#core'
import type { Roster } from '../mod_roster'
import type { Presence } from './index'
import { catchUp } from './catch-up'
import { isFrom } from './sharing'
import './events'

/** A client's presence without `to` (RFC 6121 §4.2, §4.4, §4.5). */
export function broadcast(presence: Presence, event: StanzaEvent): Handled | Promise<Handled> {
  const { session } = event.origin
  if (!session) throw new StanzaError('not-allowed')
  const type = event.stanza.attrs.type
  if (type !== undefined && type !== 'unavailable')
    throw new StanzaError('bad-request', 'presence of this type has a `to`')
  if (type === undefined) priorityOf(event.stanza) // refuses a bad one before anything is done
  const roster = presence.roster.roster(event.from.local)
  const go = (loaded: Roster): Handled | Promise<Handled> =>
    type === undefined
      ? available(presence, session, event.stanza, loaded)
      : unavailable(presence, session, event.stanza, loaded)
  return roster instanceof Promise ? roster.then(go) : go(roster)
}

/** RFC 6121 §4.7.2.3. */
function priorityOf(stanza: Element): number {
  const text = childText(stanza, 'priority')?.trim()
  if (text === undefined || text === '') return 0
  const priority = Number(text)
  if (!/^[+-]?\d+$/.test(text) || priority < -128 || priority > 127) {
    throw new StanzaError('bad-request', 'a priority is an integer from -128 to 127')
  }
  return priority
}

function available(
  presence: Presence,
  session: ClientSession,
  received: Element,
  roster: Roster
): Handled | Promise<Handled> {
  const { ctx } = presence
  const before = session.state.priority
  const initial = before === undefined
  const stanza = shareable(received)
  session.state.presence = stanza
  session.state.priority = priorityOf(stanza)
  tellContacts(presence, stanza, roster)
  tellOwn(presence, session, stanza, true)
  const caught = initial ? catchUp(presence, session, roster) : undefined
  const raise = () => {
    if ((before ?? -1) < 0 && (session.state.priority ?? -1) >= 0) ctx.emit('session/available', session)
    return ctx.run('presence/available', { session, stanza, initial, before })
  }
  const done = caught ? caught.then(raise) : raise()
  return done instanceof Promise ? done.then(() => HANDLED) : HANDLED
}

function unavailable(
  presence: Presence,
  session: ClientSession,
  received: Element,
  roster: Roster
): Handled | Promise<Handled> {
  const { ctx } = presence
  const before = session.state.priority
  const initial = before !== undefined
  const stanza = shareable(received)
  delete session.state.presence
  delete session.state.priority
  if (initial) {
    tellContacts(presence, stanza, roster)
    tellOwn(presence, session, stanza, false)
  }
  for (const to of session.state.directed ?? []) {
    const subscribed = isFrom(roster.items.get(JID.parse(to).bare))
    if (!subscribed || !initial) ctx.send(readdress(stanza, { to })) // RFC 6121 §4.6.3
  }
  delete session.state.directed
  const done = ctx.run('presence/unavailable', { session, stanza, initial, before })
  return done instanceof Promise ? done.then(() => HANDLED) : HANDLED
}

/** The session ended without a word (RFC 6121 §4.5.2). */
export function goodbye(presence: Presence, session: ClientSession): void | Promise<void> {
  const { state, jid } = session
  if (!jid || (state.priority === undefined && !state.directed)) return
  const stanza = el('presence', { type: 'unavailable', from: jid.full })
  const roster = presence.roster.roster(jid.local)
  const go = async (loaded: Roster): Promise<void> => {
    await unavailable(presence, session, stanza, loaded)
  }
  return roster instanceof Promise ? roster.then(go) : go(roster)
}

/** RFC 6121 §4.2.2, §4.4.2, §4.5.2: contacts with a subscription from the user. */
function tellContacts(presence: Presence, stanza: Element, roster: Roster): void {
  for (const item of roster.items.values()) {
    if (item.subscription === 'from' || item.subscription === 'both') {
      presence.ctx.send(readdress(stanza, { to: item.jid }))
    }
  }
}

/** RFC 6121 §4.2.2: the user's own available resources, that one included when it comes. */
function tellOwn(presence: Presence, session: ClientSession, stanza: Element, self: boolean): void {
  const copy = readdress(stanza, { to: (session.jid as JID).bare }) // a session that broadcasts is bound
  for (const other of presence.ctx.host.sessions.of(session.user).values()) {
    if (other.state.priority === undefined || (other === session && !self)) continue
    other.send(copy)
  }
}

/** The stanza with children that are serialised once, however many get it. */
function shareable(stanza: Element): Element {
  const copy = readdress(stanza, { to: undefined })
  copy.children = copy.children.map(child => (isElement(child) ? frozen(child) : child))
  return copy
}
