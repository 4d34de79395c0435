import type { z } from 'zod'

/** Where a module runs: once for the server, on hosts with accounts, on components. */
export type ModuleScope = 'server' | 'virtual' | 'component'

export interface CatalogueEntry {
  /** The schema of the module's options. */
  schema: z.ZodType
  on: readonly ModuleScope[]
  /** Modules that it cannot be without, on the same host or on the server. */
  dependencies?: readonly string[] | undefined
}

/** A module that was found but cannot be used: a fault of each line that turns it on. */
export interface BrokenEntry {
  /** Why, with file and line where there is one. */
  error: string
}

/** The modules that there are. The config asks; whoever finds modules answers. */
export interface ModuleCatalogue {
  get(name: string): CatalogueEntry | BrokenEntry | undefined
  names(): readonly string[]
}
