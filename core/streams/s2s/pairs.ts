const NONE: ReadonlySet<string> = new Set()

/** The pairs of domains that were verified on one stream, for one direction of it. */
export class Pairs {
  readonly #pairs = new Map<string, Set<string>>()
  #size = 0
  /** The pair that was asked for last: mostly there is no other. */
  #lastRemote: string | undefined
  #lastLocal: string | undefined

  get size(): number {
    return this.#size
  }

  has(remote: string, local: string): boolean {
    if (remote === this.#lastRemote && local === this.#lastLocal) return true
    if (!(this.#pairs.get(remote) ?? NONE).has(local)) return false
    this.#lastRemote = remote
    this.#lastLocal = local
    return true
  }

  hasRemote(remote: string): boolean {
    return this.#pairs.has(remote)
  }

  add(remote: string, local: string): void {
    const locals = this.#pairs.get(remote)
    if (locals?.has(local)) return
    if (locals) locals.add(local)
    else this.#pairs.set(remote, new Set([local]))
    this.#size++
  }

  delete(remote: string, local: string): boolean {
    const locals = this.#pairs.get(remote)
    if (!locals?.delete(local)) return false
    if (locals.size === 0) this.#pairs.delete(remote)
    this.#size--
    this.#lastRemote = this.#lastLocal = undefined
    return true
  }

  *[Symbol.iterator](): IterableIterator<{ remote: string; local: string }> {
    for (const [remote, locals] of this.#pairs) for (const local of locals) yield { remote, local }
  }
}
