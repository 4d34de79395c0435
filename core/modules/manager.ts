import type { Traced } from '../events/hooks'
import { CodedError } from '../errors'
import type { Host } from '../hosts/host'
import type { ModuleCatalogue } from './catalogue'
import { configure, type ConfigureReport } from './configure'
import { MODULE_LIMITS, type ModuleLimits } from './limits'
import { Lingering } from './lingering'
import { load, wantedOn } from './load'
import { checkIn, optionsIn } from './options'
import { prepare } from './prepare'
import { Registry } from './registry'
import { reload } from './reload'
import { Serial } from './serial'
import type { ModuleStatus, ReloadReport, ServerApi } from './server-api'
import type { Services } from './services'
import type { ModuleSettings } from './settings'
import { startModules } from './start'
import { stopInstance, stopOrder, unload } from './stop'
import type { Workshop } from './workshop'

export interface ManagerOptions extends Services {
  readonly catalogue: ModuleCatalogue
  /** The config in force; `configure` replaces it. */
  readonly settings: ModuleSettings
  /** The hosts there are now, in the order of the config, and the server's own scope (named ''). */
  hosts(): Iterable<Host>
  readonly limits?: Partial<ModuleLimits>
}

/**
 * Starts, stops and swaps the modules of all hosts.
 *
 *   const catalogue = new ModuleCatalogue(new ModuleLoader([...config.server.moduleFolders, own], face))
 *   const loaded = loadConfig(file, catalogue)            // the config is checked by what the catalogue finds
 *   const manager = new ModuleManager({ catalogue, settings: loaded.config, hosts: () => […], log, metrics, db,
 *                                       gate, bus, outgoing: router, server: () => serverApi })
 *   await manager.start()              // throws ERR_MODULES_START, a line per fault; nothing runs then
 *   await manager.configure(config)    // another config; `hosts()` tells those of the new one by then
 *   await manager.stop()               // newest first
 *
 * `api` is `ServerApi.modules`. What is asked for at the same time is done one after another.
 */
export class ModuleManager {
  readonly #workshop: Workshop
  readonly #serial = new Serial()

  constructor(options: ManagerOptions) {
    const limits = { ...MODULE_LIMITS, ...options.limits }
    this.#workshop = {
      services: options,
      catalogue: options.catalogue,
      registry: new Registry(),
      limits,
      lingering: new Lingering(limits.linger),
      settings: options.settings,
      hosts: () => [...options.hosts()]
    }
  }

  /** For `ServerApi.modules`. */
  get api(): ServerApi['modules'] {
    return {
      list: () => this.list(),
      options: (name, host) => optionsIn(this.#workshop, name, host),
      checkOptions: (name, text, host) => checkIn(this.#workshop, name, text, host),
      load: (name, host) => this.load(name, host),
      unload: (name, host, by) => this.unload(name, host, by),
      reload: (name, by) => this.reload(name, by)
    }
  }

  /**
   * Starts every module that the config names, what is needed first, those of the server last: ports open when
   * everything behind them stands. Stanzas wait meanwhile. A server with a module that cannot start does not start:
   * throws `ERR_MODULES_START` with all faults, having stopped what ran.
   */
  start(): Promise<void> {
    return this.#serial.run(async () => {
      const { gate } = this.#workshop.services
      gate.close()
      try {
        await this.#start()
      } finally {
        gate.reopen()
      }
    })
  }

  async #start(): Promise<void> {
    const { registry, catalogue, settings, services, limits } = this.#workshop
    const { order, faults } = prepare(wantedOn(this.#workshop), registry.running(), catalogue, settings)
    const failed = faults.length > 0 ? faults : await startModules(order, registry, services, limits)
    if (failed.length === 0) return
    await this.#stop()
    const lines = failed.map(fault => `  ${fault.message} (${fault.code})`)
    throw new CodedError('ERR_MODULES_START', ['not all modules can be started:', ...lines].join('\n'))
  }

  /** Stops all modules, newest first. */
  stop(): Promise<void> {
    return this.#serial.run(() => this.#stop())
  }

  async #stop(): Promise<void> {
    const { registry, lingering, limits } = this.#workshop
    for (const instance of stopOrder(registry.all())) await stopInstance(instance, this.#workshop, 'stop')
    await lingering.closeAll(limits.drain)
  }

  /** The modules on all hosts, with the last fault of each. */
  list(): ModuleStatus[] {
    return this.#workshop.registry.all().map(instance => instance.status)
  }

  load(name: string, host?: string): Promise<ReloadReport> {
    return this.#serial.run(() => load(this.#workshop, name, host))
  }

  unload(name: string, host?: string, by?: Traced): Promise<ReloadReport> {
    return this.#serial.run(() => unload(this.#workshop, name, host, by))
  }

  /** Swaps the module for what is on the disk now, on all its hosts or on none. */
  reload(name: string, by?: Traced): Promise<ReloadReport> {
    return this.#serial.run(() => reload(this.#workshop, name, by))
  }

  /** Brings the modules to where another config wants them. */
  configure(settings: ModuleSettings): Promise<ConfigureReport> {
    return this.#serial.run(() => configure(this.#workshop, settings))
  }
}
