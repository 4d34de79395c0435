import { z, type Store } from '#core'
import { Domains } from '../lib_domains'

export const POLICIES = ['ask', 'always', 'listed', 'never'] as const
export type Policy = (typeof POLICIES)[number]

export const PolicyName = z.enum(POLICIES)

/** What an administrator has set in place of the file, by command. */
export const Override = z.object({
  policy: PolicyName,
  /** Who, and when (milliseconds since the epoch). */
  by: z.string(),
  at: z.number().int()
})

export type Override = z.infer<typeof Override>

/** What is done with a request that nobody of ours asked for. */
export interface PolicySettings {
  autoApprove: Policy
  /** Domains that `listed` approves, prepared; `*.example.org` means all below it. */
  approve: readonly string[]
}

const KEY = 'override'

export interface PolicyParts {
  store: Store<Override>
  settings(): PolicySettings
  /** Lets others see what a command has set; returns what takes it back. */
  show(override: Override): () => void
}

/** The policy in force: the file's, unless a command has set another, which outlives a restart. */
export class PolicyInForce {
  readonly #parts: PolicyParts
  #hide = (): void => undefined
  #listed: { of: readonly string[]; domains: Domains } | undefined

  constructor(parts: PolicyParts) {
    this.#parts = parts
  }

  /** Shows what was set before. */
  async load(): Promise<void> {
    this.#display(await this.override())
  }

  #display(override: Override | undefined): void {
    this.#hide()
    this.#hide = override === undefined ? () => undefined : this.#parts.show(override)
  }

  async current(): Promise<Policy> {
    return (await this.override())?.policy ?? this.fromFile
  }

  /** What a command has set, undefined where the file decides. */
  async override(): Promise<Override | undefined> {
    return this.#parts.store.get(KEY)
  }

  get fromFile(): Policy {
    return this.#parts.settings().autoApprove
  }

  /** `undefined`: back to what the file says. */
  async set(override: Override | undefined): Promise<void> {
    if (override === undefined) await this.#parts.store.delete(KEY)
    else await this.#parts.store.set(KEY, override)
    this.#display(override)
  }

  isListed(domain: string): boolean {
    const { approve } = this.#parts.settings()
    if (this.#listed?.of !== approve) this.#listed = { of: approve, domains: new Domains(approve) }
    return this.#listed.domains.has(domain)
  }
}
