import type { AdminAct } from '#core'
import { KIND, type Acts, type Kind } from './acts'

/** Milliseconds in which rows are counted. */
const WINDOW = 3_600_000
const COUNTED = 'there were very many in this hour: these are only counted'

/** Rows that a window may make. */
export interface Bounds {
  kind: Kind
  /** Of each account, before anything is counted. */
  single: number
  /** Of each account, that count what has the same command and result; what is beyond is one row for each result. */
  counting: number
  /** That count, of all accounts; the log file has the others. */
  all: number
}

export const DENIALS: Bounds = { kind: KIND.denied, single: 0, counting: 20, all: 500 }
export const UNCHANGED: Bounds = { kind: KIND.unchanged, single: 100, counting: 20, all: 5000 }

interface Repeated {
  last: number
  /** Since the row was last written. */
  more: number
  id: Promise<number | undefined>
}

interface Account {
  since: number
  single: number
  counting: Map<string, Repeated>
}

/**
 * What changes nothing: at first it is kept, then it is counted, so that nobody fills the audit, and pushes out what
 * others did, by asking or by being refused.
 */
export class Repeats {
  readonly #acts: Pick<Acts, 'add' | 'repeat'>
  readonly #bounds: Bounds
  readonly #accounts = new Map<string, Account>()
  #counting = 0

  constructor(acts: Pick<Acts, 'add' | 'repeat'>, bounds: Bounds) {
    this.#acts = acts
    this.#bounds = bounds
  }

  /** Resolves when it is on the disk, or counted. */
  async add(host: string, act: AdminAct): Promise<void> {
    const { kind, single, counting, all } = this.#bounds
    const account = this.#accountOf(act)
    if (account.single < single) {
      account.single++
      await this.#acts.add(host, act, kind)
      return
    }
    const key = `${host} ${act.command} ${act.result}`
    const rest = ` ${act.result}`
    const known = account.counting.get(key) ?? account.counting.get(rest)
    if (known) {
      known.more++
      known.last = act.at
      return
    }
    if (this.#counting >= all) return
    this.#counting++
    const full = account.counting.size >= counting
    // Its target and its reason are not those of all that are counted
    const alike = single === 0 ? act : { ...act, on: '', detail: COUNTED }
    const row = full ? { ...act, command: 'others', on: '', detail: COUNTED } : alike
    const id = this.#acts.add(host, row, kind)
    // Whoever comes meanwhile is counted on the same row
    account.counting.set(full ? rest : key, { last: act.at, more: 0, id: id.catch(() => undefined) })
    await id
  }

  /** Writes how many there were, and forgets what was long ago. */
  async flush(now: number): Promise<void> {
    for (const [name, account] of this.#accounts) {
      if (now - account.since >= WINDOW) this.#forget(name, account)
      await this.#write(account)
    }
  }

  #accountOf({ by, at }: AdminAct): Account {
    const name = by.split('/', 1)[0] ?? ''
    const known = this.#accounts.get(name)
    if (known && at - known.since < WINDOW) return known
    if (known) {
      this.#forget(name, known)
      // What it counts has its row; the act does not wait for it
      void this.#write(known).catch(() => undefined)
    }
    const account = { since: at, single: 0, counting: new Map<string, Repeated>() }
    this.#accounts.set(name, account)
    return account
  }

  #forget(name: string, account: Account): void {
    this.#accounts.delete(name)
    this.#counting -= account.counting.size
  }

  async #write({ counting }: Account): Promise<void> {
    for (const repeated of counting.values()) {
      const { more, last } = repeated
      const id = more === 0 ? undefined : await repeated.id
      if (id === undefined) continue
      repeated.more -= more
      await this.#acts.repeat(id, more, last)
    }
  }
}
