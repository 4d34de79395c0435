/** What a peer has told of its presence, since when (milliseconds since the epoch). */
export interface PeerPresence {
  readonly online: boolean
  readonly since: number
}

/**
 * The presence of the peers that have approved our request; no more of them than the server roster has. Not in the
 * database, so that a peer that comes and goes all the time costs no writes: at the start the peers are probed.
 */
export class Presences {
  readonly #known: Map<string, PeerPresence>

  /** @param saved of the version before */
  constructor(saved: unknown) {
    this.#known = new Map(saved instanceof Map ? (saved as Map<string, PeerPresence>) : [])
  }

  /** Undefined where the peer has told nothing. */
  get(domain: string): PeerPresence | undefined {
    return this.#known.get(domain)
  }

  /** The new presence; undefined where it is the old one. */
  set(domain: string, online: boolean): PeerPresence | undefined {
    if (this.#known.get(domain)?.online === online) return undefined
    const presence = { online, since: Date.now() }
    this.#known.set(domain, presence)
    return presence
  }

  forget(domain: string): void {
    this.#known.delete(domain)
  }

  save(): Map<string, PeerPresence> {
    return new Map(this.#known)
  }
}
