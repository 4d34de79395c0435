/** Something with deadlines. */
export interface Swept {
  /** Called about twice a second with the time in milliseconds since the epoch. */
  sweep(now: number): void
}

const INTERVAL = 500

const swept = new Set<Swept>()
let timer: NodeJS.Timeout | undefined
let now = 0

/**
 * One timer looks after the deadlines of all connections: a timer of its own for each would cost more memory
 * than everything else that an idle connection needs.
 */
export function watch(connection: Swept): void {
  swept.add(connection)
  if (timer) return
  now = Date.now()
  timer = setInterval(sweep, INTERVAL)
  timer.unref()
}

export function unwatch(connection: Swept): void {
  if (!swept.delete(connection) || swept.size > 0) return
  clearInterval(timer)
  timer = undefined
}

/** The time of the last sweep in milliseconds since the epoch; right while anything is watched. */
export function coarseNow(): number {
  return now
}

/** How many are watched: what is left behind when all streams are closed. */
export function watched(): number {
  return swept.size
}

function sweep(): void {
  now = Date.now()
  for (const connection of swept) connection.sweep(now)
}
