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
  readonly #show: (policy: Policy) => () => void
  #hide = (): void => undefined

  /** @param show lets others see what a command has set; returns what takes it back */
  constructor(store: Store<Policy>, settings: () => PolicySettings, show: (policy: Policy) => () => void) {
    this.#store = store
    this.#settings = settings
    this.#show = show
  }

  /** Shows what was set before. */
  async load(): Promise<void> {
    this.#display(await this.#store.get('autoApprove'))
  }

  #display(policy: Policy | undefined): void {
    this.#hide()
    this.#hide = policy === undefined ? () => undefined : this.#show(policy)
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
    this.#display(policy)
  }

  isListed(domain: string): boolean {
    return this.#settings().approve.some(pattern =>
      pattern.startsWith('*.') ? domain.endsWith(pattern.slice(1)) : domain === pattern
    )
  }
}
