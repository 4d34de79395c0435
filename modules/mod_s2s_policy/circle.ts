import type { Context } from '#core'
import type { ServerBuddy } from '../mod_server_buddy/published'

/** The server roster of the host in memory, kept by the items of mod_server_buddy: without it nobody is in there. */
export class Circle {
  readonly #peers = new Map<string, ServerBuddy>()

  /** From now on it is up to date. */
  watch(ctx: Context, changed: () => void): void {
    ctx.watch('server-buddy', {
      added: buddy => {
        this.#peers.set(buddy.domain, buddy)
        changed()
      },
      removed: buddy => {
        // Another one may have taken its place already
        if (this.#peers.get(buddy.domain) !== buddy) return
        this.#peers.delete(buddy.domain)
        changed()
      }
    })
  }

  get(domain: string): ServerBuddy | undefined {
    return this.#peers.get(domain)
  }
}
