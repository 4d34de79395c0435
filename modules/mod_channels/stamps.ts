import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Bytes of the HMAC that an id carries. */
const MAC = 12
const ID = /^n([0-9a-z]{1,11}\.([0-9a-z]{1,7}))-([\w-]{16})\.(0|[1-9a-z][0-9a-z]{0,6})$/

/**
 * Ids of notifications that nobody can make up: a number that grows, how many messages there are, and an HMAC of both.
 * So an error can be told from one that answers nothing, without remembering what was sent. A delivery to many has
 * one, to which each message adds its place: the HMAC is paid once for a fan-out. The key lives as long as the module
 * does: what comes back after that counts for nothing.
 */
export class Stamps {
  readonly #key = randomBytes(32)
  #last = 0

  /** The start of the ids of a delivery of so many messages; `.PLACE` is added for each. */
  next(messages: number): string {
    // microseconds, so that the numbers grow over restarts as well
    this.#last = Math.max(this.#last + 1, Date.now() * 1000)
    const signed = `${this.#last.toString(36)}.${messages.toString(36)}`
    return `n${signed}-${this.#macOf(signed).toString('base64url')}`
  }

  /** The number of the delivery that a message belongs to; `undefined` where the id is none of ours. */
  read(id: string): number | undefined {
    const found = ID.exec(id)
    if (found === null) return undefined
    const [, signed = '', messages = '', mac = '', place = ''] = found
    if (Number.parseInt(place, 36) >= Number.parseInt(messages, 36)) return undefined
    if (!timingSafeEqual(Buffer.from(mac, 'base64url'), this.#macOf(signed))) return undefined
    return Number.parseInt(signed, 36) // up to the dot
  }

  #macOf(signed: string): Buffer {
    return createHmac('sha256', this.#key).update(signed).digest().subarray(0, MAC)
  }
}
