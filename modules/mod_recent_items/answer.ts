import { el, type Element } from '#core'
import { pageElement, payloadElement, PUBSUB } from '../lib_pubsub/xml'
import type { Place, WireItem } from '../mod_channels'
import { writeCursor } from './cursor'
import type { RecentPage } from './feed'

/** Bytes of payload in an answer: it ends earlier, but never without an item (draft 2014-01 §7.4). */
const PAGE_BYTES = 60_000
/** Bytes of an item beside its payload. */
const ITEM_BYTES = 200

/** What is told beside the items. */
export interface Wanted {
  /** A page was asked for. */
  asked: boolean
  /** By the items' integers: what stands beside their payloads. */
  extras: ReadonlyMap<number, Element> | undefined
}

/** The answer: consecutive items of one node are in one `<items/>` (protoXEP example 8). */
export function answerOf(
  page: RecentPage,
  items: ReadonlyMap<number, WireItem>,
  { asked, extras }: Wanted
): Element {
  // one may have been deleted in this moment
  const there = page.places.filter(place => items.has(place.key))
  const kept = fitting(there, items, page.backwards)
  const complete = page.complete && kept.length === there.length
  const groups: { node: string; items: Element[] }[] = []
  for (const { key } of kept) {
    const { id, node, payload } = items.get(key) as WireItem // it is there: asked above
    let group = groups[groups.length - 1]
    if (group?.node !== node) groups.push((group = { node, items: [] }))
    group.items.push(el('item', { id }, payloadElement(payload), extras?.get(key)))
  }
  return el(
    'pubsub',
    PUBSUB,
    groups.map(group => el('items', { node: group.node }, group.items)),
    (asked || !complete) && setOf(page, kept, there.length)
  )
}

function setOf({ top, index, count, backwards }: RecentPage, kept: readonly Place[], all: number): Element {
  const [first] = kept
  const last = kept[kept.length - 1]
  if (first === undefined || last === undefined || top === undefined) {
    return pageElement(count === undefined ? {} : { count })
  }
  const left = backwards ? all - kept.length : 0
  return pageElement({
    first: writeCursor({ top, at: first }),
    last: writeCursor({ top, at: last }),
    ...(index !== undefined && { index: index + left }),
    ...(count !== undefined && { count })
  })
}

/** As many as fit into a stanza, from the end that was asked for. */
function fitting(
  places: readonly Place[],
  items: ReadonlyMap<number, WireItem>,
  backwards: boolean
): readonly Place[] {
  let left = PAGE_BYTES
  const ordered = backwards ? [...places].reverse() : places
  const end = ordered.findIndex((place, taken) => {
    left -= ITEM_BYTES + Buffer.byteLength(items.get(place.key)?.payload ?? '')
    return left < 0 && taken > 0
  })
  const kept = end < 0 ? ordered : ordered.slice(0, end)
  return backwards ? [...kept].reverse() : kept
}
