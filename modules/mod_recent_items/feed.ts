import { StanzaError } from '#core'
import { PubsubError, checkPage } from '../lib_pubsub'
import type { ChannelsApi, ItemKind, Place } from '../mod_channels'
import { newestFirst, readCursor, type Cursor, type Position } from './cursor'
import { Merge } from './merge'
import type { Pulse } from './pulse'
import type { RecentRequest } from './request'

/** A page of what is new, newest first. */
export interface RecentPage {
  places: readonly Place[]
  /** Whether the page is the whole. */
  complete: boolean
  /** The newest item of the first page. */
  top: Position | undefined
  /** It was asked for backwards: where it is cut short, its newest items are left out. */
  backwards: boolean
  index?: number
  count?: number
}

export interface FeedLimits {
  /** Items in a page, at most. */
  page: number
  /** Items of one channel, at most, whatever is asked for. */
  perChannel: number
}

/** What somebody follows, and when each node had its newest item of those that are looked for; 0 for never. */
interface FollowedNodes {
  readonly nodes: readonly number[]
  newest(node: number): number
}

/** The kinds that are looked for; without any all. */
function kindsOf({ parentOnly, wish, allNodes }: RecentRequest): readonly ItemKind[] | undefined {
  if (!parentOnly && !wish.hide) return undefined
  const kinds: ItemKind[] = parentOnly ? ['post'] : ['post', 'comment']
  return allNodes ? [...kinds, 'data'] : kinds
}

/** How far a page is looked for from the beginning: to count, or to go backwards. */
const SCAN = 5000

/** What is new in the channels that somebody follows. */
export class Feed {
  constructor(
    private readonly channels: ChannelsApi,
    private readonly pulse: Pulse,
    private readonly host: string,
    private readonly limits: FeedLimits
  ) {}

  async page(jid: string, request: RecentRequest): Promise<RecentPage> {
    const { page } = request
    const size = checkPage(page, this.limits.page)
    if (page?.index !== undefined) throw new StanzaError('feature-not-implemented') // XEP-0059 §2.6
    if (page?.before !== undefined || size === 0) return await this.#fromTheEnd(jid, request, size)
    const followed = await this.#followed(jid, request)
    const cursor = page?.after === undefined ? undefined : await this.#cursor(page.after, followed)
    const merge = this.#merge(followed, request, cursor, cursor?.at)
    const places: Place[] = []
    while (places.length < size) {
      const place = await merge.take()
      if (place === undefined) break
      places.push(place)
    }
    const complete = cursor === undefined && !merge.mayHaveMore
    const top = cursor?.top ?? places[0]
    return {
      places,
      top,
      backwards: false,
      complete,
      ...(cursor === undefined && places.length > 0 && { index: 0 }),
      ...(complete && { count: places.length })
    }
  }

  /** The page before an item, or the last one: found by going there from the beginning. */
  async #fromTheEnd(jid: string, request: RecentRequest, size: number): Promise<RecentPage> {
    const before = request.page?.before
    const followed = await this.#followed(jid, request)
    const cursor = before ? await this.#cursor(before, followed) : undefined
    const merge = this.#merge(followed, request, cursor, undefined)
    const places: Place[] = []
    let top: Position | undefined = cursor?.top
    let passed = 0
    for (;;) {
      const place = await merge.take()
      if (place === undefined || (cursor && newestFirst(place, cursor.at) >= 0)) break
      if (++passed > SCAN) {
        // the number alone may be left out (XEP-0059 §2.2)
        if (size === 0) return { places: [], complete: false, top, backwards: true }
        throw new StanzaError('feature-not-implemented', 'that far back only page by page from the newest on')
      }
      top ??= place
      places.push(place)
      if (places.length > size) places.shift()
    }
    const whole = cursor === undefined
    return {
      places,
      top,
      backwards: true,
      complete: whole && passed === places.length && size > 0,
      ...(places.length > 0 && { index: passed - places.length }),
      ...(whole && { count: passed })
    }
  }

  #merge(
    { nodes, newest }: FollowedNodes,
    request: RecentRequest,
    cursor: Cursor | undefined,
    after: Position | undefined
  ): Merge {
    const { since, max } = request
    return new Merge(this.channels, nodes, newest, {
      since,
      max: Math.min(max, this.limits.perChannel),
      kinds: kindsOf(request),
      top: cursor?.top,
      after
    })
  }

  /** What is followed now, and when each node had its newest item of those that are looked for. */
  async #followed(jid: string, request: RecentRequest): Promise<FollowedNodes> {
    const which = request.parentOnly ? 'root' : request.wish.hide ? 'written' : 'item'
    if (request.allNodes) {
      const news = await this.channels.newsOf(jid, request.since)
      return { nodes: [...news.keys()], newest: node => news.get(node)?.[which] ?? 0 }
    }
    const nodes = (await this.channels.following(jid)).map(one => one.node)
    const newest = await this.pulse.of(nodes)
    return { nodes, newest: node => newest(node)[which] }
  }

  /**
   * From an id of a result set; a global item id will do, with or without its beginning. Of items elsewhere nobody
   * learns here whether they are there.
   */
  async #cursor(id: string, { nodes }: FollowedNodes): Promise<Cursor> {
    const cursor = readCursor(id)
    if (cursor) return cursor
    const place = await this.channels.locate(id.startsWith('/') ? `tag:${this.host},${id}` : id)
    if (place === undefined || !nodes.includes(place.node)) throw new PubsubError('pageNotFound')
    return { top: place, at: place }
  }
}
