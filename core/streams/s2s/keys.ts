import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Dialback keys by XEP-0185: whoever knows the secret can make and check them, without having to remember any. */
export class DialbackKeys {
  readonly #key: string

  constructor(secret: Buffer | string) {
    // XEP-0185 §2: the hexadecimal representation is the key of the HMAC
    this.#key = createHash('sha256').update(secret).digest('hex')
  }

  /** @param id of the stream, as the receiving server gave it */
  make(receiving: string, originating: string, id: string): string {
    return createHmac('sha256', this.#key).update(`${receiving} ${originating} ${id}`).digest('hex')
  }

  /** Whether that is the key for these, in a time that does not tell how much of it is. */
  matches(key: string, receiving: string, originating: string, id: string): boolean {
    const right = Buffer.from(this.make(receiving, originating, id))
    const given = Buffer.from(key)
    return given.length === right.length && timingSafeEqual(given, right)
  }
}
