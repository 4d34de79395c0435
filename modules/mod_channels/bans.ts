import { createHash } from 'node:crypto'
import { StanzaError, z, type Context, type Store, type Tx } from '#core'
import type { Delivery } from './announce'
import { Patterns } from './patterns'

/** Characters of a reason. */
export const MAX_REASON = 200

const Ban = z.object({ by: z.string(), at: z.int(), reason: z.string() })
/** A ban of an account or a domain from the channel host; why is told to administrators alone. */
export type Ban = z.infer<typeof Ban>

/** Of a ban whose account was removed: no name, only what tells that the same one is made again. */
const Ghost = z.object({ at: z.int() })

/**
 * Who is banned from the channel host. Whoever is may ask for nothing and is sent nothing; what they have here (a
 * channel, posts, memberships, roles) stays as it is, unused, until the ban is lifted or somebody deletes it. So
 * a ban of a domain costs the same as one of an account, and no follower or owner hears of it.
 */
export class Bans {
  readonly #bans: Patterns<Ban>
  readonly #ghosts: Store<z.infer<typeof Ghost>>

  constructor(ctx: Pick<Context, 'store'>) {
    this.#bans = new Patterns(ctx.store('bans', Ban))
    this.#ghosts = ctx.store('banned-before', Ghost)
  }

  load(): Promise<void> {
    return this.#bans.load()
  }

  /** In the order of their names. */
  list(): [string, Ban][] {
    return this.#bans.list()
  }

  has(bare: string): boolean {
    return this.#bans.find(bare) !== undefined
  }

  /** Before anything is done for somebody (XEP-0060 §6.1.3.8 for who is an outcast). Throws `forbidden`. */
  admit(bare: string): void {
    if (this.has(bare)) throw new StanzaError('forbidden', 'this service is closed to you')
  }

  /** What is sent, without those who are banned. */
  admitted(deliveries: readonly Delivery[]): readonly Delivery[] {
    if (!this.#bans.any) return deliveries
    return deliveries.map(one =>
      one.recipients.some(jid => this.has(jid))
        ? { ...one, recipients: one.recipients.filter(jid => !this.has(jid)) }
        : one
    )
  }

  /** @param pattern prepared: a bare JID, a domain, or `*.` and a domain; @returns whether it was banned already */
  async ban(pattern: string, ban: Ban): Promise<boolean> {
    const known = this.#bans.get(pattern)
    // to ban once more without a reason takes none back
    const reason = ban.reason === '' ? (known?.reason ?? '') : ban.reason
    await this.#bans.set(pattern, { ...ban, reason })
    return known !== undefined
  }

  /** False where there was no ban. */
  async lift(pattern: string): Promise<boolean> {
    const [banned, ghost] = [await this.#bans.delete(pattern), await this.#ghosts.delete(ghostOf(pattern))]
    return banned || ghost
  }

  /** An account is removed: its name does not stay, and the ban is there again with it. */
  async purge(tx: Tx, jid: string): Promise<void> {
    const ban = await this.#bans.purge(tx, jid)
    if (ban) await this.#ghosts.set(ghostOf(jid), { at: ban.at }, tx)
  }

  /** An account is made. */
  async restore(tx: Tx, jid: string): Promise<void> {
    const ghost = await this.#ghosts.get(ghostOf(jid), tx)
    if (ghost === undefined) return
    await this.#ghosts.delete(ghostOf(jid), tx)
    await this.#bans.setIn(tx, jid, { by: '', at: ghost.at, reason: 'banned before the account was removed' })
  }
}

function ghostOf(jid: string): string {
  return createHash('sha256').update(`banned from the host\0${jid}`).digest('hex')
}
