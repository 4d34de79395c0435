import type { CatalogueEntry, ModuleScope } from './catalogue'
import { check } from './check'
import { Faults, type Fault } from './faults'
import { optionsAt } from './modules'
import { showOptions, type ShownOption } from './shown'
import type { ServerConfig } from './server-schema'
import { emptyMap, merge, plain, type ConfigNode } from './tree'
import { parseTree } from './yaml'
import type { Environment } from './environment'

/** One host of the server. */
export interface HostConfig {
  /** The prepared domain. */
  readonly name: string
  readonly type: 'virtual' | 'component'
  /** Prepared bare JIDs. */
  readonly admins: readonly string[]
  /** Absolute paths; undefined for the server's certificate. */
  readonly tls: { certificate?: string | undefined; key?: string | undefined } | undefined
  /** The modules that are on, in the order of the file, with their options as the schemas gave them back. */
  readonly modules: ReadonlyMap<string, unknown>
  /** Where the host stands in the file. */
  readonly line: number
}

export type ModuleOptions =
  | {
      ok: true
      options: unknown
      /** Whether the file turns the module on at this place. */
      on: boolean
    }
  | { ok: false; faults: Fault[] }

export interface ConfigParts {
  file: string
  folder: string
  server: ServerConfig
  modules: Map<string, unknown>
  hosts: Map<string, HostConfig>
  tree: ConfigNode
  /** Prepared name to the name as written. */
  written: Map<string, string>
}

/** A config file that was found in order. What it holds does not change; a reload makes another. */
export class Config {
  /** As it was named to `loadConfig`. */
  readonly file: string
  /** Relative paths in the file start here. */
  readonly folder: string
  readonly server: ServerConfig
  /** The modules of the server itself that are on, with their options. */
  readonly modules: ReadonlyMap<string, unknown>
  /** By prepared name, in the order of the file. */
  readonly hosts: ReadonlyMap<string, HostConfig>
  // Private, so that nothing which prints a Config prints the file
  readonly #tree: ConfigNode
  readonly #written: Map<string, string>

  constructor(parts: ConfigParts) {
    this.file = parts.file
    this.folder = parts.folder
    this.server = parts.server
    this.modules = parts.modules
    this.hosts = parts.hosts
    this.#tree = parts.tree
    this.#written = parts.written
  }

  /**
   * A module's options by a schema that came later than the file: another version of the module, or a module that
   * the file does not mention. `host` is a prepared name, undefined for the server.
   */
  optionsFor(name: string, schema: CatalogueEntry['schema'], host?: string): ModuleOptions {
    const faults = new Faults(this.file)
    const node = optionsAt(this.#tree, this.#site(host), name)
    const checked = check(
      schema,
      node ?? emptyMap({ line: 1, column: 1, path: `modules.${name}` }),
      this.folder,
      faults
    )
    return checked
      ? { ok: true, options: checked.value, on: node !== undefined }
      : { ok: false, faults: faults.list() }
  }

  /** A module's options as written, variables put in; undefined where it is off. May hold secrets. */
  writtenOptions(name: string, host?: string): Record<string, unknown> | undefined {
    const node = optionsAt(this.#tree, this.#site(host), name)
    return node && (plain(node) as Record<string, unknown>)
  }

  /** A module's options with their values, for a person: no secrets. `host` as in `optionsFor`. */
  shownOptions(name: string, schema: CatalogueEntry['schema'], host?: string): ShownOption[] {
    return showOptions(schema, optionsAt(this.#tree, this.#site(host), name))
  }

  /** What would be wrong with these options (YAML), written over those that the file has for the module. */
  checkOptions(
    name: string,
    schema: CatalogueEntry['schema'],
    given: { text: string; env: Environment; host?: string | undefined }
  ): Fault[] {
    const faults = new Faults('options')
    const tree = parseTree(given.text, given.env, faults)
    if (!tree || faults.any) return faults.list()
    if (tree.kind !== 'map') {
      faults.add(tree.place, 'expected options, each on a line of its own, as in "limit: 100"')
      return faults.list()
    }
    const written = optionsAt(this.#tree, this.#site(given.host), name)
    check(schema, written ? merge(written, tree) : tree, this.folder, faults)
    return faults.list()
  }

  #site(host: string | undefined): { scope: ModuleScope; host?: string } {
    if (host === undefined) return { scope: 'server' }
    return { scope: this.hosts.get(host)?.type ?? 'virtual', host: this.#written.get(host) ?? host }
  }
}
