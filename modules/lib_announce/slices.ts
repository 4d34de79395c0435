import { setImmediate } from 'node:timers/promises'

/** Recipients between which nobody else has a turn. */
const SLICE = 100

/** Hands out a long list in slices, and lets the server do other things between them; ends early with the signal. */
export async function inSlices<T>(
  all: readonly T[],
  signal: AbortSignal,
  fn: (some: readonly T[]) => void | Promise<void>
): Promise<void> {
  for (let i = 0; i < all.length && !signal.aborted; i += SLICE) {
    if (i > 0) await setImmediate()
    await fn(all.slice(i, i + SLICE))
  }
}
