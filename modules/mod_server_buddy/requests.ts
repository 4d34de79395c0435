import { CollapsedLog, StanzaError, type Context } from '#core'
import { isFrom, isTo, type Buddy } from './buddy'
import type { Buddies } from './buddies'
import type { Counts, Received } from './counts'
import type { PolicyInForce } from './policy'
import type { Published } from './published'

export interface RequestLimits {
  /** Requests of peers that wait, at most. */
  maxPending: number
  /** Peers in the server roster above which the policy approves nobody new by itself. */
  maxBuddies: number
}

export interface RequestsParts {
  ctx: Context
  buddies: Buddies
  policy: PolicyInForce
  published: Published
  counts: Counts
  limits(): RequestLimits
  /** The administrators have to be asked. */
  prompt(domain: string): Promise<void>
}

/** What becomes of a request: `repeat`, it is approved already; else who approves it, and why. */
type Verdict = 'repeat' | 'refused' | 'dropped' | 'asked' | { by: string }

/** Requests of other servers: who decides, and within which bounds. */
export class Requests {
  readonly #parts: RequestsParts
  /** Strangers can make as many as they like. */
  readonly #dropped: CollapsedLog
  /** The request that is being dealt with. */
  #last: Promise<void> = Promise.resolve()

  constructor(parts: RequestsParts) {
    this.#parts = parts
    this.#dropped = new CollapsedLog(parts.ctx.log)
    parts.ctx.defer(() => this.#dropped.flush())
  }

  /** A peer asks. One request after another, so that their number stays within its bound. */
  onSubscribe(domain: string): Promise<void> {
    const done = this.#last.then(() => this.#onSubscribe(domain))
    this.#last = done.catch(() => undefined)
    return done
  }

  async #onSubscribe(domain: string): Promise<void> {
    const { buddies, ctx } = this.#parts
    const before = await buddies.get(domain)
    const verdict = await this.#decide(domain, before)
    if (verdict === 'repeat') return buddies.answer(domain, 'subscribed') // RFC 6121 §3.1.3
    if (verdict !== 'asked' || !before?.pendingIn) this.#count(verdict)
    if (verdict === 'refused') return this.#refuse(domain, before)
    if (verdict === 'dropped')
      throw new StanzaError('resource-constraint', { type: 'wait', text: 'too many requests wait already' })
    await buddies.received(domain)
    if (verdict !== 'asked') {
      await buddies.approve(domain, verdict)
      return ctx.log.info({ peer: domain, by: verdict.by }, 'buddy request approved')
    }
    if (before?.pendingIn) return
    ctx.log.warn({ peer: domain }, 'a server asks to be a buddy: an administrator has to approve or refuse')
    await this.#parts.prompt(domain)
  }

  async #decide(domain: string, buddy: Buddy | undefined): Promise<Verdict> {
    if (isFrom(buddy)) return 'repeat'
    if (buddy?.initiated && (buddy.ask || isTo(buddy)))
      return { by: `request of ${buddy.requestedBy ?? 'ours'}` }
    const { policy, published, limits } = this.#parts
    const inForce = await policy.current()
    const approves = inForce === 'always' || (inForce === 'listed' && policy.isListed(domain))
    // Whoever has a zone of their own has as many domains as they like
    const roster = published.size + (buddy ? 0 : 1)
    if (approves && roster <= limits().maxBuddies) return { by: `policy:${inForce}` }
    if (inForce === 'never') return 'refused'
    return buddy?.pendingIn || published.pending < limits().maxPending ? 'asked' : 'dropped'
  }

  /** By the policy; a request that waits since another one was in force is decided with it. */
  async #refuse(domain: string, buddy: Buddy | undefined): Promise<void> {
    const { buddies } = this.#parts
    if (buddy?.pendingIn) await buddies.refuse(domain)
    else buddies.answer(domain, 'unsubscribed')
  }

  #count(verdict: Exclude<Verdict, 'repeat'>): void {
    const result: Received = typeof verdict === 'object' ? 'approved' : verdict
    this.#parts.counts.received(result)
    if (result !== 'dropped') return
    this.#dropped.warn('dropped', {}, 'buddy requests refused: as many wait as may')
  }
}
