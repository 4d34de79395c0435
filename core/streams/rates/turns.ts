/** Who has much to do, a little at a time. */
export interface Taker {
  turn(): void
}

/** Of those who wait, this many have their turn before everybody else is looked at again. */
const AT_ONCE = 2

/** Milliseconds after which no further turn begins. */
const LONG_ENOUGH = 0.5

const waiting: Taker[] = []
let scheduled = false

/**
 * Puts a connection that brings much at the end of the line. All in the line have together no more than about a
 * millisecond before the sockets of all others are read: whoever sends little does not wait for those who flood.
 */
export function awaitTurn(taker: Taker): void {
  waiting.push(taker)
  if (scheduled) return
  scheduled = true
  setImmediate(turns)
}

function turns(): void {
  const started = performance.now()
  // Whoever goes on with its turn at once is at the end of the line again.
  for (let left = Math.min(AT_ONCE, waiting.length); left > 0; left--) {
    waiting.shift()?.turn()
    if (performance.now() - started > LONG_ENOUGH) break
  }
  scheduled = waiting.length > 0
  if (scheduled) setImmediate(turns)
}
