import type { z } from 'zod'
import type { Handler, HandlerResult, HookOptions } from '../events/hooks'
import type { HostEvents } from '../routing/events'
import type { ItemTypes, Watcher } from '../events/items'
import type { ServerEvents } from '../events/server-events'
import type { Host } from '../hosts/host'
import type { Log } from '../log'
import type { Metrics } from '../metrics'
import type { StanzaEvent, Target } from '../routing/event'
import type { Database, Store, StoreOptions } from '../storage/types'
import type { Element } from '../xml/element'
import type { AdhocCommand } from './adhoc'
import type { ServerApi } from './server-api'

/** Where a module can be enabled: once for the server, on hosts with accounts, on components. */
export type Scope = 'server' | 'virtual' | 'component'

/** What modules offer to each other through `ctx.use`, by module name. Declared by merging. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by the modules' declarations
export interface ModuleApis {}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- `unknown` would match no function with parameters
type Callable = (...args: any[]) => unknown

/** The API of a module; one that declares none may offer anything. */
export type ApiOf<N extends string> = N extends keyof ModuleApis ? ModuleApis[N] : Record<string, Callable>

/**
 * A handle on another module: its functions (and nothing else of what its setup returned), resolved at each call
 * to the version that is loaded then. A call throws `ERR_MODULE_GONE` while the module does not run.
 */
export type Handle<A> = { readonly [K in keyof A as A[K] extends Callable ? K : never]: A[K] } & {
  /** Whether a call would find the module. */
  readonly available: boolean
}

export interface UseOptions {
  /** The module on another host of this server ('' is the server); the own host unless given, then the server. */
  host?: string
  /** Without the module: no fault at load, `available` is false, calls throw `ERR_MODULE_GONE`. */
  optional?: boolean
}

export type IqHandler = (
  event: StanzaEvent,
  child: Element
) => Element | undefined | void | Promise<Element | undefined | void>

export interface RequestOptions {
  /** Milliseconds until the request fails with `remote-server-timeout`; 30,000 unless given. */
  timeout?: number
}

export interface UnloadReason {
  /** `unload`: an operator's; `swap`: a new version follows; `stop`: the server ends. */
  why: 'unload' | 'swap' | 'stop' | 'failure'
}

/**
 * Everything a module can do, for one host; it owns what the module registers and undoes it at unload, newest
 * first (design §3). What `setup` registers for others to see (handlers, items, listeners) takes effect together,
 * when setup has succeeded; at a swap in place of what the version before had registered.
 */
export interface Context<Config = unknown> {
  readonly module: string
  /** The host; for a module of the server, the server's own scope (its `name` is ''). */
  readonly host: Host
  /** The options in force, checked by the module's schema. Replaced by `reconfigure`. */
  readonly config: Config
  readonly log: Log
  readonly metrics: Metrics
  readonly db: Database
  readonly server: ServerApi
  /** Aborts when the module's scope is closed. */
  readonly signal: AbortSignal

  /** Adds a handler to a chain of this host (events: `HostEvents`). Returns the function that removes it. */
  hook<E extends keyof HostEvents & string>(
    event: E,
    fn: Handler<HostEvents[E]>,
    options?: HookOptions
  ): () => void
  /** Runs a chain of this host: for events that modules raise themselves. */
  run<E extends keyof HostEvents & string>(event: E, payload: HostEvents[E]): HandlerResult
  /**
   * Answers iq requests of one payload. An Element is the answer's payload, nothing an empty result; a thrown
   * StanzaError is the error. One handler per (type, target, namespace, name) and host; a second one throws
   * `ERR_IQ_TAKEN`.
   */
  iq(type: 'get' | 'set', target: Target, ns: string, name: string, fn: IqHandler): () => void
  /** Listens to a notification of the server that nobody answers. */
  on<E extends keyof ServerEvents & string>(event: E, fn: ServerEvents[E]): () => void
  /** Tells everybody who listens to a notification of the server. */
  emit<E extends keyof ServerEvents & string>(event: E, ...args: Parameters<ServerEvents[E]>): void

  /** Offers an item on this host; withdrawn at unload. */
  add<K extends keyof ItemTypes>(kind: K, item: ItemTypes[K]): () => void
  items<K extends keyof ItemTypes>(kind: K): ItemTypes[K][]
  watch<K extends keyof ItemTypes>(kind: K, watcher: Watcher<ItemTypes[K]>): () => void

  /** A typed key-value store of this module on this host. */
  store<T>(name: string, schema: z.ZodType<T>, options?: StoreOptions): Store<T>
  /** Offers an ad-hoc command on this host (XEP-0050). */
  adhoc(command: AdhocCommand): () => void
  use<N extends string>(name: N, options?: UseOptions): Handle<ApiOf<N>>

  /** Sends a stanza from this host; `from` must lie in it and is the host when left out. */
  send(stanza: Element): void
  /**
   * Sends an iq get or set and resolves with the result stanza. Rejects with a StanzaError: the one answered,
   * `remote-server-timeout`, or `recipient-unavailable` when the module is unloaded meanwhile.
   */
  request(iq: Element, options?: RequestOptions): Promise<Element>

  /** Calls back every so many milliseconds, the first time after one interval; ends with the module. */
  every(ms: number, fn: () => void | Promise<void>): () => void
  /** Calls back once after so many milliseconds; not after unload. */
  after(ms: number, fn: () => void | Promise<void>): () => void
  /**
   * Undoes something of the module's own at unload. At a swap it runs before the next version's setup, which may
   * want the same port or name; handlers that still wait for the network finish after it.
   */
  defer(release: (reason: UnloadReason) => void | Promise<void>): void
  /**
   * What the next version's `setup` gets as `saved`: plain data (objects, lists, Map, Set, Date, bytes), of which
   * it gets a copy. Called when the module is swapped, after the handlers that compute or store have ended.
   */
  save(fn: () => unknown): void
  /** Takes over changed options while the module runs; `false` means "reload me instead". */
  reconfigure(fn: (config: Config, old: Config) => boolean | Promise<boolean>): void
}

/** The config around a module, for `advise`. */
export interface ConfigView {
  /** The host's name; '' for a module of the server. */
  readonly host: string
  /** The options of another module on this host or on the server; undefined where it is off. */
  options(module: string): unknown
}

export interface ModuleDefinition<Schema extends z.ZodType = z.ZodType> {
  /** As in the config and the folder: `mod_NAME`. */
  name: string
  /** One line for `balcony module list`. */
  description: string
  on: readonly Scope[]
  /** The module's options, every key with `.describe()`. */
  config: Schema
  /** Modules that must run before this one, on the same host or on the server. */
  dependencies?: readonly string[]
  /** Modules that are started before this one where they are enabled. */
  after?: readonly string[]
  /**
   * Events that must not pass unguarded: refused while this module is enabled but does not run, unless an
   * operator unloaded it (design §3).
   */
  guards?: readonly (keyof HostEvents & string)[]
  /**
   * What an operator should know of options that are in order, one sentence for each: told by `config check`, for each
   * host that enables the module. Looks at nothing but the config.
   */
  advise?(options: z.infer<Schema>, view: ConfigView): readonly string[]
  /** Once per host that enables the module. What it returns is what `ctx.use` gives to others. */
  setup(ctx: Context<z.infer<Schema>>, saved: unknown): unknown
}

/** Types a module; the loader takes the default export of a module's index.ts. */
export function defineModule<Schema extends z.ZodType>(
  definition: ModuleDefinition<Schema>
): ModuleDefinition<Schema> {
  return definition
}
