import type { Context } from '#core'
import type { Published } from './published'

/** What became of a request of a peer. */
export type Received = 'asked' | 'approved' | 'refused' | 'dropped'

/** What is counted, for `balcony_server_buddy_…`. */
export class Counts {
  readonly #host: string
  readonly #requests
  readonly #pending
  readonly #buddies

  constructor(ctx: Context) {
    this.#host = ctx.host.name
    this.#requests = ctx.metrics.counter(
      'server_buddy_requests_total',
      'Requests of other servers to be a buddy: asked about, approved, refused, dropped',
      ['host', 'result']
    )
    this.#pending = ctx.metrics.gauge(
      'server_buddy_pending',
      'Requests of other servers that wait for an administrator',
      ['host']
    )
    this.#buddies = ctx.metrics.gauge('server_buddies', 'Server buddies, in both directions', ['host'])
    ctx.defer(() => this.#set(0, 0))
  }

  received(result: Received): void {
    this.#requests.with(this.#host, result).inc()
  }

  roster(published: Published): void {
    let pending = 0
    let buddies = 0
    for (const { asks, to, from } of published.all()) {
      if (asks) pending++
      if (to && from) buddies++
    }
    this.#set(pending, buddies)
  }

  #set(pending: number, buddies: number): void {
    this.#pending.with(this.#host).set(pending)
    this.#buddies.with(this.#host).set(buddies)
  }
}
