import type { Place } from '../mod_channels'

/** Where an item stands among all channels: by time, then node, then order in the node. */
export type Position = Pick<Place, 'updated' | 'node' | 'seq'>

/** Negative where `a` is newer than `b`. */
export function newestFirst(a: Position, b: Position): number {
  return b.updated - a.updated || b.node - a.node || b.seq - a.seq
}

/**
 * The place of an item in an answer that goes over several pages: the newest item of the first page, and the item.
 * What is published or edited later is before all of it, and so changes no page that follows.
 */
export interface Cursor {
  readonly top: Position
  readonly at: Position
}

/** As RSM sees it: opaque. */
export function writeCursor({ top, at }: Cursor): string {
  return [top, at]
    .map(({ updated, node, seq }) => [updated, node, seq].map(n => n.toString(36)).join('.'))
    .join('-')
}

export function readCursor(text: string): Cursor | undefined {
  const found =
    /^([0-9a-z]{1,10})\.([0-9a-z]{1,10})\.([0-9a-z]{1,10})-([0-9a-z]{1,10})\.([0-9a-z]{1,10})\.([0-9a-z]{1,10})$/.exec(
      text
    )
  if (found === null) return undefined
  const numbers = found.slice(1).map(part => parseInt(part, 36))
  if (!numbers.every(Number.isSafeInteger)) return undefined
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = numbers
  return { top: { updated: a, node: b, seq: c }, at: { updated: d, node: e, seq: f } }
}
