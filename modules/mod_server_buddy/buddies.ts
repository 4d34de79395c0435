import { CodedError, el, StanzaError, type Context, type Store } from '#core'
import { inbound, outbound, type State } from '../lib_subscription'
import { inState, isFrom, isNobody, isTo, NOBODY, stateOf, type Buddy } from './buddy'
import type { Published } from './published'

/** Why a `subscribe` leaves: there is no other reason (XEP-0267 §1, §4). */
export type Reason = { by: string; why: 'administrator' } | { by: string; why: 'approved' }

/** Which subscriptions: `to`, ours with the peer; `from`, the peer's with us. */
export type Direction = 'both' | 'to' | 'from'

/** Who decides on a request, and on which one: when it came, where an old form may speak of one that is over. */
export interface Decision {
  by: string
  note?: string | undefined
  receivedAt?: number | undefined
}

const PAGE = 500

/** What the server roster works with. */
export interface BuddiesParts {
  ctx: Context
  store: Store<Buddy>
  published: Published
  changed(domain: string, before: Buddy | undefined, after: Buddy | undefined): void
}

/** The server roster of one host, and what is said to peers about it. */
export class Buddies {
  readonly #parts: BuddiesParts
  /** Peers of whom something is being dealt with that came in, and how much. */
  readonly #atWork = new Map<string, number>()

  constructor(parts: BuddiesParts) {
    this.#parts = parts
  }

  async get(domain: string): Promise<Buddy | undefined> {
    return this.#parts.store.get(domain)
  }

  /** All of them, by domain; the server roster is small, and pages keep it bounded. */
  async *all(): AsyncGenerator<[string, Buddy]> {
    let after: string | undefined
    for (;;) {
      const page = await this.#parts.store.entries({ limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { key, value } of page) yield [key, value]
      if (page.length < PAGE) return
      after = page.at(-1)?.key
    }
  }

  // --- what administrators do

  /** An administrator asks us to ask a peer; a request that bounced or waits is repeated (XEP-0267 §2). */
  async ask(domain: string, by: string): Promise<Buddy> {
    if (domain === this.#parts.ctx.host.name)
      throw new CodedError('ERR_BUDDY_SELF', 'a server is no buddy of its own')
    return this.#subscribe(domain, { by, why: 'administrator' })
  }

  /** The only place that sends a `subscribe`. */
  async #subscribe(domain: string, reason: Reason): Promise<Buddy> {
    const buddy = await this.update(domain, old => {
      const { state } = outbound('subscribe', stateOf(old))
      const { problem: _, ...rest } = old
      const next = { ...inState(rest, state), initiated: old.initiated || reason.why === 'administrator' }
      // Who made us ask for what is there already is not why it is there
      return isTo(old) ? next : { ...next, requestedBy: reason.by, requestedAt: Date.now() }
    })
    if (!isTo(buddy)) this.#send('subscribe', domain, requestId(buddy))
    return buddy
  }

  /**
   * An administrator, or the policy, says yes to a peer's request. Throws `item-not-found` where it does not wait (any
   * more): of two who decide at the same moment one is told so.
   */
  async approve(domain: string, { by, note, receivedAt }: Decision): Promise<Buddy> {
    const buddy = await this.update(domain, old => {
      refuseUnlessWaiting(domain, old, receivedAt)
      const { state } = outbound('subscribed', stateOf(old))
      return { ...inState(old, state), approvedBy: by, approvedAt: Date.now(), ...(note ? { note } : {}) }
    })
    return this.#approved(domain, buddy, by)
  }

  /** XEP-0267 §1: `subscribed`, and unless there is one already, a subscription in return. */
  async #approved(domain: string, buddy: Buddy, by: string): Promise<Buddy> {
    this.#send('subscribed', domain)
    this.#send(undefined, domain)
    // One that did not get through is not on its way
    if (isTo(buddy) || (buddy.ask && buddy.problem === undefined)) return buddy
    return this.#subscribe(domain, { by, why: 'approved' })
  }

  /** An administrator says no. Throws like `approve`. */
  async refuse(domain: string, { note, receivedAt }: Omit<Decision, 'by'> = {}): Promise<void> {
    await this.update(
      domain,
      old => {
        refuseUnlessWaiting(domain, old, receivedAt)
        return { ...inState(old, outbound('unsubscribed', stateOf(old)).state), ...(note ? { note } : {}) }
      },
      () => this.#send('unsubscribed', domain)
    )
  }

  /**
   * Ends subscriptions and requests in a direction, or all there is; the peer is told what concerns it. `item-not-found`
   * where there is nothing to end.
   */
  async remove(domain: string, direction: Direction = 'both'): Promise<void> {
    await this.update(
      domain,
      old => {
        if (!endsAnything(old, direction))
          throw new StanzaError(
            'item-not-found',
            `${domain} has nothing in the server roster that this would end`
          )
        return direction === 'both' ? NOBODY : ended(old, direction)
      },
      before => {
        if (direction !== 'from' && (isTo(before) || before.ask)) this.#send('unsubscribe', domain)
        if (direction !== 'to') this.#endFrom(domain, before)
      }
    )
  }

  /** RFC 6121 §3.2.1, §3.3.3: the peer knows our presence no longer. */
  #endFrom(domain: string, before: Buddy): void {
    if (isFrom(before)) this.#send('unavailable', domain)
    if (isFrom(before) || before.pendingIn) this.#send('unsubscribed', domain)
  }

  /** Notes that an administrator is told of the request that waits; what was kept, undefined where there is no need. */
  async tells(domain: string, admin: string): Promise<Buddy | undefined> {
    let first = false
    const buddy = await this.update(domain, old => {
      first = old.pendingIn && !old.told?.includes(admin)
      return first ? { ...old, told: [...(old.told ?? []), admin] } : old
    })
    return first ? buddy : undefined
  }

  /** What the administrator was sent has not arrived. */
  async untold(domain: string, admin: string): Promise<void> {
    await this.update(domain, old =>
      old.told?.includes(admin) ? { ...old, told: old.told.filter(one => one !== admin) } : old
    )
  }

  // --- what peers say

  /** A request is put down; the kept state. */
  async received(domain: string): Promise<Buddy> {
    return this.update(domain, old => ({
      ...inState(old, inbound('subscribe', stateOf(old)).state),
      receivedAt: old.pendingIn ? old.receivedAt : Date.now()
    }))
  }

  /** Says yes or no to a request that leaves the server roster as it is. */
  answer(domain: string, type: 'subscribed' | 'unsubscribed'): void {
    this.#send(type, domain)
  }

  async onSubscribed(domain: string): Promise<void> {
    await this.update(domain, old => {
      const step = inbound('subscribed', stateOf(old))
      if (!step.deliver) return old // nobody asked: RFC 6121 §3.1.6
      const { problem: _, ...rest } = inState(old, step.state)
      return { ...rest, acceptedAt: Date.now() }
    })
  }

  async onUnsubscribed(domain: string): Promise<void> {
    await this.update(domain, old => {
      const step = inbound('unsubscribed', stateOf(old))
      if (!step.deliver) return old
      return { ...inState(old, step.state), ...(old.ask ? { problem: 'refused by the peer' } : {}) }
    })
  }

  async onUnsubscribe(domain: string): Promise<void> {
    await this.update(
      domain,
      old => {
        const step = inbound('unsubscribe', stateOf(old))
        return step.deliver ? inState(old, step.state) : old
      },
      before => this.#endFrom(domain, before)
    )
  }

  /** Our request did not get through. It stays, with the reason, and is not sent again by itself. */
  async onBounce(domain: string, id: string | undefined, reason: string): Promise<void> {
    await this.update(domain, old => {
      // Of what the bounce says nothing it is the request that counts; an older one does not
      const own = id === undefined || id === requestId(old)
      return old.ask && own ? { ...old, problem: reason } : old
    })
  }

  /** A probe: what is told depends on who asks (RFC 6121 §4.3.2). */
  async onProbe(domain: string): Promise<void> {
    const buddy = await this.#parts.store.get(domain)
    if (isFrom(buddy)) return this.#send(undefined, domain)
    // Whoever waits for an answer must not take this for one
    if (!buddy?.pendingIn) this.#send('unsubscribed', domain)
  }

  /** Whether something that a peer has said is still being dealt with. */
  isAtWork(domain: string): boolean {
    return this.#atWork.has(domain)
  }

  /** Deals with something that a peer has said. */
  async handling(domain: string, work: () => Promise<void>): Promise<void> {
    this.#atWork.set(domain, (this.#atWork.get(domain) ?? 0) + 1)
    try {
      await work()
    } finally {
      const left = (this.#atWork.get(domain) ?? 1) - 1
      if (left > 0) this.#atWork.set(domain, left)
      else this.#atWork.delete(domain)
    }
  }

  // --- presence of this server

  /** This server is there: those who may know are told, and the others asked (XEP-0267 §1 by RFC 6121 §4.2, §4.3). */
  announce(): void {
    for (const { domain, from, to } of this.#parts.published.all()) {
      if (from) this.#send(undefined, domain)
      if (to) this.#send('probe', domain)
    }
  }

  /** This server goes (RFC 6121 §4.5). Told from memory, at once: there is no time to read. */
  takeLeave(): void {
    for (const { domain, from } of this.#parts.published.all()) if (from) this.#send('unavailable', domain)
  }

  /**
   * One change of one buddy: the database, then whoever watches. The same object means no change.
   * @param farewell what is said before anybody acts on the change: who is no buddy any longer may not be reached then
   */
  async update(
    domain: string,
    fn: (old: Buddy) => Buddy,
    farewell?: (before: Buddy) => void
  ): Promise<Buddy> {
    let before: Buddy | undefined
    const after = await this.#parts.store.update(domain, old => {
      before = old
      const next = fn(old ?? NOBODY)
      return isNobody(next) ? undefined : next
    })
    farewell?.(before ?? NOBODY)
    if (before !== after) this.#parts.changed(domain, before, after)
    return after ?? NOBODY
  }

  #send(type: string | undefined, domain: string, id?: string): void {
    this.#parts.ctx.send(el('presence', { id, from: this.#parts.ctx.host.name, to: domain, type }))
  }
}

/** By this a bounce is known to be that of the request that waits. */
function requestId({ requestedAt }: Buddy): string | undefined {
  return requestedAt === undefined ? undefined : `buddy-${requestedAt}`
}

function refuseUnlessWaiting(domain: string, old: Buddy, receivedAt: number | undefined): void {
  if (old.pendingIn && (receivedAt === undefined || receivedAt === old.receivedAt)) return
  const what = isFrom(old)
    ? `it was approved by ${old.approvedBy ?? 'somebody'}`
    : 'it was decided on already, or withdrawn'
  throw new StanzaError('item-not-found', `the request of ${domain} does not wait any more: ${what}`)
}

function endsAnything(old: Buddy, direction: Direction): boolean {
  const to = isTo(old) || old.ask || old.problem !== undefined
  const from = isFrom(old) || old.pendingIn
  return (direction !== 'from' && to) || (direction !== 'to' && from)
}

function ended(old: Buddy, direction: 'to' | 'from'): Buddy {
  const state: State = outbound(direction === 'to' ? 'unsubscribe' : 'unsubscribed', stateOf(old)).state
  const next = inState(old, state)
  if (direction === 'to') {
    delete next.problem
    next.initiated = false
  }
  return next
}
