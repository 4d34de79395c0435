import type { Scope } from './scope'

/** Scopes that a swap has retired and whose last handlers are finishing on the old code. */
export class Lingering {
  readonly #scopes = new Map<Scope, Promise<void>>()
  readonly #limit: number

  /** `limit`: milliseconds after which a scope is closed whatever is under way in it. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Closes the scope when its last handler is done. */
  add(scope: Scope): void {
    this.#scopes.set(scope, this.#close(scope))
  }

  async #close(scope: Scope): Promise<void> {
    if (!(await scope.work.empty(this.#limit))) {
      scope.log.warn(
        `${scope.work.running} handlers of the version before have not ended after ${this.#limit / 1000} s`
      )
    }
    await scope.close({ why: 'swap' })
    this.#scopes.delete(scope)
  }

  /** Does not wait for the network any longer. */
  async closeAll(wait: number): Promise<void> {
    await Promise.all([...this.#scopes.keys()].map(scope => scope.close({ why: 'stop' }, { wait })))
  }

  get size(): number {
    return this.#scopes.size
  }
}
