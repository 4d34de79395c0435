import type { ChannelsApi, Place } from '../mod_channels'
import { newestFirst } from './cursor'
import { Window, type WindowQuery } from './window'

interface Open {
  head: Place
  window: Window
}

/**
 * The newest items of many channels, newest first. A channel is looked into when its newest publication could be
 * the next item, so a page opens as many channels as it has items, and none that has no news.
 */
export class Merge {
  readonly #channels: Pick<ChannelsApi, 'publications'>
  readonly #query: WindowQuery
  /** Not looked into yet, the most recent last. */
  readonly #closed: { node: number; time: number }[]
  /** By their next item, the newest last. */
  readonly #open: Open[] = []
  /** How many channels were looked into. */
  opened = 0

  constructor(
    channels: Pick<ChannelsApi, 'publications'>,
    nodes: readonly number[],
    /** When a node had its newest publication of those that are looked for; 0 for never. */
    newest: (node: number) => number,
    query: WindowQuery
  ) {
    this.#channels = channels
    this.#query = query
    this.#closed = nodes
      .map(node => ({ node, time: newest(node) }))
      .filter(({ time }) => time > 0 && time >= query.since)
      .sort((a, b) => a.time - b.time || a.node - b.node)
  }

  /** Whether there may be another item. */
  get mayHaveMore(): boolean {
    return this.#open.length > 0 || this.#closed.length > 0
  }

  async take(): Promise<Place | undefined> {
    await this.#openDue()
    const next = this.#open.pop()
    if (next === undefined) return undefined
    const head = await next.window.take()
    if (head) this.#insert({ head, window: next.window })
    return next.head
  }

  /** Looks into channels until no closed one can have a newer item than the newest in hand. */
  async #openDue(): Promise<void> {
    const limit = this.#query.after?.updated ?? Infinity
    for (;;) {
      const best = this.#open[this.#open.length - 1]
      const closed = this.#closed[this.#closed.length - 1]
      if (closed === undefined || (best && Math.min(closed.time, limit) < best.head.updated)) return
      this.#closed.pop()
      this.opened++
      const window = new Window(this.#channels, closed.node, this.#query)
      const head = await window.take()
      if (head) this.#insert({ head, window })
    }
  }

  #insert(open: Open): void {
    let low = 0
    let high = this.#open.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#open[middle] as Open
      if (newestFirst(other.head, open.head) > 0) low = middle + 1
      else high = middle
    }
    this.#open.splice(low, 0, open)
  }
}
