import { sourceOf } from '../streams/rates/source'

/** From one address: each may keep the place of a destination for as long as its authority does not answer. */
const MOST = 400

/** Keys that are being verified (XEP-0220 §2.1.2), by the address they came from: nobody takes all places. */
export class Questions {
  readonly #underWay = new Map<string, number>()

  /** Asks, unless as many keys from there are being verified as may; then undefined. */
  ask<T>(address: string, question: () => Promise<T>): Promise<T> | undefined {
    const source = sourceOf(address)
    const count = this.#underWay.get(source) ?? 0
    if (count >= MOST) return undefined
    this.#underWay.set(source, count + 1)
    return question().finally(() => this.#answered(source))
  }

  #answered(source: string): void {
    const left = (this.#underWay.get(source) ?? 1) - 1
    if (left === 0) this.#underWay.delete(source)
    else this.#underWay.set(source, left)
  }
}
