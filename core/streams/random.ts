import { randomFillSync } from 'node:crypto'

// One call for many: most of what it costs is the call.
const POOL = Buffer.allocUnsafeSlow(4096)
let used = POOL.length

/** So many random bytes in base64url, from the system's generator; for names that must not be guessed. */
export function randomName(bytes: number): string {
  if (used + bytes > POOL.length) {
    randomFillSync(POOL)
    used = 0
  }
  const name = POOL.toString('base64url', used, used + bytes)
  // What was given out is not kept.
  POOL.fill(0, used, used + bytes)
  used += bytes
  return name
}
