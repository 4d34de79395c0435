import type { Context, Reader } from '#core'
import { nodeName, nodeType } from '../lib_channels'
import type { ChannelsConfig } from './config'
import { RetentionPolicy, type Rule } from './retention-policy'
import type { Channels } from './service'
import { RetentionTable, type NodePlace, type ThreadRow } from './store/retention-table'

const DAY = 86_400_000
/** Nodes, and threads of one node, that are looked at together. */
const PAGE = 200
/** Items that go in one write; a longer thread goes alone, whole. */
const SLICE = 500
/** Channels that a preview names. */
const NAMED = 20
/** Milliseconds that a preview may look around. */
const LOOKING = 8000

/** What is to be gone through: one channel, or all of the host. */
export type Where = string | undefined

/** What would go. */
export interface Preview {
  readonly items: number
  readonly channels: number
  readonly bytes: number
  /** Milliseconds UTC at which the oldest of it was published; `undefined` where nothing goes. */
  readonly oldest: number | undefined
  /** Those that lose most, by name. */
  readonly most: readonly (readonly [string, number])[]
  /** There was not the time to look at all of it. */
  readonly more: boolean
}

/** What has gone so far. */
export interface Progress {
  items: number
  readonly channels: Set<number>
}

/**
 * Lets go what is too old, or too much: threads whole, with their ratings, from the one that was quiet for longest,
 * as publishing beyond `itemsPerNode` does. Nodes that hold one item keep it. Nobody is told and no tombstone stays:
 * nobody has deleted anything, and what is old would come back to every follower as news.
 */
export class Retention {
  readonly policy: RetentionPolicy
  readonly #ctx: Context<ChannelsConfig>
  readonly #channels: Channels
  readonly #table: RetentionTable
  /** One after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(ctx: Context<ChannelsConfig>, channels: Channels) {
    this.#ctx = ctx
    this.#channels = channels
    this.#table = new RetentionTable(ctx.db, ctx.host.name)
    this.policy = new RetentionPolicy(ctx)
  }

  /** What would go now by a rule. Changes nothing, and reads off the main thread. */
  async preview(rule: Rule, where: Where): Promise<Preview> {
    const reader = this.#ctx.db.wide
    const until = Date.now() + LOOKING
    const lost = new Map<string, number>()
    const seen = { items: 0, bytes: 0, oldest: Infinity, more: false }
    for await (const node of this.#nodes(reader, rule, where)) {
      const before = await this.#boundary(reader, node, rule)
      let left = node.item_count
      for (let after = -1, on = true; on;) {
        const rows = await this.#table.threads(reader, node.id, after, PAGE)
        const going = goingOf(rows, { before, keep: keepOf(rule), left })
        for (const row of going) {
          left -= 1 + row.answers
          seen.bytes += Number(row.bytes) + Number(row.answer_bytes ?? 0)
          seen.oldest = Math.min(seen.oldest, row.created)
          after = row.thread
        }
        on = going.length === PAGE && Date.now() < until
      }
      if (left < node.item_count) lost.set(node.jid, (lost.get(node.jid) ?? 0) + node.item_count - left)
      seen.items += node.item_count - left
      if (Date.now() < until && !this.#ctx.signal.aborted) continue
      seen.more = true
      break
    }
    return {
      ...seen,
      channels: lost.size,
      oldest: seen.items > 0 ? seen.oldest : undefined,
      most: [...lost].sort(([, a], [, b]) => b - a).slice(0, NAMED)
    }
  }

  /** Lets go what is to go by a rule, in slices; resolves when all of it has, or the module is unloaded. */
  run(rule: Rule, where: Where, progress: Progress = { items: 0, channels: new Set() }): Promise<Progress> {
    const done = this.#last.then(async () => {
      for await (const node of this.#nodes(this.#ctx.db.read, rule, where)) {
        const before = await this.#boundary(this.#ctx.db.read, node, rule)
        for (let gone = 1; gone > 0 && !this.#ctx.signal.aborted;) {
          gone = await this.#slice(node, before, keepOf(rule))
          progress.items += gone
          if (gone > 0) progress.channels.add(node.channel_id)
          // whoever waits for something else comes first
          await new Promise(resolve => setImmediate(resolve))
        }
      }
      return progress
    })
    this.#last = done.catch(() => undefined)
    return done
  }

  /** By the policy in force. */
  async sweep(): Promise<void> {
    const rule = this.policy.inForce
    if (keepsAll(rule)) return
    const { items, channels } = await this.run(rule, undefined)
    if (items > 0)
      this.#ctx.log.info({ items, channels: channels.size, rule }, 'retention: old items have gone')
  }

  /** Nodes in which something may go. */
  async *#nodes(reader: Reader, rule: Rule, where: Where): AsyncGenerator<NodePlace> {
    if (keepsAll(rule)) return
    const cutoff = cutoffOf(rule)
    const keep = keepOf(rule)
    const mayGo = ({ type, item_count, oldest }: NodePlace): boolean =>
      !nodeType(type).single && (item_count > keep || (oldest !== null && oldest < cutoff))
    if (where !== undefined) {
      for (const node of await this.#table.ofChannel(reader, where)) if (mayGo(node)) yield node
      return
    }
    for (let after = -1; !this.#ctx.signal.aborted;) {
      const page = await this.#table.nodes(reader, after, PAGE)
      for (const node of page) if (mayGo(node)) yield node
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return
      after = last.id
    }
  }

  /** Threads whose news has an earlier place are too old. */
  async #boundary(reader: Reader, node: NodePlace, rule: Rule): Promise<number> {
    return rule.days === 0 ? -1 : await this.#table.placeOf(reader, node.id, cutoffOf(rule))
  }

  async #slice({ jid, type }: NodePlace, before: number, keep: number): Promise<number> {
    return await this.#ctx.db.write(async tx => {
      const store = this.#channels.store(tx, '')
      const node = await store.lockNode(nodeName(jid, type))
      if (node === undefined) return 0
      const rows = await this.#table.threadsOnly(tx, node.key, PAGE)
      const going = goingOf(rows, { before, keep, left: node.itemCount })
      let items = 0
      const some = going.filter((row, at) => (items += 1 + row.answers) <= SLICE || at === 0)
      if (some.length === 0) return 0
      await store.removeOldest(node, some.length)
      return some.reduce((sum, row) => sum + 1 + row.answers, 0)
    })
  }
}

/** Of threads from the quietest on, those that go: the first that stays ends it. */
function goingOf<T extends Pick<ThreadRow, 'thread' | 'answers'>>(
  rows: readonly T[],
  { before, keep, left }: { before: number; keep: number; left: number }
): T[] {
  let rest = left
  const stays = rows.findIndex(({ thread, answers }) => {
    if (thread >= before && rest <= keep) return true
    rest -= 1 + answers
    return false
  })
  return stays < 0 ? [...rows] : rows.slice(0, stays)
}

function keepsAll({ days, items }: Rule): boolean {
  return days === 0 && items === 0
}

function keepOf({ items }: Rule): number {
  return items === 0 ? Infinity : items
}

function cutoffOf({ days }: Rule): number {
  return days === 0 ? -Infinity : Date.now() - days * DAY
}
