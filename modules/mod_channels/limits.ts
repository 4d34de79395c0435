import { Allowances, StanzaError, z, type Context, type Tx } from '#core'
import type { ChannelsConfig } from './config'
import { Patterns } from './patterns'

const MINUTE = 60_000

const Exception = z.object({
  by: z.string(),
  at: z.int(),
  /** As the config says, unless given. */
  channels: z.int().optional(),
  itemsPerMinute: z.int().optional()
})
/** Other limits than the config's, for an account or for each one of a domain. */
export type Exception = z.infer<typeof Exception>

/** What one user may: as the config says, or as an administrator has said of an account or a domain. */
export class Limits {
  readonly exceptions: Patterns<Exception>
  readonly #config: ChannelsConfig
  /** Bounded: whoever was quiet for longest is forgotten. */
  readonly #published = new Allowances()

  constructor(ctx: Pick<Context<ChannelsConfig>, 'store' | 'config'>) {
    this.#config = ctx.config
    this.exceptions = new Patterns(ctx.store('limits', Exception))
  }

  /** Topic channels that somebody may create. */
  channelsOf(bare: string): number {
    return this.exceptions.find(bare)?.channels ?? this.#config.channelsPerUser
  }

  /** Items that somebody may publish in a minute; 0 for any number. */
  itemsPerMinute(bare: string): number {
    return this.exceptions.find(bare)?.itemsPerMinute ?? this.#config.itemsPerMinute
  }

  /** Somebody publishes, whatever becomes of it. Throws `policy-violation` of type wait (RFC 6120 §8.3.3.12). */
  publish(bare: string): void {
    const most = this.itemsPerMinute(bare)
    if (most === 0 || this.#published.take(bare, most, MINUTE, performance.now())) return
    throw new StanzaError('policy-violation', {
      type: 'wait',
      text: `you may publish ${most} items a minute: try again a little later`
    })
  }

  /** An account is removed. */
  async purge(tx: Tx, jid: string): Promise<void> {
    await this.exceptions.purge(tx, jid)
  }
}
