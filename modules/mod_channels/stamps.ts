import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Bytes of the HMAC that an id carries. */
const MAC = 12
const ID = /^n([0-9a-z]{1,11})-([\w-]{16})(?:\.[0-9a-z]{1,7})?$/

/**
 * Ids of notifications that nobody can make up: a number that grows, and an HMAC of it. So an error can be told from
 * one that answers nothing, without remembering what was sent. A delivery to many has one; each message adds its
 * number in it. The key lives as long as the module does: what comes back after that counts for nothing.
 */
export class Stamps {
  readonly #key = randomBytes(32)
  #last = 0

  /** The start of an id, for one delivery. */
  next(): string {
    // microseconds, so that the numbers grow over restarts as well
    this.#last = Math.max(this.#last + 1, Date.now() * 1000)
    return `n${this.#last.toString(36)}-${this.#macOf(this.#last).toString('base64url')}`
  }

  /** The number of the delivery that a message belongs to; `undefined` where the id is none of ours. */
  read(id: string): number | undefined {
    const found = ID.exec(id)
    if (found === null) return undefined
    const stamp = Number.parseInt(found[1] ?? '', 36)
    const mac = Buffer.from(found[2] ?? '', 'base64url')
    if (!Number.isSafeInteger(stamp) || mac.length !== MAC) return undefined
    return timingSafeEqual(mac, this.#macOf(stamp)) ? stamp : undefined
  }

  #macOf(stamp: number): Buffer {
    return createHmac('sha256', this.#key).update(String(stamp)).digest().subarray(0, MAC)
  }
}
