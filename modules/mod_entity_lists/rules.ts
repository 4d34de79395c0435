import type { JID } from '#core'

/** `in`: from those entities; `out`: to them. */
export type Direction = 'in' | 'out'

/** XEP-0133 §4.11, §4.12: two lists for both directions, and two for each one. */
export const LISTS = [
  'blacklist',
  'blacklist-in',
  'blacklist-out',
  'whitelist',
  'whitelist-in',
  'whitelist-out'
] as const

export type ListName = (typeof LISTS)[number]

/** What is on each list: prepared addresses. */
export type Entries = Readonly<Record<ListName, readonly string[]>>

export function isWhite(list: ListName): boolean {
  return list.startsWith('whitelist')
}

/** The lists of one direction, ready to be asked. */
class Rules {
  /** Whether whoever is listed is refused. */
  readonly #listed = new Map<string, boolean>()
  /** There is a whitelist: whoever is on no list is refused too. */
  readonly #closed: boolean

  constructor(black: readonly string[], white: readonly string[]) {
    for (const jid of white) this.#listed.set(jid, false)
    // Listed here and there in the same form: refused
    for (const jid of black) this.#listed.set(jid, true)
    this.#closed = white.length > 0
  }

  get any(): boolean {
    return this.#listed.size > 0
  }

  /** `isHome`: asked of whoever is on no list; whitelists are not about those who are at home. */
  refuses(jid: JID, isHome: (domain: string) => boolean): boolean {
    const listed = this.#listed
    if (listed.size === 0) return false
    // XEP-0016 §2.1: the narrowest form decides. `domain/resource` is no form of user@domain/resource
    let refused = jid.resource === '' ? undefined : listed.get(jid.full)
    if (refused === undefined && jid.local !== '') refused = listed.get(jid.bare)
    refused ??= listed.get(jid.domain)
    return refused ?? (this.#closed && !isHome(jid.domain))
  }
}

/** All lists of a host at one time. Asked from memory, at most three look-ups for each direction. */
export class Judge {
  readonly #rules: Readonly<Record<Direction, Rules>>
  readonly #isHome: (domain: string) => boolean

  /** `isHome`: whether a domain is the host itself or a service of it. */
  constructor(entries: Entries, isHome: (domain: string) => boolean) {
    this.#isHome = isHome
    const rules = (direction: Direction): Rules =>
      new Rules(
        [...entries.blacklist, ...entries[`blacklist-${direction}`]],
        [...entries.whitelist, ...entries[`whitelist-${direction}`]]
      )
    this.#rules = { in: rules('in'), out: rules('out') }
  }

  /** Whether anybody is on a list. */
  get any(): boolean {
    return this.#rules.in.any || this.#rules.out.any
  }

  refuses(direction: Direction, jid: JID): boolean {
    return this.#rules[direction].refuses(jid, this.#isHome)
  }

  /** Whether nothing may go from one to the other, whichever of them it is that is listed. */
  parts(from: JID, to: JID): boolean {
    return this.refuses('out', to) || this.refuses('in', from)
  }
}
