import { firstChild, NS, StanzaError, type Context, type StanzaEvent } from '#core'
import type { Policy, Standing } from './policy'

/** Which way a stanza goes, as this host sees it. */
export type Direction = 'in' | 'out'

/** RFC 6121 §3: what makes and ends a subscription, and the presence that goes with its end (§3.2.1, §3.3.3). */
const ENDS = ['unsubscribe', 'unsubscribed', 'unavailable'] as const
const FAREWELLS: ReadonlySet<unknown> = new Set(ENDS)
const SUBSCRIPTIONS: ReadonlySet<unknown> = new Set(['subscribe', 'subscribed', ...ENDS])

/** Refuses what the policy does not let through; synchronous and from memory. */
export class Guard {
  readonly #ctx: Context
  readonly #policy: Policy
  readonly #refused

  constructor(ctx: Context, policy: Policy) {
    this.#ctx = ctx
    this.#policy = policy
    this.#refused = ctx.metrics.counter(
      's2s_policy_refused_total',
      'Stanzas that the policy of a host refused',
      ['host', 'direction']
    )
  }

  /** May there be a stream at all? Throws `policy-violation`. */
  stream(domain: string): void {
    if (this.#policy.standing(domain) !== 'refused') return
    this.#ctx.log.debug({ domain }, 'federation refused by policy')
    throw new StanzaError('policy-violation', { type: 'cancel', text: this.#text(domain) })
  }

  /** To another server. Throws `not-allowed` (RFC 6120 §8.3.3.10: "sending to entities at a blacklisted domain"). */
  outgoing(event: StanzaEvent): void {
    const standing = this.#policy.standing(event.to.domain)
    if (standing === 'all') return
    if (event.origin.kind === 'local' && this.#isLast(event)) return
    if (this.#mayPass(event, standing, 'out')) return
    this.#count(event, 'out')
    throw new StanzaError('not-allowed', this.#text(event.to.domain))
  }

  /** From another server. Throws `policy-violation` (RFC 6120 §8.3.3.12). */
  incoming(event: StanzaEvent): void {
    const standing = this.#policy.standing(event.from.domain)
    if (standing === 'all' || this.#mayPass(event, standing, 'in')) return
    this.#count(event, 'in')
    throw new StanzaError('policy-violation', this.#text(event.from.domain))
  }

  /** What this host says to whom it talks to no more: the error that answers, that it is no buddy any longer. */
  #isLast({ stanza, from, to }: StanzaEvent): boolean {
    const { type } = stanza.attrs
    if (type === 'error') return true
    const betweenHosts = from.full === this.#ctx.host.name && to.kind === 'host'
    return betweenHosts && stanza.name === 'presence' && FAREWELLS.has(type)
  }

  /** Exactly what two servers need to become buddies, or to be it no more: nothing of their users. */
  #mayPass({ stanza, from, to }: StanzaEvent, standing: Standing, direction: Direction): boolean {
    const { name } = this.#ctx.host
    const [own, peer] = direction === 'out' ? [from, to] : [to, from]
    if (standing === 'refused' || own.full !== name || peer.kind !== 'host') return false
    if (stanza.name === 'presence') return standing === 'acquainted' || SUBSCRIPTIONS.has(stanza.attrs.type)
    return stanza.name === 'iq' && asksForFeatures(stanza)
  }

  #count({ stanza, from, to }: StanzaEvent, direction: Direction): void {
    this.#refused.with(this.#ctx.host.name, direction).inc()
    this.#ctx.log.debug(
      { direction, from: from.full, to: to.full, stanza: stanza.name },
      'refused: the policy of the host'
    )
  }

  #text(domain: string): string {
    return `${this.#ctx.host.name} does not federate with ${domain}`
  }
}

/** XEP-0267 §3: whether the other one is such a server, asked and answered; no node, so nothing else is told. */
function asksForFeatures(stanza: StanzaEvent['stanza']): boolean {
  const query = firstChild(stanza)
  return query?.name === 'query' && query.attrs.xmlns === NS.DISCO_INFO && query.attrs.node === undefined
}
