import { HANDLED, JID, StanzaError, type Context, type Element, type Handled, type StanzaEvent } from '#core'
import type { Direction, Judge } from './rules'

/** Refuses what the lists do not let through, as XEP-0016 §2.14 says; synchronous and from memory. */
export class Guard {
  readonly #ctx: Context
  readonly #judge: () => Judge
  /** What is told to those who are refused from now on: that contacts of theirs are gone. */
  readonly #farewells: WeakSet<Element>
  readonly #refused

  constructor(ctx: Context, judge: () => Judge, farewells: WeakSet<Element>) {
    this.#ctx = ctx
    this.#judge = judge
    this.#farewells = farewells
    this.#refused = ctx.metrics.counter(
      'entity_lists_refused_total',
      'Stanzas that the black and white lists of a host refused',
      ['host', 'direction']
    )
  }

  /** From somebody of this host, to anybody. */
  leaving(event: StanzaEvent): Handled | void {
    const judge = this.#judge()
    const { to, origin } = event
    // A subscription is stamped with the bare JID, whichever resource it comes from (RFC 6121 §3)
    const from = origin.session?.jid ?? event.from
    const asks = isRequest(event)
    if (judge.refuses('out', to) || (asks && judge.refuses('in', to))) return this.#refuseOut(event)
    // An account of the host is on a list itself
    if (judge.refuses('in', from) || (asks && judge.refuses('out', from))) return this.#refuseIn(event)
  }

  /** From another domain, to somebody of this host. */
  arriving(event: StanzaEvent): Handled | void {
    const judge = this.#judge()
    const { from, to } = event
    // The answer to a request goes the other way: whoever could not get it is not kept waiting for it
    const asks = isRequest(event)
    if (judge.refuses('in', from) || (asks && judge.refuses('out', from))) return this.#refuseIn(event)
    if (judge.refuses('out', to) || (asks && judge.refuses('in', to))) return this.#refuseIn(event)
  }

  /** What waits for another server, or for a component: why it does not leave any more; undefined where it may. */
  stays(stanza: Element): StanzaError | 'drop' | undefined {
    const { from, to, type } = stanza.attrs as Record<string, string | undefined>
    // Errors are not held up, nor is it that somebody is gone
    if (type === 'error' || type === 'unavailable' || from === undefined || to === undefined) return undefined
    if (!this.#judge().parts(JID.parse(from), JID.parse(to))) return undefined
    if (stanza.name === 'presence') return 'drop'
    return new StanzaError('not-acceptable', { type: 'cancel' })
  }

  /** XEP-0016 §2.14: what goes to somebody who is listed is answered with `not-acceptable`, whatever it is. */
  #refuseOut(event: StanzaEvent): Handled | void {
    const { stanza, origin, to } = event
    if (this.#farewells.has(stanza)) return
    this.#count(event, 'out')
    if (origin.kind === 'local' && isForMany(event, this.#ctx.host.name)) return HANDLED
    const text = `${this.#ctx.host.name} does not let stanzas go to ${to.bare}`
    throw new StanzaError('not-acceptable', { type: 'cancel', text })
  }

  /** XEP-0016 §2.14: to whoever is listed it looks as if nobody was there. */
  #refuseIn(event: StanzaEvent): Handled | void {
    const { stanza } = event
    if (this.#farewells.has(stanza)) return
    this.#count(event, 'in')
    // "MUST NOT respond and MUST NOT return an error"; results and errors are never answered anyway
    if (stanza.name === 'presence') return HANDLED
    throw new StanzaError('service-unavailable')
  }

  #count({ stanza, from, to }: StanzaEvent, direction: Direction): void {
    this.#refused.with(this.#ctx.host.name, direction).inc()
    this.#ctx.log.debug(
      { direction, from: from.full, to: to.full, stanza: stanza.name },
      'refused: black and white lists'
    )
  }
}

/**
 * A module tells everybody something, news or the presence of a user, and is not told of each who must not hear it. What
 * the host asks for itself (XEP-0267) or could not deliver is another matter.
 */
function isForMany({ stanza, from, origin }: StanzaEvent, host: string): boolean {
  if (stanza.name === 'message') return origin.returned === undefined
  return stanza.name === 'presence' && from.full !== host
}

function isRequest({ stanza }: StanzaEvent): boolean {
  return stanza.name === 'iq' && (stanza.attrs.type === 'get' || stanza.attrs.type === 'set')
}
