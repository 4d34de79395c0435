import type { AdminAct } from '#core'
import type { Acts } from './acts'

/** Milliseconds in which what is the same is one row. */
const WINDOW = 3_600_000
/** Rows of denials that a window may make on one host; the log file has the others. */
const MOST = 500

interface Repeated {
  since: number
  last: number
  /** Since the row was last written. */
  more: number
  id: Promise<number | undefined>
}

/**
 * What somebody is refused because of their role: the first time it is kept at once, then it is counted, so that
 * nobody fills the audit, and pushes out what others did, by being refused.
 */
export class Denials {
  readonly #acts: Acts
  readonly #host: string
  readonly #repeated = new Map<string, Repeated>()

  constructor(acts: Acts, host: string) {
    this.#acts = acts
    this.#host = host
  }

  async add(act: AdminAct): Promise<void> {
    const bare = act.by.split('/', 1)[0] ?? ''
    const key = `${bare} ${act.command}`
    const known = this.#repeated.get(key)
    if (known && act.at - known.since < WINDOW) {
      known.more++
      known.last = act.at
      return
    }
    if (known) await this.#write(known)
    if (!known && this.#repeated.size >= MOST) return
    const id = this.#acts.add(this.#host, act)
    // Whoever comes meanwhile is counted on the same row
    this.#repeated.set(key, { since: act.at, last: act.at, more: 0, id: id.catch(() => undefined) })
    await id
  }

  /** Writes how many there were, and forgets what was long ago. */
  async flush(now: number): Promise<void> {
    for (const [key, repeated] of this.#repeated) {
      await this.#write(repeated)
      if (now - repeated.since >= WINDOW && repeated.more === 0) this.#repeated.delete(key)
    }
  }

  async #write(repeated: Repeated): Promise<void> {
    const { more, last } = repeated
    const id = more === 0 ? undefined : await repeated.id
    if (id === undefined) return
    repeated.more -= more
    await this.#acts.repeat(id, more, last)
  }
}
