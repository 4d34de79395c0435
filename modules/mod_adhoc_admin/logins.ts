import { z, type Context, type Store } from '#core'

/** When an account logged in last: milliseconds since the epoch. */
const Login = z.object({ time: z.number() })

const HOUR = 3_600_000
/** Milliseconds until logins are written: a thousand clients that come back after a restart are few writes. */
const WRITE_AFTER = 5000
/** Logins in one write. */
const BATCH = 500

/** What another version of this module takes over. */
export interface SavedLogins {
  begun: number
  now: [string, number][]
  before: [string, number][]
}

/** When accounts logged in last, which is kept, and how often within the last hour, which is not. */
export class Logins {
  readonly #ctx: Context
  readonly #store: Store<z.infer<typeof Login>>
  /** Not yet written. */
  readonly #fresh = new Map<string, number>()
  /** When the hour began that is counted in `#now`. */
  #begun = Date.now()
  /** Logins by account, in this hour and the one before. */
  #now = new Map<string, number>()
  #before = new Map<string, number>()

  constructor(ctx: Context, saved: SavedLogins | undefined) {
    this.#ctx = ctx
    this.#store = ctx.store('logins', Login, { owner: 'user' })
    if (saved) {
      this.#begun = saved.begun
      this.#now = new Map(saved.now)
      this.#before = new Map(saved.before)
    }
    ctx.hook('session/bound', ({ session }) => this.#note(session.user))
    ctx.hook('account/removed', ({ user, tx }) => tx.afterCommit(() => this.#forget(user)))
    // What was being written while an account was removed is not of the next one of that name
    ctx.hook('account/created', async ({ user, tx }) => {
      await this.#store.delete(user, tx)
      tx.afterCommit(() => this.#forget(user))
    })
    ctx.every(WRITE_AFTER, () => this.#write())
    ctx.defer(() => this.#write())
  }

  saved(): SavedLogins {
    return { begun: this.#begun, now: [...this.#now], before: [...this.#before] }
  }

  /** Milliseconds since the epoch; undefined if there was none since it is kept. */
  async last(user: string): Promise<number | undefined> {
    const known = this.#fresh.get(user) ?? (await this.#store.get(user))?.time
    if (known !== undefined) return known
    // From before this module was here
    const since = [...this.#ctx.host.sessions.of(user).values()].map(session => session.since)
    return since.length > 0 ? Math.max(...since) : undefined
  }

  /** Logins within the last hour, more or less: of the hour before, as much as lies in it. */
  lately(user: string): number {
    this.#turn()
    const part = 1 - (Date.now() - this.#begun) / HOUR
    return (this.#now.get(user) ?? 0) + (this.#before.get(user) ?? 0) * part
  }

  #note(user: string): void {
    this.#turn()
    this.#fresh.set(user, Date.now())
    this.#now.set(user, (this.#now.get(user) ?? 0) + 1)
  }

  #turn(): void {
    const hours = Math.floor((Date.now() - this.#begun) / HOUR)
    if (hours === 0) return
    this.#before = hours === 1 ? this.#now : new Map()
    this.#now = new Map()
    this.#begun += hours * HOUR
  }

  #forget(user: string): void {
    for (const map of [this.#fresh, this.#now, this.#before]) map.delete(user)
  }

  async #write(): Promise<void> {
    while (this.#fresh.size > 0) {
      const batch = [...this.#fresh].slice(0, BATCH)
      await this.#ctx.db.write(async tx => {
        for (const [user, time] of batch) {
          // Not of an account that was removed in the meantime
          if (this.#fresh.get(user) === time) await this.#store.set(user, { time }, tx)
        }
      })
      for (const [user, time] of batch) if (this.#fresh.get(user) === time) this.#fresh.delete(user)
    }
  }
}
