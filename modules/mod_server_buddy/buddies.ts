import { CodedError, CollapsedLog, el, StanzaError, type Context, type Store } from '#core'
import { inbound, outbound } from '../lib_subscription'
import { inState, isFrom, isNobody, isTo, NOBODY, stateOf, type Buddy } from './buddy'
import type { PolicyInForce } from './policy'
import type { Published } from './published'

/** Why a `subscribe` leaves: there is no other reason (XEP-0267 §1, §4). */
export type Reason = { by: string; why: 'administrator' } | { by: string; why: 'approved' }

export interface Limits {
  /** Requests of peers that wait, at most. */
  maxPending: number
}

const PAGE = 500

/** What the server roster works with. */
export interface BuddiesParts {
  ctx: Context
  store: Store<Buddy>
  policy: PolicyInForce
  limits(): Limits
  published: Published
  changed(domain: string, before: Buddy | undefined, after: Buddy | undefined): void
}

/** The server roster of one host, and what is said to peers about it. */
export class Buddies {
  readonly #parts: BuddiesParts
  /** Strangers can make as many as they like. */
  readonly #dropped: CollapsedLog
  /** The request that is being dealt with. */
  #requests: Promise<void> = Promise.resolve()

  constructor(parts: BuddiesParts) {
    this.#parts = parts
    this.#dropped = new CollapsedLog(parts.ctx.log)
    parts.ctx.defer(() => this.#dropped.flush())
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

  /** An administrator asks us to ask a peer; a request that bounced or waits is repeated (XEP-0267 §2). */
  async ask(domain: string, by: string): Promise<Buddy> {
    if (domain === this.#parts.ctx.host.name)
      throw new CodedError('ERR_BUDDY_SELF', 'a server is no buddy of its own')
    return this.#subscribe(domain, { by, why: 'administrator' })
  }

  /** The only place that sends a `subscribe`. */
  async #subscribe(domain: string, reason: Reason): Promise<Buddy> {
    const buddy = await this.#update(domain, old => {
      const { state } = outbound('subscribe', stateOf(old))
      const { problem: _, ...rest } = old
      return {
        ...inState(rest, state),
        initiated: old.initiated || reason.why === 'administrator',
        requestedBy: reason.by,
        requestedAt: Date.now()
      }
    })
    if (!isTo(buddy)) this.#send('subscribe', domain)
    return buddy
  }

  /** An administrator, or the policy, says yes to a peer's request. */
  async approve(domain: string, by: string, note?: string): Promise<Buddy> {
    const buddy = await this.#update(domain, old => {
      if (!old.pendingIn) throw new StanzaError('item-not-found', `${domain} has no request that waits`)
      const { state } = outbound('subscribed', stateOf(old))
      return { ...inState(old, state), approvedBy: by, approvedAt: Date.now(), ...(note ? { note } : {}) }
    })
    return this.#approved(domain, buddy, by)
  }

  /** XEP-0267 §1: `subscribed`, and unless there is one already, a subscription in return. */
  async #approved(domain: string, buddy: Buddy, by: string): Promise<Buddy> {
    this.#send('subscribed', domain)
    this.#send(undefined, domain)
    if (isTo(buddy) || buddy.ask) return buddy
    return this.#subscribe(domain, { by, why: 'approved' })
  }

  async refuse(domain: string, note?: string): Promise<void> {
    await this.#update(domain, old => {
      if (!old.pendingIn) throw new StanzaError('item-not-found', `${domain} has no request that waits`)
      return { ...inState(old, outbound('unsubscribed', stateOf(old)).state), ...(note ? { note } : {}) }
    })
    this.#send('unsubscribed', domain)
  }

  /** Ends both directions and every request; the peer is told what concerns it. */
  async remove(domain: string): Promise<void> {
    const before = await this.#parts.store.get(domain)
    if (!before) throw new StanzaError('item-not-found', `${domain} is not in the server roster`)
    await this.#parts.store.delete(domain)
    this.#parts.changed(domain, before, undefined)
    if (isTo(before) || before.ask) this.#send('unsubscribe', domain)
    if (isFrom(before)) this.#send('unavailable', domain)
    if (isFrom(before) || before.pendingIn) this.#send('unsubscribed', domain)
  }

  /** A peer asks. One request after another, so that their number stays within its bound. */
  onSubscribe(domain: string): Promise<void> {
    const done = this.#requests.then(() => this.#onSubscribe(domain))
    this.#requests = done.catch(() => undefined)
    return done
  }

  async #onSubscribe(domain: string): Promise<void> {
    const decision = await this.#decide(domain)
    if (decision === 'refuse') return this.#send('unsubscribed', domain)
    if (decision === 'answer') return this.#send('subscribed', domain)
    if (decision === 'drop') return
    const before = await this.#parts.store.get(domain)
    await this.#update(domain, old => ({
      ...inState(old, inbound('subscribe', stateOf(old)).state),
      receivedAt: old.pendingIn ? old.receivedAt : Date.now()
    }))
    if (decision === 'ask') {
      if (before?.pendingIn) return
      this.#parts.ctx.log.warn(
        { peer: domain },
        'a server asks to be a buddy: an administrator has to approve or refuse'
      )
      return this.#prompt(domain)
    }
    await this.approve(domain, decision.by)
    this.#parts.ctx.log.info({ peer: domain, by: decision.by }, 'buddy request approved')
  }

  async #decide(domain: string): Promise<'answer' | 'refuse' | 'drop' | 'ask' | { by: string }> {
    const buddy = await this.#parts.store.get(domain)
    if (isFrom(buddy)) return 'answer' // RFC 6121 §3.1.3
    if (buddy?.initiated && (buddy.ask || isTo(buddy)))
      return { by: `request of ${buddy.requestedBy ?? 'ours'}` }
    const policy = await this.#parts.policy.current()
    if (policy === 'always' || (policy === 'listed' && this.#parts.policy.isListed(domain)))
      return { by: `policy:${policy}` }
    if (policy === 'never') return 'refuse'
    if (!buddy?.pendingIn && (await this.#pending()) >= this.#parts.limits().maxPending) {
      this.#dropped.warn('dropped', { peer: domain }, 'buddy request dropped: as many wait as may')
      return 'drop'
    }
    return 'ask'
  }

  async #pending(): Promise<number> {
    let count = 0
    for await (const [, buddy] of this.all()) if (buddy.pendingIn) count++
    return count
  }

  async onSubscribed(domain: string): Promise<void> {
    await this.#update(domain, old => {
      const step = inbound('subscribed', stateOf(old))
      if (!step.deliver) return old // nobody asked: RFC 6121 §3.1.6
      const { problem: _, ...rest } = inState(old, step.state)
      return rest
    })
  }

  async onUnsubscribed(domain: string): Promise<void> {
    await this.#update(domain, old => {
      const step = inbound('unsubscribed', stateOf(old))
      if (!step.deliver) return old
      return { ...inState(old, step.state), ...(old.ask ? { problem: 'refused by the peer' } : {}) }
    })
  }

  async onUnsubscribe(domain: string): Promise<void> {
    let lost = false
    await this.#update(domain, old => {
      const step = inbound('unsubscribe', stateOf(old))
      lost = step.deliver
      return step.deliver ? inState(old, step.state) : old
    })
    if (!lost) return
    this.#send('unavailable', domain)
    this.#send('unsubscribed', domain) // RFC 6121 §3.3.3
  }

  /** Our request did not get through. It stays, with the reason, and is not sent again by itself. */
  async onBounce(domain: string, reason: string): Promise<void> {
    await this.#update(domain, old => (old.ask ? { ...old, problem: reason } : old))
  }

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

  /** A probe: what is told depends on who asks (RFC 6121 §4.3.2). */
  async onProbe(domain: string): Promise<void> {
    this.#send(isFrom(await this.#parts.store.get(domain)) ? undefined : 'unsubscribed', domain)
  }

  /** One change of one buddy: the database, then whoever watches. The same object means no change. */
  async #update(domain: string, fn: (old: Buddy) => Buddy): Promise<Buddy> {
    let before: Buddy | undefined
    const after = await this.#parts.store.update(domain, old => {
      before = old
      const next = fn(old ?? NOBODY)
      return isNobody(next) ? undefined : next
    })
    this.#parts.changed(domain, before, after)
    return after ?? NOBODY
  }

  #send(type: string | undefined, domain: string): void {
    this.#parts.ctx.send(el('presence', { from: this.#parts.ctx.host.name, to: domain, type }))
  }

  /** XEP-0267 §1: the administrators are asked; a normal message waits for those who are away. */
  #prompt(domain: string): void {
    const { ctx } = this.#parts
    const body =
      `The server ${domain} asks to be a buddy of ${ctx.host.name}. ` +
      `Approve or refuse it with the command "Pending buddy requests" of ${ctx.host.name}.`
    for (const admin of ctx.server.administrators(ctx.host)) {
      ctx.send(
        el(
          'message',
          { to: admin, type: 'normal' },
          el('subject', null, 'Buddy request'),
          el('body', null, body)
        )
      )
    }
  }
}
