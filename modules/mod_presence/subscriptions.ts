import { el, HANDLED, readdress, serialize, type Element, type Handled, type StanzaEvent } from '#core'
import type { RosterItem } from '../mod_roster'
import type { Presence } from './index'
import { isFrom } from './sharing'
import { inbound, outbound, type State, type SubscriptionType } from '../lib_subscription'

/** Characters of a request that are kept for the next login. */
const MAX_REQUEST = 4096

function stateOf(item: RosterItem): State {
  const { subscription, ask, approved } = item
  return { subscription, ask, approved, pendingIn: item.request !== undefined }
}

/** The item in a new state; the same item where nothing changed. */
function inState(item: RosterItem, state: State, request?: string): RosterItem {
  const old = stateOf(item)
  if (
    old.subscription === state.subscription &&
    old.ask === state.ask &&
    old.approved === state.approved &&
    old.pendingIn === state.pendingIn
  ) {
    return item
  }
  return {
    ...item,
    subscription: state.subscription,
    ask: state.ask,
    approved: state.approved,
    // RFC 6121 §3.1.3: a stranger's request alone makes no item.
    listed: item.listed || state.subscription !== 'none' || state.ask || state.approved,
    request: state.pendingIn ? (item.request ?? request) : undefined
  }
}

/** A client's subscription stanza (RFC 6121 §3, A.2). */
export async function sendSubscription(
  presence: Presence,
  event: StanzaEvent,
  type: SubscriptionType
): Promise<Handled> {
  const { ctx, roster } = presence
  const user = event.from.local
  const contact = event.to.bare // §3.1.2: the resource of `to` is stripped
  if (contact === event.from.bare) return HANDLED
  if (type === 'subscribe') await mayAsk(presence, event)
  let route = false
  let wasFrom = false
  const send = (): void => {
    if (!route) return
    // §3.2.2: before; whoever only had asked never saw a resource and must not see one go
    if (type === 'unsubscribed' && wasFrom) tell(presence, user, contact, 'unavailable')
    ctx.send(readdress(event.stanza, { to: contact }))
    if (type === 'subscribed') tell(presence, user, contact, 'available') // §3.1.5: after
  }
  const change = await roster.change(
    user,
    contact,
    item => {
      const step = outbound(type, stateOf(item))
      route = step.route
      wasFrom = isFrom(item)
      return inState(item, step.state)
    },
    { event, beforePush: send }
  )
  if (!change) send()
  return HANDLED
}

/** Throws `resource-constraint` where so many have been asked that have not answered. */
async function mayAsk({ ctx, roster, storms }: Presence, event: StanzaEvent): Promise<void> {
  storms.subscribe(event)
  const { items } = await roster.roster(event.from.local)
  if (items.get(event.to.bare)?.ask) return
  let asked = 0
  for (const item of items.values()) if (item.ask) asked++
  if (asked >= ctx.config.maxAsked) throw storms.refuse('many whom you have asked have not answered yet')
}

/** A subscription stanza for an account (RFC 6121 §3, A.3). */
export async function receiveSubscription(
  presence: Presence,
  event: StanzaEvent,
  type: SubscriptionType
): Promise<Handled> {
  const { ctx, roster } = presence
  const user = event.to.local
  const contact = event.from.bare
  if (contact === event.to.bare || !(await ctx.server.accounts.exists(user, ctx.host.name))) return HANDLED // §8.5.1
  const stanza = readdress(event.stanza, { from: contact, to: event.to.bare })
  const request = type === 'subscribe' ? toKeep(stanza) : undefined
  const requests = type === 'subscribe' ? await waiting(presence, user) : 0
  let step: ReturnType<typeof inbound> | undefined
  const tellUser = (): void => {
    if (step?.deliver) deliver(presence, user, stanza, type)
  }
  const change = await roster.change(
    user,
    contact,
    item => {
      step = inbound(type, stateOf(item))
      if (type === 'subscribe' && step.deliver && requests >= ctx.config.maxRequests) {
        presence.storms.dropped()
        step = { deliver: false, state: step.state }
        return item
      }
      return inState(item, step.state, request)
    },
    { event, beforePush: tellUser }
  )
  if (!change) tellUser()
  if (step?.answer) {
    ctx.send(el('presence', { type: step.answer, from: event.to.bare, to: contact }))
    if (step.answer === 'subscribed') tell(presence, user, contact, 'available')
  }
  // §3.3.3, and as above
  if (type === 'unsubscribe' && isFrom(change?.before)) tell(presence, user, contact, 'unavailable')
  return HANDLED
}

/**
 * A request as it is kept (RFC 6121 §3.1.3). Long ones are kept without what they say: two hundred of them at
 * one login would be more than a connection takes.
 */
function toKeep(stanza: Element): string {
  const whole = serialize(stanza)
  if (whole.length <= MAX_REQUEST) return whole
  const { from, to, type } = stanza.attrs
  return serialize(el('presence', { from, to, type }))
}

async function waiting(presence: Presence, user: string): Promise<number> {
  const { items } = await presence.roster.roster(user)
  let count = 0
  for (const item of items.values()) if (item.request !== undefined) count++
  return count
}

/** Requests go to every available resource (§3.1.3), answers to those that follow the roster (§3.1.6). */
function deliver(presence: Presence, user: string, stanza: Element, type: SubscriptionType): void {
  for (const session of presence.ctx.host.sessions.of(user).values()) {
    const gets = type === 'subscribe' ? session.state.priority !== undefined : session.state.interested
    if (gets) session.send(stanza)
  }
}

/** Tells a contact about each available resource: what it shows, or that it is gone. */
function tell(presence: Presence, user: string, contact: string, what: 'available' | 'unavailable'): void {
  const { ctx } = presence
  for (const { state, jid } of ctx.host.sessions.of(user).values()) {
    if (!state.presence || !jid) continue
    if (what === 'available') ctx.send(readdress(state.presence, { to: contact }))
    else ctx.send(el('presence', { type: 'unavailable', from: jid.full, to: contact }))
  }
}

/** An item was removed: both subscriptions end (RFC 6121 §2.5.2). */
export function endSubscriptions(presence: Presence, user: string, item: RosterItem): void {
  const { ctx } = presence
  const from = `${user}@${ctx.host.name}`
  const isTo = item.subscription === 'to' || item.subscription === 'both' || item.ask
  if (isTo) ctx.send(el('presence', { type: 'unsubscribe', from, to: item.jid }))
  if (!isFrom(item)) return
  tell(presence, user, item.jid, 'unavailable')
  ctx.send(el('presence', { type: 'unsubscribed', from, to: item.jid }))
}
