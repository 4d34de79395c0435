import type { Context } from '#core'
import { isFrom, isTo, type Buddy } from './buddy'

/** A peer of the server roster, as other modules see it. */
export interface ServerBuddy {
  /** The peer, prepared. */
  readonly domain: string
  /** The peer has approved our request: we know its presence. */
  readonly to: boolean
  /** We have approved the peer's request: it knows ours. */
  readonly from: boolean
  /** Our request waits for the peer's answer. */
  readonly asked: boolean
  /** The peer's request waits for an administrator of ours. */
  readonly asks: boolean
}

interface Entry {
  buddy: ServerBuddy
  withdraw(): void
}

/**
 * The server roster in memory, an item for each peer: for whoever must know at once who is a buddy and cannot wait
 * for the database. Replaced at each change, withdrawn with the module.
 */
export class Published {
  readonly #entries = new Map<string, Entry>()

  constructor(private readonly ctx: Context) {}

  /** What is kept of a peer has changed. */
  set(domain: string, kept: Buddy | undefined): void {
    const old = this.#entries.get(domain)
    const buddy = kept && publicPart(domain, kept)
    if (old && buddy && equal(old.buddy, buddy)) return
    // The new one first, so that a buddy is never none between the two
    if (buddy) this.#entries.set(domain, { buddy, withdraw: this.ctx.add('server-buddy', buddy) })
    else this.#entries.delete(domain)
    old?.withdraw()
  }

  /** Peers in the server roster. */
  get size(): number {
    return this.#entries.size
  }

  /** Requests of peers that wait for an administrator. */
  get pending(): number {
    let count = 0
    for (const { buddy } of this.#entries.values()) if (buddy.asks) count++
    return count
  }

  get(domain: string): ServerBuddy | undefined {
    return this.#entries.get(domain)?.buddy
  }

  *all(): Iterable<ServerBuddy> {
    for (const { buddy } of this.#entries.values()) yield buddy
  }
}

function publicPart(domain: string, buddy: Buddy): ServerBuddy {
  return { domain, to: isTo(buddy), from: isFrom(buddy), asked: buddy.ask, asks: buddy.pendingIn }
}

function equal(one: ServerBuddy, other: ServerBuddy): boolean {
  return (
    one.to === other.to && one.from === other.from && one.asked === other.asked && one.asks === other.asks
  )
}
