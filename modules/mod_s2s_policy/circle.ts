import type { Context, Host, Watcher } from '#core'
import type { ServerBuddy } from '../mod_server_buddy/published'

/** The server roster of a host in memory, kept by the items of mod_server_buddy: without it nobody is in there. */
export class Circle {
  readonly #peers = new Map<string, ServerBuddy>()
  /** The other host whose roster it is, while that is there. */
  #host: Host | undefined
  #ends = (): void => undefined

  /**
   * From now on it is up to date.
   * @param of the host of this server whose buddies count; the own one unless given
   * @param changed somebody has come, gone or changed
   */
  watch(ctx: Context, of: string | undefined, changed: () => void): void {
    const watcher = this.#watcher(changed)
    if (of === undefined || of === ctx.host.name) return void ctx.watch('server-buddy', watcher)
    ctx.defer(() => this.#ends())
    // A host that a reload of the config has taken away and brought back is another one
    ctx.on('config/reloaded', () => this.#follow(ctx, of, watcher))
    this.#follow(ctx, of, watcher)
  }

  #watcher(changed: () => void): Required<Watcher<ServerBuddy>> {
    return {
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
    }
  }

  #follow(ctx: Context, of: string, watcher: Required<Watcher<ServerBuddy>>): void {
    const host = ctx.server.host(of)
    if (!host) ctx.log.warn({ host: of }, 'buddiesOf: this server has no such host, so nobody is a buddy')
    if (host && host === this.#host) return
    this.#ends()
    for (const buddy of [...this.#peers.values()]) watcher.removed(buddy, ctx.module)
    this.#host = host
    this.#ends = host?.items.watch('server-buddy', watcher) ?? (() => undefined)
  }

  get(domain: string): ServerBuddy | undefined {
    return this.#peers.get(domain)
  }
}
