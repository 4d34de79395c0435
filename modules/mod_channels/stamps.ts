import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Bytes of the HMAC that an id carries. */
const MAC = 12
const ID = /^n([0-9a-z]{1,11})-([\w-]{16})$/

/**
 * Ids of notifications that nobody can make up: a number that grows, and its HMAC. So an error can be told from one
 * that answers nothing, without remembering what was sent. All messages of a delivery have the same: the HMAC is paid
 * once for a fan-out, and nobody learns from theirs how many are told, requests and bans among them (protoXEP §5.1).
 * The key lives as long as the module does: what comes back after that counts for nothing.
 */
export class Stamps {
  readonly #key = randomBytes(32)
  #last = 0

  /** The id of all messages of a delivery. */
  next(): string {
    // microseconds, so that the numbers grow over restarts as well
    this.#last = Math.max(this.#last + 1, Date.now() * 1000)
    const stamp = this.#last.toString(36)
    return `n${stamp}-${this.#macOf(stamp).toString('base64url')}`
  }

  /** The number of the delivery that a message belongs to; `undefined` where the id is none of ours. */
  read(id: string): number | undefined {
    const found = ID.exec(id)
    if (found === null) return undefined
    const [, stamp = '', mac = ''] = found
    if (!timingSafeEqual(Buffer.from(mac, 'base64url'), this.#macOf(stamp))) return undefined
    return Number.parseInt(stamp, 36)
  }

  #macOf(stamp: string): Buffer {
    return createHmac('sha256', this.#key).update(stamp).digest().subarray(0, MAC)
  }
}
