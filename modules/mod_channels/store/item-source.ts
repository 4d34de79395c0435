import { isAtom } from '../../lib_channels'
import { merged } from '../../lib_keyset'
import type { Range } from '../../lib_pubsub'
import type { ChannelNode, ItemKind } from '../model'
import type { ItemRow } from './item-table'
import type { ChannelReader } from './read-store'
import type { TombstoneRow } from './tombstone-table'

/** A row of either table, with its place. */
export type Found =
  | { place: number; item: ItemRow; tombstone?: never }
  | { place: number; tombstone: TombstoneRow; item?: never }

/** What a list of items is read from: items and the tombstones between them, in one order. */
export interface ItemSource {
  /** Number of all there is, where that is known. */
  readonly count: number | undefined
  /** By place, ascending, as the range says. */
  rows(range: Range): Promise<Found[]>
  /** Where in this list an item stands that somebody names, be it there or deleted. */
  placeOf(id: string): Promise<number | undefined>
  /** How many have a later place, counted no further than the limit; `undefined` where that costs too much. */
  countNewer(place: number, limit: number): Promise<number | undefined>
}

/** What a list has in it, beside its order. */
export interface ItemFilter {
  /** Only what starts a thread. */
  parentOnly: boolean
  /** Ratings are left out. */
  noRatings: boolean
}

/** Of an Atom node, all but the ratings. */
const WRITTEN: readonly ItemKind[] = ['post', 'comment']

/**
 * A node's items: in order of publication, where an edit counts as one; what starts threads in order of their
 * newest activity, so a reply brings its thread to the top.
 */
export class NodeItems implements ItemSource {
  readonly #kinds: readonly ItemKind[] | undefined

  constructor(
    private readonly store: ChannelReader,
    private readonly node: ChannelNode,
    private readonly filter: ItemFilter
  ) {
    // what starts a thread is no rating
    if (filter.noRatings && !filter.parentOnly && isAtom(node.type)) this.#kinds = WRITTEN
  }

  get count(): number | undefined {
    const { node, filter } = this
    return filter.parentOnly || this.#kinds ? undefined : node.itemCount + node.tombstones
  }

  async rows(range: Range): Promise<Found[]> {
    const { tables, source } = this.store
    const { key } = this.node
    const { parentOnly } = this.filter
    const lists = [tables.items, ...(this.node.tombstones > 0 ? [tables.tombstones] : [])]
    const rows = await Promise.all(
      lists.flatMap<Promise<(ItemRow | TombstoneRow)[]>>(list => {
        if (this.#kinds) return this.#kinds.map(kind => list.byKind(source, key, kind, range))
        return [parentOnly ? list.byThread(source, key, range) : list.bySeq(source, key, range)]
      })
    )
    return merged(
      rows.map(list => list.map(row => found(row, parentOnly))),
      range,
      row => row.place
    )
  }

  async placeOf(id: string): Promise<number | undefined> {
    const row = await rowOf(this.store, this.node, id)
    if (row === undefined || (this.#kinds && !this.#kinds.includes(row.kind))) return undefined
    return this.filter.parentOnly ? (row.thread ?? undefined) : row.seq
  }

  async countNewer(place: number, limit: number): Promise<number | undefined> {
    if (this.filter.parentOnly || this.#kinds) return undefined
    const { tables, source } = this.store
    const { key, tombstones } = this.node
    const items = await tables.items.countRange(source, key, { after: place, limit })
    if (tombstones === 0) return items
    return items + (await tables.tombstones.countAfter(source, key, place, limit))
  }
}

/** What starts a thread, or started one. */
export type Root = ItemRow | TombstoneRow

/** A thread in order of publication: the answers to a post, with that post or without it. */
export class ThreadItems implements ItemSource {
  readonly count = undefined

  constructor(
    private readonly store: ChannelReader,
    private readonly node: ChannelNode,
    private readonly root: Root,
    private readonly filter: { withRoot: boolean; noRatings: boolean }
  ) {}

  async rows(range: Range): Promise<Found[]> {
    const { store, node, root, filter } = this
    const { tables, source } = store
    const answers: Promise<(ItemRow | TombstoneRow)[]>[] = []
    if (isItem(root)) {
      const kind = filter.noRatings ? 'comment' : undefined
      answers.push(
        tables.items.answers(source, { node: node.key, parent: root.id, ...(kind && { kind }) }, range)
      )
    }
    if (node.tombstones > 0) {
      const kinds = filter.noRatings ? (['comment'] as const) : (['comment', 'rating'] as const)
      for (const kind of kinds) {
        answers.push(
          tables.tombstones.answers(source, { node: node.key, parentItem: root.item_id, kind }, range)
        )
      }
    }
    const rows = await Promise.all(answers)
    if (filter.withRoot && contains(range, root.seq)) rows.push([root])
    return merged(
      rows.map(list => list.map(row => found(row, false))),
      range,
      row => row.place
    )
  }

  async placeOf(id: string): Promise<number | undefined> {
    const row = await rowOf(this.store, this.node, id)
    if (row === undefined || (this.filter.noRatings && row.kind === 'rating')) return undefined
    return this.#isHere(row) ? row.seq : undefined
  }

  countNewer(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  #isHere(row: ItemRow | TombstoneRow): boolean {
    const { root, filter } = this
    if (row.item_id === root.item_id) return filter.withRoot
    return isItem(row) ? isItem(root) && row.parent_id === root.id : row.parent_item === root.item_id
  }
}

/** The item of a node that somebody names, or what is remembered of it. */
export async function rowOf(
  store: ChannelReader,
  node: ChannelNode,
  id: string
): Promise<ItemRow | TombstoneRow | undefined> {
  const local = store.local(node, id)
  if (local === undefined) return undefined
  const { tables, source } = store
  const item = await tables.items.byId(source, node.key, local)
  if (item || node.tombstones === 0) return item
  return await tables.tombstones.byId(source, node.key, local)
}

/** What started the thread that a row is in: itself, or the post that it answers. */
export async function rootOf(
  store: ChannelReader,
  node: ChannelNode,
  row: ItemRow | TombstoneRow
): Promise<Root | undefined> {
  if (!isItem(row)) {
    return row.parent_item === null ? row : await rowOf(store, node, store.wireId(node, row.parent_item))
  }
  if (row.parent_id === null) return row
  return await store.tables.items.wholeByKey(store.source, row.parent_id)
}

export function isItem(row: ItemRow | TombstoneRow): row is ItemRow {
  return 'payload' in row
}

function found(row: ItemRow | TombstoneRow, byThread: boolean): Found {
  const place = byThread ? (row.thread ?? row.seq) : row.seq
  return isItem(row) ? { place, item: row } : { place, tombstone: row }
}

function contains({ after = -1, before = Infinity }: Range, place: number): boolean {
  return place > after && place < before
}
