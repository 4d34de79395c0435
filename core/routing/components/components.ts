import type { Socket } from 'node:net'
import { CollapsedLog } from '../../collapsed-log'
import { StreamError, type StanzaError } from '../../errors'
import type { Gate } from '../../events/gate'
import type { Host, Relayed } from '../../hosts/host'
import type { Log } from '../../log'
import type { Metrics } from '../../metrics'
import { Serial } from '../../modules/serial'
import type { ComponentBackend, ComponentDoor, Refusal } from '../../streams/component/backend'
import { ComponentListeners } from '../../streams/component/listeners'
import type { Connection } from '../../streams/connection'
import type { Port } from '../../streams/ports'
import type { StreamLimits } from '../../streams/rates/limits'
import type { StreamSettings } from '../../streams/settings'
import type { Element } from '../../xml/element'
import { Carrier, type CarrierStream } from '../carrier'
import type { StanzaEvent } from '../event'
import type { QueueLimits } from '../queue'
import type { Router } from '../router'
import type { AcceptOptions, AttachOptions, ComponentPort, ComponentsApi, ComponentStatus } from './api'
import { Counts } from './counts'
import { ForeignComponent } from './foreign'
import { Link } from './link'

/** What external components need of the server. */
export interface ComponentsOptions {
  gate: Gate
  log: Log
  metrics: Metrics
  router: Router
  /** Nothing listens or connects: what modules ask for is not done. */
  headless: boolean
  defaultDomain(): string
  /** Whoever answers for a domain. */
  host(domain: string): Host | undefined
  /** What may be under way of one component. */
  limits(): QueueLimits
  /** How streams behave by the config, of their own for each. */
  settings(kind: 'component' | 'upstream'): StreamSettings
  streamLimits?: StreamLimits
  /** A connected socket. Rejects with the reason, for the log. */
  dial(server: string, port: number, signal: AbortSignal): Promise<Socket>
}

/** External components of this server, and the hosts of this server that are components of others (XEP-0114). */
export class Components implements ComponentsApi, ComponentBackend {
  readonly gate: Gate
  readonly log: Log
  readonly streamLimits: StreamLimits | undefined
  readonly listeners: ComponentListeners
  readonly #options: ComponentsOptions
  readonly #counts: Counts
  readonly #foreign = new Map<Host, ForeignComponent>()
  readonly #attached = new Map<Host, Map<string, Link>>()
  readonly #changes = new Serial()
  readonly #repeated: CollapsedLog
  /** Connections to other servers. */
  readonly #outgoing = new Set<Connection>()
  /** While everything is being closed. */
  #emptied: (() => void) | undefined

  constructor(options: ComponentsOptions) {
    this.#options = options
    this.gate = options.gate
    this.log = options.log
    this.#repeated = new CollapsedLog(options.log)
    this.streamLimits = options.streamLimits
    this.listeners = new ComponentListeners(this, () => options.settings('component'))
    this.#counts = new Counts(options.metrics, () => this.#waiting())
  }

  // --- foreign components of ours

  accept(host: Host, options: AcceptOptions): Promise<ComponentPort[]> {
    if (this.#options.headless) return Promise.resolve([])
    return this.#changes.run(async () => {
      const others = [...this.#foreign].filter(([other]) => other !== host)
      const ports = [...others.map(([, { options }]) => options), options].flatMap(({ listen }) => listen)
      const bound = await this.listeners.listen(ports)
      const known = this.#foreign.get(host)
      if (known) known.configure(options)
      else this.#open(host, options)
      return bound
    })
  }

  #open(host: Host, options: AcceptOptions): void {
    const component = new ForeignComponent(host, options, {
      log: this.log,
      counts: this.#counts,
      asker: () => this.defaultDomain(),
      carrier: stream => this.#carrier(stream)
    })
    this.#foreign.set(host, component)
    host.relay = component.relay
  }

  release(host: Host): Promise<void> {
    return this.#changes.run(async () => {
      const component = this.#foreign.get(host)
      if (!component) return
      this.#foreign.delete(host)
      host.relay = undefined
      // RFC 6120 §4.9.3.5
      component.close(new StreamError('host-gone', 'the component is not served any more'))
      await this.listeners.listen([...this.#foreign.values()].flatMap(({ options }) => options.listen))
    })
  }

  door(domain: string, port: Port): ComponentDoor | undefined {
    for (const [host, component] of this.#foreign) {
      if (host.name === domain && component.listensAt(port)) return component
    }
    return undefined
  }

  refused(why: Refusal, from: string, name: string, text?: string): void {
    this.#counts.refused(why)
    // Told with the component that is there
    if (why === 'conflict') return
    this.#repeated.warn(
      `${why} ${from}`,
      { component: name, from },
      `a component was refused: ${why}: ${text}`
    )
  }

  defaultDomain(): string {
    return this.#options.defaultDomain()
  }

  // --- ours at other servers

  attach(host: Host, options: AttachOptions): void {
    if (this.#options.headless) return
    const links = this.#attached.get(host) ?? new Map<string, Link>()
    this.#attached.set(host, links)
    for (const [domain, link] of links) {
      if (options.domains.includes(domain)) continue
      links.delete(domain)
      link.close()
    }
    for (const domain of options.domains) {
      const link = links.get(domain)
      if (link) link.configure(options)
      else links.set(domain, this.#link(host, domain, options))
    }
  }

  #link(host: Host, domain: string, options: AttachOptions): Link {
    const { settings, dial, streamLimits } = this.#options
    return new Link(host.name, domain, options, {
      counts: this.#counts,
      surroundings: this,
      log: this.log,
      settings: () => settings('upstream'),
      dial,
      opened: connection => {
        connection.ticket = streamLimits?.admission.outgoing('upstream', 'tcp')
        this.#track(connection)
      },
      carrier: stream => this.#carrier(stream),
      isServed: name => !this.gate.open || this.#options.host(name) === host,
      asked: name => this.#above(name)
    })
  }

  #track(connection: Connection): void {
    this.#outgoing.add(connection)
    connection.keeper = {
      connectionGone: () => {
        this.#outgoing.delete(connection)
        if (this.#outgoing.size === 0) this.#emptied?.()
      }
    }
  }

  /** The domain above a component's is its server's, more often than not. One of ours would not be asked there. */
  #above(domain: string): string | undefined {
    const above = domain.slice(domain.indexOf('.') + 1)
    return above === domain || this.#options.host(above) ? undefined : above
  }

  detach(host: Host): void {
    const links = this.#attached.get(host)
    this.#attached.delete(host)
    for (const link of links?.values() ?? []) link.close()
  }

  send(event: StanzaEvent): boolean {
    const link = this.#attached.get(event.host)?.get(event.from.domain)
    link?.send(event)
    return link !== undefined
  }

  // --- all of them

  list(host?: Host): ComponentStatus[] {
    const all = [
      ...[...this.#foreign].map(([of, component]) => ({ of, status: component.status() })),
      ...[...this.#attached].flatMap(([of, links]) =>
        [...links.values()].map(link => ({ of, status: link.status() }))
      )
    ]
    return all.filter(({ of }) => host === undefined || of === host).map(({ status }) => status)
  }

  #links(): Link[] {
    return [...this.#attached.values()].flatMap(links => [...links.values()])
  }

  sift(host: string, verdict: (stanza: Element) => StanzaError | 'drop' | undefined): void {
    const { host: find } = this.#options
    const judge = ({ stanza, from }: Relayed): StanzaError | 'drop' | undefined =>
      find(from.domain)?.name === host ? verdict(stanza) : undefined
    for (const room of [...this.#foreign.values(), ...this.#links()]) room.sift(judge)
  }

  #waiting(): number {
    let waiting = 0
    for (const { waiting: some } of [...this.#foreign.values(), ...this.#links()]) waiting += some
    return waiting
  }

  #carrier(stream: CarrierStream): Carrier {
    const { router, gate, limits } = this.#options
    return new Carrier({ router, gate, limits: limits(), stream })
  }

  /** Ends everything: what is connected is told why, what does not end in time is dropped. */
  async close(error: StreamError, within: number): Promise<void> {
    for (const link of this.#links()) link.close(error)
    for (const component of this.#foreign.values()) component.close(error)
    await Promise.all([this.listeners.close(error, within), this.#left(within)])
    this.#repeated.flush()
  }

  async #left(within: number): Promise<void> {
    if (this.#outgoing.size === 0) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(() => {
        for (const connection of this.#outgoing) connection.lose('the server stops')
      }, within)
      this.#emptied = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
