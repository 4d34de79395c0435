import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import vm from 'node:vm'
import { CodedError } from '../errors'
import { fileAt, whyEsm } from './files'
import { within, type Inside } from './place'
import type { Transpiler } from './transpile'

interface File {
  exports: unknown
}

type Factory = (
  this: unknown,
  exports: unknown,
  require: (request: string) => unknown,
  module: File,
  __filename: string,
  __dirname: string
) => void

const FACE = new Set(['#core', 'balcony'])

/**
 * The code of one load of a module: CommonJS with a cache of its own, in which the files of the module's folder
 * and of the libraries beside it (`lib_*`) are. Node's cache never holds them, so nothing must be purged, every
 * nested edit is seen by the next load, the old version keeps its own copy of everything until its last handler
 * is done, and all of it is garbage with the last reference to it. Everything else is required as usual; core
 * and packages are never loaded twice.
 */
export class ModuleCode {
  readonly #files = new Map<string, File>()
  readonly #folder: string
  readonly #root: string
  readonly #face: string
  readonly #transpiler: Transpiler

  /** `folder` is the module's, `face` the file that `#core` and `balcony` mean. */
  constructor(folder: string, face: string, transpiler: Transpiler) {
    this.#folder = folder
    this.#root = path.dirname(folder)
    this.#face = face
    this.#transpiler = transpiler
  }

  /** Whether a file is part of this module or of its libraries. Packages in its folder are packages. */
  readonly inside: Inside = file => {
    if (!within(this.#root)(file)) return false
    const [top = '', ...below] = path.relative(this.#root, file).split(path.sep)
    if (below.includes('node_modules')) return false
    return top === path.basename(this.#folder) || top.startsWith('lib_')
  }

  /** Runs a file, once. */
  load(file: string): unknown {
    const known = this.#files.get(file)
    if (known) return known.exports
    const esm = whyEsm(file, this.#root)
    if (esm !== undefined)
      throw new CodedError('ERR_MODULE_ESM', `${esm}, which Node cannot unload: modules are CommonJS`)
    const loaded: File = { exports: {} }
    this.#files.set(file, loaded)
    try {
      this.#run(file, loaded)
    } catch (error) {
      this.#files.delete(file)
      throw error
    }
    return loaded.exports
  }

  #run(file: string, loaded: File): void {
    const source = fs.readFileSync(file, 'utf8')
    if (file.endsWith('.json')) {
      loaded.exports = json(source, file)
      return
    }
    const code = file.endsWith('.ts') ? this.#transpiler.transpile(source, file) : source
    const factory = compile(code, source, file)
    const require = (request: string): unknown => this.#require(request, file)
    factory.call(loaded.exports, loaded.exports, require, loaded, file, path.dirname(file))
  }

  #require(request: string, from: string): unknown {
    const node = createRequire(from)
    if (FACE.has(request)) return node(this.#face)
    if (!/^\.{0,2}\//.test(request) && request !== '.' && request !== '..')
      return requirePackage(node, request)
    const file = fileAt(path.resolve(path.dirname(from), request))
    if (file === undefined) throw new CodedError('ERR_MODULE_IMPORT', `there is no file '${request}'`)
    if (this.inside(file)) return this.load(file)
    const other = path.relative(this.#root, file).split(path.sep)[0] ?? ''
    if (other.startsWith('mod_')) {
      throw new CodedError(
        'ERR_MODULE_IMPORT',
        `'${request}' is code of another module: reach it by ctx.use('${other.slice(4)}')`
      )
    }
    return node(file)
  }
}

/** An installed package; one that is an ES module and cannot be required is named as such. */
function requirePackage(node: NodeJS.Require, request: string): unknown {
  try {
    return node(request)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_REQUIRE_ESM') {
      throw new CodedError('ERR_MODULE_ESM', `'${request}' is an ES module, which cannot be required`)
    }
    if (code !== 'MODULE_NOT_FOUND') throw error
    throw new CodedError('ERR_MODULE_IMPORT', message.split('\n')[0] ?? message)
  }
}

function compile(code: string, source: string, file: string): Factory {
  try {
    return vm.compileFunction(code, ['exports', 'require', 'module', '__filename', '__dirname'], {
      filename: file,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
    }) as Factory
  } catch (error) {
    throw new CodedError('ERR_MODULE_SYNTAX', located(error as Error, code, source, file))
  }
}

/** What V8 refuses although sucrase let it pass; its stack begins with the place, and points at the column. */
function located(error: Error, code: string, source: string, file: string): string {
  const [place = '', , pointer = ''] = (error.stack ?? '').split('\n')
  const line = Number(/:(\d+)$/.exec(place)?.[1] ?? 1)
  // What was taken out of a line moved its columns
  const same = code.split('\n')[line - 1] === source.split('\n')[line - 1]
  return `${file}:${line}${same ? `:${pointer.indexOf('^') + 1}` : ''}: ${error.message}`
}

function json(source: string, file: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    throw new CodedError('ERR_MODULE_SYNTAX', `${file}: ${(error as Error).message}`)
  }
}
