import { nameHash } from '#core'

const YOUNG = 2048
/** Longer names are not kept. */
const LONGEST = 256

/**
 * Hashes of names that come again and again (nodes, people). Two generations: when the young one is full it
 * becomes the old one, and what is asked for again moves back.
 */
export class Hashes {
  #young = new Map<string, Buffer>()
  #old = new Map<string, Buffer>()

  of(name: string): Buffer {
    const young = this.#young.get(name)
    if (young) return young
    const old = this.#old.get(name)
    const hash = old ?? nameHash(name)
    // a part of a stanza would keep all of its bytes in memory
    if (name.length <= LONGEST) this.#keep(old ? name : Buffer.from(name).toString(), hash)
    return hash
  }

  #keep(name: string, hash: Buffer): void {
    if (this.#young.size >= YOUNG) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, hash)
  }
}
