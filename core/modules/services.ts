import type { Bus } from '../events/bus'
import type { Gate } from '../events/gate'
import type { ServerEvents } from '../events/server-events'
import type { Host } from '../hosts/host'
import type { Log } from '../log'
import type { Metrics } from '../metrics'
import type { Database } from '../storage/types'
import type { Element } from '../xml/element'
import type { ServerApi } from './server-api'

/** How modules reach the wire; the router is one. */
export interface Outgoing {
  /** Stamps `from` where it is missing. Throws `ERR_SEND_FROM` for a name that is not the host's. */
  send(stanza: Element, host: Host): void
  request(
    iq: Element,
    host: Host,
    options: { timeout?: number | undefined; signal?: AbortSignal | undefined }
  ): Promise<Element>
}

/** What the manager and the contexts of modules are made of. */
export interface Services {
  readonly log: Log
  readonly metrics: Metrics
  readonly db: Database
  readonly gate: Gate
  readonly bus: Bus<ServerEvents>
  readonly outgoing: Outgoing
  /** Asked when a module is started, so that it may be made after the manager. */
  server(): ServerApi
}
