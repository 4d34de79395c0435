import { el, JID, readdress, type ClientSession, type Context, type Element } from '#core'
import type {} from '../mod_presence/events'
import type { RosterItem } from '../mod_roster'
import type {} from '../mod_server_buddy/published'
import type { Judge } from './rules'

/** Accounts that are dealt with before others have their turn. */
const AT_ONCE = 100

/** Somebody of this host, or the host itself, and somebody else. */
interface Pair {
  own: JID
  other: JID
}

/** Whether stanzas may go now that could not before, or the other way round. */
type Turn = 'opened' | 'closed' | undefined

/** Resources by account, a bare JID. */
export type Listed = ReadonlyMap<string, readonly JID[]>

/** Those who are parted by a change of the lists learn that the other is gone, and those who are not any more that they are there. */
export class Presences {
  readonly #ctx: Context
  readonly #roster
  /** What may still pass. */
  readonly farewells = new WeakSet<Element>()
  #last: Promise<void> = Promise.resolve()

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.#roster = ctx.use('roster', { optional: true })
  }

  /** One change after the other. `listed`: the full JIDs that came or went, by account. */
  follow(before: Judge, after: Judge, listed: Listed): Promise<void> {
    const done = this.#last.then(() => this.#follow(before, after, listed))
    this.#last = done.catch(() => undefined)
    return done
  }

  async #follow(before: Judge, after: Judge, listed: Listed): Promise<void> {
    this.#tellPeers(before, after)
    const { host, signal } = this.#ctx
    let count = 0
    for (const user of [...host.sessions.users()]) {
      if (++count % AT_ONCE === 0) await new Promise(setImmediate)
      if (signal.aborted) return
      await this.#followOne(user, before, after, listed)
    }
  }

  /** XEP-0267: the presence of the host itself. */
  #tellPeers(before: Judge, after: Judge): void {
    const { host, send } = this.#face()
    for (const { domain, from } of this.#ctx.items('server-buddy')) {
      if (!from) continue
      const pair = { own: host, other: JID.parse(domain) }
      const turn = turnOf(before, after, pair, 'out')
      if (turn === 'closed') send(gone(host, domain))
      if (turn === 'opened') send(el('presence', { from: host.full, to: domain }))
    }
  }

  async #followOne(user: string, before: Judge, after: Judge, listed: Listed): Promise<void> {
    const { host } = this.#ctx
    const own = JID.of(user, host.name)
    const items = this.#roster.available
      ? (await this.#roster.roster(user)).items
      : new Map<string, RosterItem>()
    const sessions = [...host.sessions.of(user).values()].filter(({ jid }) => jid !== undefined)
    for (const item of items.values()) {
      const contact = JID.parse(item.jid)
      // Whoever has the account in a roster sees its resources
      for (const other of [contact, ...(listed.get(contact.bare) ?? [])]) {
        const pair = { own, other }
        if (item.subscription === 'from' || item.subscription === 'both')
          this.#show(sessions, pair, turnOf(before, after, pair, 'out'))
        if (item.subscription === 'to' || item.subscription === 'both')
          this.#see(sessions, pair, turnOf(before, after, pair, 'in'))
      }
    }
    for (const session of sessions) this.#leaveDirected(session, before, after)
  }

  /** XEP-0016 §2.11: what the contact sees of the account. XEP-0191 §3.4 for the way back. */
  #show(sessions: readonly ClientSession[], { other }: Pair, turn: Turn): void {
    if (turn === undefined) return
    const { send } = this.#face()
    for (const { state, jid } of sessions) {
      if (!state.presence || !jid) continue
      if (turn === 'closed') send(gone(jid, other.full))
      else this.#ctx.send(readdress(state.presence, { to: other.full }))
    }
  }

  /** XEP-0016 §2.10: what the account sees of the contact. */
  #see(sessions: readonly ClientSession[], { own, other }: Pair, turn: Turn): void {
    if (turn === 'opened')
      return this.#ctx.send(el('presence', { type: 'probe', from: own.bare, to: other.bare }))
    if (turn === undefined) return
    for (const seen of this.#resourcesOf(other)) {
      const presence = gone(seen, own.bare)
      for (const session of sessions) if (session.state.priority !== undefined) session.send(presence)
    }
  }

  /** Where they are known, on this server; else the account as a whole. */
  #resourcesOf(other: JID): JID[] {
    if (other.resource !== '') return [other]
    const there = this.#ctx.server.host(other.domain)?.sessions.of(other.local)
    const resources = [...(there?.values() ?? [])].filter(({ state }) => state.presence !== undefined)
    return [...resources.flatMap(({ jid }) => jid ?? []), other]
  }

  /** A room that somebody is in must not keep them for ever (RFC 6121 §4.6.3). */
  #leaveDirected({ state, jid }: ClientSession, before: Judge, after: Judge): void {
    if (!jid || !state.directed) return
    const { send } = this.#face()
    state.directed = state.directed.filter(to => {
      if (turnOf(before, after, { own: jid, other: JID.parse(to) }, 'out') !== 'closed') return true
      send(gone(jid, to))
      return false
    })
  }

  #face(): { host: JID; send(presence: Element): void } {
    const { host } = this.#ctx
    return {
      host: JID.parse(host.name),
      send: presence => {
        this.farewells.add(presence)
        this.#ctx.send(presence)
      }
    }
  }
}

function gone(who: JID, to: string): Element {
  return el('presence', { type: 'unavailable', from: who.full, to })
}

function turnOf(before: Judge, after: Judge, { own, other }: Pair, direction: 'in' | 'out'): Turn {
  const [from, to] = direction === 'out' ? [own, other] : [other, own]
  const was = before.parts(from, to)
  if (was === after.parts(from, to)) return undefined
  return was ? 'opened' : 'closed'
}
