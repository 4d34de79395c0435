import { z, type Store } from '#core'

export const POLICIES = ['ask', 'always', 'listed', 'never'] as const
export type Policy = (typeof POLICIES)[number]

export const PolicyName = z.enum(POLICIES)

/** What is done with a request that nobody of ours asked for. */
export interface PolicySettings {
  autoApprove: Policy
  /** Domains that `listed` approves; `*.example.org` means all below it. */
  approve: readonly string[]
}

/** The policy in force: the file's, unless a command has set another, which outlives a restart. */
export class PolicyInForce {
  readonly #store: Store<Policy>
  readonly #settings: () => PolicySettings

  constructor(store: Store<Policy>, settings: () => PolicySettings) {
    this.#store = store
    this.#settings = settings
  }

  async current(): Promise<Policy> {
    return (await this.#store.get('autoApprove')) ?? this.#settings().autoApprove
  }

  async isOverridden(): Promise<boolean> {
    return (await this.#store.get('autoApprove')) !== undefined
  }

  get fromFile(): Policy {
    return this.#settings().autoApprove
  }

  /** `undefined`: back to what the file says. */
  async set(policy: Policy | undefined): Promise<void> {
    if (policy === undefined) await this.#store.delete('autoApprove')
    else await this.#store.set('autoApprove', policy)
  }

  isListed(domain: string): boolean {
    return this.#settings().approve.some(pattern =>
      pattern.startsWith('*.') ? domain.endsWith(pattern.slice(1)) : domain === pattern
    )
  }
}
