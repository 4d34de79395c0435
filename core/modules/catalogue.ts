import type { BrokenEntry, CatalogueEntry, ModuleCatalogue as Catalogue } from '../config'
import { CodedError } from '../errors'
import type { LoadedModule, ModuleLoader } from './loader'

/**
 * The modules there are, each with the code that is in use: what the config is checked against and what the
 * manager starts. Code is loaded when it is asked for first; later edits are taken up by a reload only.
 */
export class ModuleCatalogue implements Catalogue {
  readonly loader: ModuleLoader
  readonly #loaded = new Map<string, LoadedModule>()

  constructor(loader: ModuleLoader) {
    this.loader = loader
  }

  names(): string[] {
    return this.loader.names()
  }

  /** For the check of the config; a module that cannot be loaded is tried again each time. */
  get(name: string): CatalogueEntry | BrokenEntry | undefined {
    try {
      const { definition } = this.load(name)
      return { schema: definition.config, on: definition.on, dependencies: definition.dependencies }
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      return error.code === 'ERR_MODULE_UNKNOWN' ? undefined : { error: error.message }
    }
  }

  /** The code in use. Throws what `ModuleLoader.load` throws. */
  load(name: string): LoadedModule {
    const known = this.#loaded.get(name)
    if (known) return known
    const loaded = this.loader.load(name)
    this.#loaded.set(name, loaded)
    return loaded
  }

  /** A new version is in use. */
  replace(loaded: LoadedModule): void {
    this.#loaded.set(loaded.name, loaded)
  }

  /** Nothing runs on this code any more: what is on the disk counts again. */
  forget(name: string): void {
    this.#loaded.delete(name)
  }
}
