import { z, type Context, type Store, type Tx } from '#core'
import type { ChannelsConfig } from './config'

/** How long items are kept, and how many: 0 for no bound. */
export interface Rule {
  /** Days since the last news of a thread. */
  readonly days: number
  /** Items of a node. */
  readonly items: number
}

const Override = z.object({ days: z.int(), items: z.int(), by: z.string(), at: z.int() })
export type Override = z.infer<typeof Override>

const KEY = 'override'

/** The retention in force: the file's, unless a command has set another, which outlives a restart. */
export class RetentionPolicy {
  readonly file: Rule
  readonly #ctx: Context<ChannelsConfig>
  readonly #store: Store<Override>
  #override: Override | undefined
  #hide: (() => void)[] = []

  constructor(ctx: Context<ChannelsConfig>) {
    this.#ctx = ctx
    this.#store = ctx.store('retention', Override)
    this.file = { days: ctx.config.retentionDays, items: ctx.config.retentionItems }
  }

  async load(): Promise<void> {
    this.#take(await this.#store.get(KEY))
  }

  get override(): Override | undefined {
    return this.#override
  }

  get inForce(): Rule {
    const { days, items } = this.#override ?? this.file
    return { days, items }
  }

  /** `undefined`: back to what the file says. */
  async set(override: Override | undefined): Promise<void> {
    if (override) await this.#store.set(KEY, override)
    else await this.#store.delete(KEY)
    this.#take(override)
  }

  /** An account is removed: its name does not stay. */
  async purge(tx: Tx, jid: string): Promise<void> {
    const own = this.#override
    if (own?.by !== jid) return
    const nobody = { ...own, by: '' }
    await this.#store.set(KEY, nobody, tx)
    tx.afterCommit(() => this.#take(nobody))
  }

  #take(override: Override | undefined): void {
    this.#override = override
    for (const hide of this.#hide) hide()
    this.#hide = []
    if (override === undefined) return
    const { days, items, by, at } = override
    for (const [option, value] of [
      ['retentionDays', days],
      ['retentionItems', items]
    ] as const) {
      const shown = {
        option: `${this.#ctx.module}.${option}`,
        value: String(value),
        at,
        ...(by !== '' && { by })
      }
      this.#hide.push(this.#ctx.add('config-override', shown))
    }
  }
}

/** In words. */
export function ruleText({ days, items }: Rule): string {
  const bounds = [
    days > 0 && `what was quiet for ${days} days goes`,
    items > 0 && `a node keeps ${items} items`
  ].filter(Boolean)
  return bounds.length > 0 ? bounds.join('; ') : 'nothing goes by age or number'
}
