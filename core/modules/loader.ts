import fs from 'node:fs'
import path from 'node:path'
import { CodedError } from '../errors'
import { ModuleCode } from './code'
import type { ModuleDefinition } from './contract'
import { definitionOf } from './definition'
import { isFile, isFolder } from './files'
import { describe, type Inside } from './place'
import { Transpiler } from './transpile'

/** One load of a module's code. */
export interface LoadedModule {
  readonly name: string
  readonly folder: string
  /** Which load of this module it is, from 1. */
  readonly version: number
  readonly definition: ModuleDefinition
  /** Its folder of migrations, where it has one. */
  readonly migrations: string | undefined
  /** Whether a file is part of it. */
  readonly inside: Inside
}

const NAME = /^[a-z][a-z0-9_]{0,62}$/
const ENTRIES = ['index.ts', 'index.js', 'index.cjs', 'index.mts', 'index.mjs']

/** Finds and loads modules: `mod_NAME/index.ts` in one of the folders, of which earlier ones win. */
export class ModuleLoader {
  readonly #folders: readonly string[]
  readonly #face: string
  readonly #transpiler = new Transpiler()
  readonly #versions = new Map<string, number>()

  /** `folders` are absolute, the operator's before those that come with the server; `face` is core/index.ts. */
  constructor(folders: readonly string[], face: string) {
    this.#folders = folders.map(folder => path.resolve(folder))
    this.#face = face
  }

  /** The names of all modules there are, sorted. */
  names(): string[] {
    const found = new Set<string>()
    for (const folder of this.#folders) {
      if (!isFolder(folder)) continue
      for (const entry of fs.readdirSync(folder)) {
        if (entry.startsWith('mod_') && this.#entryOf(path.join(folder, entry)) !== undefined)
          found.add(entry.slice(4))
      }
    }
    return [...found].filter(name => NAME.test(name)).sort()
  }

  /** The folder of a module; undefined where there is none of that name. */
  find(name: string): string | undefined {
    if (!NAME.test(name)) return undefined
    return this.#folders
      .map(folder => path.join(folder, `mod_${name}`))
      .find(folder => this.#entryOf(folder) !== undefined)
  }

  #entryOf(folder: string): string | undefined {
    return ENTRIES.map(entry => path.join(folder, entry)).find(isFile)
  }

  /**
   * Loads a module's code as it is on the disk now. Throws a CodedError whose message is for a person, with file
   * and line: `ERR_MODULE_UNKNOWN`, `_SYNTAX`, `_IMPORT`, `_ESM`, `_DEFINITION`, or `_LOAD` for what its code threw.
   */
  load(name: string): LoadedModule {
    const folder = this.find(name)
    const entry = folder && this.#entryOf(folder)
    if (folder === undefined || entry === undefined) throw this.#unknown(name)
    const code = new ModuleCode(folder, this.#face, this.#transpiler)
    const definition = definitionOf(this.#exports(code, entry), name, entry)
    const version = (this.#versions.get(name) ?? 0) + 1
    this.#versions.set(name, version)
    const migrations = path.join(folder, 'migrations')
    return {
      name,
      folder,
      version,
      definition,
      migrations: isFolder(migrations) ? migrations : undefined,
      inside: code.inside
    }
  }

  #exports(code: ModuleCode, entry: string): unknown {
    const limit = Error.stackTraceLimit
    // Ten lines do not reach from the depth of a package to the module's line that required it
    Error.stackTraceLimit = 100
    try {
      return code.load(entry)
    } catch (error) {
      throw new CodedError(
        error instanceof CodedError ? error.code : 'ERR_MODULE_LOAD',
        describe(error, code.inside)
      )
    } finally {
      Error.stackTraceLimit = limit
    }
  }

  #unknown(name: string): CodedError {
    const where = this.#folders.map(folder => path.join(folder, `mod_${name}`, 'index.ts')).join(' or ')
    return new CodedError('ERR_MODULE_UNKNOWN', `there is no module '${name}': no ${where}`)
  }
}
