import { z, type Context, type Store } from '#core'
import { Judge, LISTS, type Entries, type ListName } from './rules'

const List = z.array(z.string())

/** Nobody is on any list. */
export const NONE: Entries = {
  blacklist: [],
  'blacklist-in': [],
  'blacklist-out': [],
  whitelist: [],
  'whitelist-in': [],
  'whitelist-out': []
}

/** What is on the lists at one time. */
export interface State {
  entries: Entries
  judge: Judge
}

/** What a change takes away from a list and adds to it. */
export interface Difference {
  added: readonly string[]
  removed: readonly string[]
}

/** The list with that difference. */
export function withDifference(list: readonly string[], { added, removed }: Difference): string[] {
  const gone = new Set(removed)
  return [...new Set([...list.filter(jid => !gone.has(jid)), ...added])]
}

/** What leads from one list to another. */
export function differenceOf(before: readonly string[], after: readonly string[]): Difference {
  const had = new Set(before)
  const has = new Set(after)
  return { added: after.filter(jid => !had.has(jid)), removed: before.filter(jid => !has.has(jid)) }
}

/** Whether an entry is the account, or a resource of it. */
function isOf(entry: string, bare: string): boolean {
  return entry === bare || entry.startsWith(`${bare}/`)
}

function orNone(list: string[] | undefined): string[] | undefined {
  return list && list.length > 0 ? list : undefined
}

/** The lists of a host: kept in the database, asked in memory. */
export class Lists {
  readonly #store: Store<string[]>
  readonly #isHome: (domain: string) => boolean
  readonly #changed: (before: State, after: State) => void
  #state: State
  /** Changes happen one after the other, so that memory follows the database in its order. */
  #last: Promise<unknown> = Promise.resolve()

  /** `onChange` hears of each change when it is in the database and in force. */
  constructor(ctx: Context, onChange: (before: State, after: State) => void) {
    const { server, host } = ctx
    this.#store = ctx.store('lists', List)
    this.#changed = onChange
    this.#isHome = domain => {
      const other = server.host(domain)
      if (other === host) return true
      return other?.type === 'component' && domain.endsWith(`.${host.name}`)
    }
    this.#state = this.#stateOf(NONE)
    // Who makes an account under that name later is somebody else
    ctx.hook('account/purge', async ({ jid, tx }) => {
      for (const name of LISTS) {
        if (!this.of(name).some(one => isOf(one, jid))) continue
        const left = await this.#store.update(name, old => orNone(old?.filter(one => !isOf(one, jid))), tx)
        tx.afterCommit(() => this.#take({ ...this.state.entries, [name]: left ?? [] }))
      }
    })
  }

  /** Reads what is kept; nobody is told. */
  async load(): Promise<void> {
    const entries: Record<ListName, readonly string[]> = { ...NONE }
    for (const name of LISTS) entries[name] = (await this.#store.get(name)) ?? []
    this.#state = this.#stateOf(entries)
  }

  get state(): State {
    return this.#state
  }

  of(name: ListName): readonly string[] {
    return this.#state.entries[name]
  }

  /** What would be in force with another list in the place of that one. */
  judgeWith(name: ListName, list: readonly string[]): Judge {
    return this.#stateOf({ ...this.#state.entries, [name]: list }).judge
  }

  /**
   * Changes a list and resolves, when that is in force, with what has really changed.
   * @param check throws where the list that would come of it must not be
   */
  change(
    name: ListName,
    difference: Difference,
    check: (list: readonly string[]) => void
  ): Promise<Difference> {
    const done = this.#last.then(async () => {
      let before: readonly string[] = []
      const after = await this.#store.update(name, old => {
        before = old ?? []
        const list = withDifference(before, difference)
        check(list)
        return orNone(list)
      })
      this.#take({ ...this.state.entries, [name]: after ?? [] })
      return differenceOf(before, after ?? [])
    })
    this.#last = done.catch(() => undefined)
    return done
  }

  #take(entries: Entries): void {
    const before = this.#state
    this.#state = this.#stateOf(entries)
    this.#changed(before, this.#state)
  }

  #stateOf(entries: Entries): State {
    return { entries, judge: new Judge(entries, this.#isHome) }
  }
}
