import type { ChannelsApi, ItemKind, Place } from '../mod_channels'
import { newestFirst, type Position } from './cursor'

export interface WindowQuery {
  since: number
  /** Items of the channel in the whole answer, at most. */
  max: number
  /** These alone; without it all. */
  kinds: readonly ItemKind[] | undefined
  /** Nothing newer than this is in the answer. */
  top: Position | undefined
  /** Only what comes after this. */
  after: Position | undefined
}

/** Places that are read at first, and at a time later: most channels give an item or two to a page. */
const FIRST_CHUNK = 2
const CHUNK = 32

/** The newest items of one channel, newest first, read as far as somebody looks. */
export class Window {
  readonly #channels: Pick<ChannelsApi, 'publications'>
  readonly #node: number
  readonly #query: WindowQuery
  #rows: readonly Place[] = []
  #next = 0
  #chunk = FIRST_CHUNK
  /** What of `max` has been seen. */
  #seen = 0
  #ended = false

  constructor(channels: Pick<ChannelsApi, 'publications'>, node: number, query: WindowQuery) {
    this.#channels = channels
    this.#node = node
    this.#query = query
  }

  /** The next item, or nothing when there is no other. */
  async take(): Promise<Place | undefined> {
    const { since, max, top, after } = this.#query
    while (this.#seen < max) {
      const place = this.#rows[this.#next++] ?? (await this.#more())
      if (place === undefined || place.updated < since) break
      if (top && newestFirst(place, top) < 0) continue
      this.#seen++
      if (after && newestFirst(place, after) <= 0) continue
      return place
    }
    this.#ended = true
    return undefined
  }

  async #more(): Promise<Place | undefined> {
    if (this.#ended) return undefined
    const last = this.#rows[this.#rows.length - 1]
    const limit = Math.min(this.#query.max, this.#chunk)
    this.#chunk = Math.min(this.#chunk * 4, CHUNK)
    const { kinds } = this.#query
    this.#rows = await this.#channels.publications(this.#node, {
      limit,
      ...(kinds && { kinds }),
      ...(last && { upTo: last.seq - 1 })
    })
    this.#ended = this.#rows.length < limit
    this.#next = 1
    return this.#rows[0]
  }
}
