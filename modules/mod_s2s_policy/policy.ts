import type { Store } from '#core'
import { Domains } from '../lib_domains'
import type { Circle } from './circle'
import type { Config, Override } from './config'

/**
 * What a domain may: `all`; `acquainted`, server presence and what makes or ends a buddy; `stranger`, the latter
 * alone; `refused`, nothing.
 */
export type Standing = 'all' | 'acquainted' | 'stranger' | 'refused'

const KEY = 'override'

export interface PolicyParts {
  store: Store<Override>
  circle: Circle
  /** Whether server buddies are kept on this host now. */
  hasBuddies(): boolean
  changed(): void
  /** What an administrator has set is to be seen by others; returns what takes it back. */
  show(override: Override): () => void
}

/** The policy in force: the file's, unless a command has set another, which outlives a restart. */
export class Policy {
  readonly #parts: PolicyParts
  #file: Config
  #override: Override | undefined
  #allow = new Domains([])
  #block = new Domains([])
  #hide = (): void => undefined

  constructor(file: Config, parts: PolicyParts) {
    this.#parts = parts
    this.#file = file
  }

  /** Reads what a command has set. */
  async load(): Promise<void> {
    this.#take(await this.#parts.store.get(KEY))
  }

  get file(): Config {
    return this.#file
  }

  get override(): Override | undefined {
    return this.#override
  }

  get inForce(): Config {
    return this.#override ?? this.#file
  }

  /** The file says something else now. */
  setFile(file: Config): void {
    this.#file = file
    this.#compile()
    this.#parts.changed()
  }

  /** `undefined`: back to what the file says. The database first, then memory. */
  async setOverride(override: Override | undefined): Promise<void> {
    if (override) await this.#parts.store.set(KEY, override)
    else await this.#parts.store.delete(KEY)
    this.#take(override)
    this.#parts.changed()
  }

  #take(override: Override | undefined): void {
    this.#override = override
    this.#hide()
    this.#hide = override ? this.#parts.show(override) : () => undefined
    this.#compile()
  }

  #compile(): void {
    const { allow, block } = this.inForce
    this.#allow = new Domains(allow)
    this.#block = new Domains(block)
  }

  /** What a foreign domain, prepared, may here. From memory. */
  standing(domain: string): Standing {
    if (this.#block.has(domain)) return 'refused'
    const { policy, requests } = this.inForce
    if (policy === 'open' || this.#allow.has(domain)) return 'all'
    if (policy === 'listed') return 'refused'
    const { circle, hasBuddies } = this.#parts
    const buddy = circle.get(domain)
    // XEP-0267 §1: buddies are servers that consider each other so
    if (buddy?.to && buddy.from) return 'all'
    if (buddy) return 'acquainted'
    return requests && hasBuddies() ? 'stranger' : 'refused'
  }

  /** What a domain would be allowed under another policy than the one in force. */
  standingUnder(config: Config, domain: string): Standing {
    const other = new Policy(config, this.#parts)
    other.#compile()
    return other.standing(domain)
  }
}
