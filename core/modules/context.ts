import type { z } from 'zod'
import { CodedError } from '../errors'
import { HANDLED, isPromise, type Handler, type HandlerResult, type HookOptions } from '../events/hooks'
import type { ItemTypes, Watcher } from '../events/items'
import type { ServerEvents } from '../events/server-events'
import type { Host } from '../hosts/host'
import type { Log } from '../log'
import type { Metrics } from '../metrics'
import type { StanzaEvent, Target } from '../routing/event'
import { iqEvent, type HostEvents } from '../routing/events'
import type { Database, Store, StoreOptions } from '../storage/types'
import { firstChild, type Element } from '../xml/element'
import type { AdhocCommand } from './adhoc'
import { askingServer } from './asking'
import { trackedCommand } from './command'
import type { ApiOf, Context, Handle, IqHandler, RequestOptions, UnloadReason, UseOptions } from './contract'
import { refuseMisspelt } from './events'
import type { Scope } from './scope'
import type { ServerApi } from './server-api'
import type { Services } from './services'

/** How a context finds other modules. */
export type Use = (name: string, options: UseOptions) => object

/** What one version of a module does on one host, through its scope. */
export class ModuleContext implements Context {
  readonly module: string
  readonly host: Host
  readonly log: Log
  readonly metrics: Metrics
  readonly db: Database
  readonly server: ServerApi
  readonly #scope: Scope
  readonly #services: Services
  readonly #use: Use
  /** Events that the module raises itself; others see them when setup has succeeded. */
  readonly #declared = new Set<string>()
  #config: unknown
  #save: (() => unknown) | undefined
  #reconfigure: ((config: unknown, old: unknown) => boolean | Promise<boolean>) | undefined

  constructor(services: Services, scope: Scope, host: Host, config: unknown, use: Use) {
    this.module = scope.module
    this.host = host
    this.log = scope.log
    this.metrics = services.metrics
    this.db = services.db
    this.server = askingServer(services.server(), scope)
    this.#scope = scope
    this.#services = services
    this.#use = use
    this.#config = config
  }

  get config(): unknown {
    return this.#config
  }

  get signal(): AbortSignal {
    return this.#scope.signal
  }

  hook<E extends keyof HostEvents & string>(
    event: E,
    fn: Handler<HostEvents[E]>,
    options?: HookOptions
  ): () => void {
    refuseMisspelt(event, [...this.#declared, ...this.host.items.list('event').map(({ name }) => name)])
    return this.#scope.face(() => this.host.hooks.add(event, fn, this.#scope, options))
  }

  run<E extends keyof HostEvents & string>(event: E, payload: HostEvents[E]): HandlerResult {
    return this.host.hooks.run(event, payload)
  }

  iq(type: 'get' | 'set', target: Target, ns: string, name: string, fn: IqHandler): () => void {
    const event = iqEvent(type, target, ns, name)
    const answer = (stanza: StanzaEvent): HandlerResult => {
      const result = fn(stanza, firstChild(stanza.stanza) as Element)
      if (isPromise(result)) return result.then(payload => reply(stanza, payload as Element | undefined))
      return reply(stanza, result as Element | undefined)
    }
    this.#refuseSecond(event, owner => owner.module !== this.module || owner === this.#scope)
    return this.#scope.face(() => {
      this.#refuseSecond(event, () => true)
      return this.host.hooks.add(event, answer, this.#scope)
    })
  }

  /** Told at the line that asks, where the version that is about to go does not count, and when it takes effect. */
  #refuseSecond(event: string, counts: (owner: { module: string }) => boolean): void {
    const other = this.host.hooks.ownersOf(event).find(counts)
    if (other) throw new CodedError('ERR_IQ_TAKEN', `${event} is answered by ${other.module} already`)
  }

  on<E extends keyof ServerEvents & string>(event: E, fn: ServerEvents[E]): () => void {
    const call: (...args: never[]) => unknown = fn
    const listener = (...args: never[]): void =>
      this.#scope.call(`a listener of ${event}`, () => call(...args))
    return this.#scope.face(() => this.#services.bus.on(event, listener as ServerEvents[E]))
  }

  emit<E extends keyof ServerEvents & string>(event: E, ...args: Parameters<ServerEvents[E]>): void {
    this.#services.bus.emit(event, ...args)
  }

  add<K extends keyof ItemTypes>(kind: K, item: ItemTypes[K]): () => void {
    if (kind === 'event') this.#declared.add((item as ItemTypes['event']).name)
    return this.#scope.face(() => this.host.items.add(kind, item, this.module))
  }

  items<K extends keyof ItemTypes>(kind: K): ItemTypes[K][] {
    return this.host.items.list(kind)
  }

  watch<K extends keyof ItemTypes>(kind: K, watcher: Watcher<ItemTypes[K]>): () => void {
    const caught: Watcher<ItemTypes[K]> = {
      added: (item, module) => this.#scope.call(`a watcher of ${kind}`, () => watcher.added?.(item, module)),
      removed: (item, module) =>
        this.#scope.call(`a watcher of ${kind}`, () => watcher.removed?.(item, module))
    }
    let ended = (): void => undefined
    const forget = this.#scope.release(() => ended())
    ended = this.host.items.watch(kind, caught)
    return () => {
      ended()
      forget()
    }
  }

  store<T>(name: string, schema: z.ZodType<T>, options?: StoreOptions): Store<T> {
    return this.db.store(this.host.name, this.module, name, schema, options)
  }

  adhoc(command: AdhocCommand): () => void {
    return this.add('adhoc-command', trackedCommand(command, this.#scope))
  }

  use<N extends string>(name: N, options: UseOptions = {}): Handle<ApiOf<N>> {
    return this.#use(name, options) as Handle<ApiOf<N>>
  }

  send(stanza: Element): void {
    this.#services.outgoing.send(stanza, this.host)
  }

  request(iq: Element, options: RequestOptions = {}): Promise<Element> {
    const { timeout } = options
    return this.#scope.work.requesting(
      this.#services.outgoing.request(iq, this.host, { timeout, signal: this.signal })
    )
  }

  every(ms: number, fn: () => void | Promise<void>): () => void {
    this.#scope.refuseWhenClosed()
    return this.#scope.timers.every(ms, fn)
  }

  after(ms: number, fn: () => void | Promise<void>): () => void {
    this.#scope.refuseWhenClosed()
    return this.#scope.timers.after(ms, fn)
  }

  defer(release: (reason: UnloadReason) => void | Promise<void>): void {
    this.#scope.release(release)
  }

  save(fn: () => unknown): void {
    this.#save = fn
  }

  reconfigure(fn: (config: unknown, old: unknown) => boolean | Promise<boolean>): void {
    this.#reconfigure = fn
  }

  /** What `save` was given makes, undefined without it. For the manager. */
  saved(): unknown {
    return this.#save?.()
  }

  /** Hands changed options to the module; false when it wants to be reloaded instead. For the manager. */
  async takeConfig(config: unknown): Promise<boolean> {
    const old = this.#config
    if (!this.#reconfigure) return false
    this.#config = config
    try {
      if (await this.#reconfigure(config, old)) return true
      this.#config = old
      return false
    } catch (error) {
      this.#config = old
      throw error
    }
  }
}

function reply(event: StanzaEvent, payload: Element | undefined): typeof HANDLED {
  event.reply(payload)
  return HANDLED
}
