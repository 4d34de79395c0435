import { FormError, JID, type CommandRun, type Context } from '#core'
import { differenceOf, withDifference, type Difference, type Lists } from './lists'
import { isWhite, type ListName } from './rules'
import type { Config } from './index'
import type { Shown } from './shown'

/** Bytes of all entries of a list: its form must fit into one stanza (`limits.stanzaBytes`). */
const MAX_BYTES = 90_000

/** A form that was sent back. */
export interface Edit {
  list: ListName
  /** The field, for what is wrong with it. */
  field: string
  /** What the field holds; undefined where it was left out. */
  jids: readonly string[] | undefined
  run: CommandRun
}

/** What may become of the lists of a host. */
export class Edits {
  readonly #ctx: Context<Config>
  readonly #lists: Lists
  readonly #shown: Shown

  constructor(ctx: Context<Config>, lists: Lists, shown: Shown) {
    this.#ctx = ctx
    this.#lists = lists
    this.#shown = shown
  }

  /** What an administrator has changed in what they were shown. Throws a FormError. */
  differenceOf({ list, field, jids, run }: Edit): Difference {
    const current = this.#lists.of(list)
    // A field that is left out keeps its value (XEP-0004 §3.5)
    if (jids === undefined) return { added: [], removed: [] }
    const seen = this.#shown.seen(run, list) ?? (run.event ? undefined : current)
    if (!seen) throw new FormError('the list was shown long ago, and may have changed: begin anew', field)
    return differenceOf(seen, jids)
  }

  /** Throws a FormError where that difference makes a list that must not be. */
  check(edit: Edit, difference: Difference): void {
    this.checkList(edit, withDifference(this.#lists.of(edit.list), difference))
  }

  /** Throws a FormError where the list must not be as given. */
  checkList({ list, field, run }: Omit<Edit, 'jids'>, jids: readonly string[]): void {
    this.#mustFit(jids, this.#lists.of(list), field)
    if (!isWhite(list)) this.#mustNotName(differenceOf(this.#lists.of(list), jids).added, field, run)
    this.#mustReach(list, jids, field, run)
  }

  /** What has become too much, by another config, may still become less. */
  #mustFit(jids: readonly string[], before: readonly string[], field: string): void {
    const { maxEntries } = this.#ctx.config
    if (jids.length > Math.max(maxEntries, before.length))
      throw new FormError(`${jids.length} entries are more than ${maxEntries}`, field)
    if (bytesOf(jids) > Math.max(MAX_BYTES, bytesOf(before)))
      throw new FormError(`the entries have more than ${MAX_BYTES} bytes`, field)
  }

  /** No form shuts out all users of the host, or a resource of whoever could take it back. */
  #mustNotName(jids: readonly string[], field: string, run: CommandRun): void {
    const { server, host } = this.#ctx
    const keepers = new Set(this.#keepers(run).map(({ bare }) => bare))
    for (const jid of jids.map(one => JID.parse(one))) {
      if (jid.local === '' && server.host(jid.domain) === host)
        throw new FormError(`${jid.full} is this host itself: its users could not talk to each other`, field)
      if (keepers.has(jid.bare)) throw new FormError(`${jid.bare} administers this host`, field)
    }
  }

  /** Nor does it shut out, by domain or by being left out, those who administer the host or whoever fills it in. */
  #mustReach(list: ListName, jids: readonly string[], field: string, run: CommandRun): void {
    const now = this.#lists.state.judge
    const then = this.#lists.judgeWith(list, jids)
    for (const jid of this.#keepers(run)) {
      const shut = (['in', 'out'] as const).some(way => then.refuses(way, jid) && !now.refuses(way, jid))
      if (!shut) continue
      const who = jid.bare === run.requester?.bare ? 'you' : `${jid.bare}, who administers this host,`
      const remedy = isWhite(list) ? `: put ${jid.bare} or ${jid.domain} on the list` : ''
      throw new FormError(`with this, ${who} would be shut out${remedy}`, field)
    }
  }

  #keepers({ requester }: CommandRun): JID[] {
    const { server, host } = this.#ctx
    const jids = server.administrators(host).map(jid => JID.parse(jid))
    return requester ? [requester, ...jids] : jids
  }
}

function bytesOf(jids: readonly string[]): number {
  return jids.reduce((sum, jid) => sum + Buffer.byteLength(jid), 0)
}
