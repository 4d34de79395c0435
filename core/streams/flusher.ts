/** Something that has output waiting. */
export interface Flushable {
  flush(): void
}

let waiting: Flushable[] = []
let spare: Flushable[] = []

/**
 * Calls `flush` once everything that has arrived is handled: all that is sent to a connection meanwhile leaves
 * in one write (design §2).
 */
export function flushSoon(connection: Flushable): void {
  if (waiting.push(connection) === 1) setImmediate(flushAll)
}

function flushAll(): void {
  const batch = waiting
  waiting = spare
  for (const connection of batch) connection.flush()
  batch.length = 0
  spare = batch
}
