import { bareOf } from '../lib_pubsub'

/** People whose presence is remembered, and resources of each. */
const MOST = 100_000
const RESOURCES = 50

/**
 * Who is available, as far as they have told the host: by directed presence, whose end their server tells as well
 * (RFC 6121 §4.6). Whoever is beyond the bounds is not known to be there.
 */
export class Presences {
  readonly #known = new Map<string, Set<string>>()

  constructor(saved?: unknown) {
    if (!Array.isArray(saved)) return
    for (const jid of saved) if (typeof jid === 'string') this.add(jid)
  }

  /** Whether the address, or a resource of it, is available. */
  has(jid: string): boolean {
    const bare = bareOf(jid)
    const resources = this.#known.get(bare)
    return resources !== undefined && (jid === bare || resources.has(jid))
  }

  add(jid: string): void {
    const bare = bareOf(jid)
    const resources = this.#known.get(bare)
    if (resources) {
      if (resources.size < RESOURCES) resources.add(jid)
    } else if (this.#known.size < MOST) this.#known.set(bare, new Set([jid]))
  }

  /**
   * The addresses that are no longer available: the one that was given, and the bare one with its last resource. None
   * where nobody knew of it.
   */
  remove(jid: string): string[] {
    const bare = bareOf(jid)
    const resources = this.#known.get(bare)
    if (resources === undefined) return []
    if (jid === bare) {
      this.#known.delete(bare)
      return [...new Set([bare, ...resources])]
    }
    if (!resources.delete(jid)) return []
    if (resources.size > 0) return [jid]
    this.#known.delete(bare)
    return [jid, bare]
  }

  save(): string[] {
    return [...this.#known.values()].flatMap(resources => [...resources])
  }
}
