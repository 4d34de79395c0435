import fs from 'node:fs'
import path from 'node:path'
import { MODULES_FOLDER } from './everything'
import type { Seen } from './probe'

/** A file of every copied module, so that those of one file have a nested one too. */
const NESTED = 'deep/edition.ts'

/** What is imported or passed on, but for types, which are gone when a file is loaded. */
const IMPORTS = /^(?:import|export) (?!type )([^'";]*?)(?:from )?'(\.[^']*)'/gm

/**
 * A copy of all modules, for `moduleFolders`, whose files can be edited: each edition of a file tells its number when
 * it is run (see probe.ts), so that nobody need believe that an edit was taken up, or that the one before is gone.
 */
export class Editions {
  readonly #originals = new Map<string, string>()
  /** The files that are edited in turn, by module. */
  readonly #turns = new Map<string, { files: string[]; next: number }>()
  #edition = 0

  constructor(readonly folder: string) {
    fs.cpSync(MODULES_FOLDER, folder, { recursive: true })
    for (const entry of fs.readdirSync(folder)) {
      if (!entry.startsWith('mod_')) continue
      fs.mkdirSync(path.join(folder, entry, 'deep'), { recursive: true })
      fs.writeFileSync(path.join(folder, entry, NESTED), 'export {}\n')
      const index = path.join(folder, entry, 'index.ts')
      if (fs.existsSync(index)) fs.appendFileSync(index, `\nimport './deep/edition'\n`)
    }
    for (const file of filesBelow(folder)) {
      const name = path.relative(folder, file)
      this.#originals.set(name, fs.readFileSync(file, 'utf8'))
      this.#write(name, 0)
    }
  }

  /** Tells which files the server has run: files of types alone are none that an edit can be seen in. */
  settle(seen: Seen): void {
    const files = Object.keys(seen)
    for (const module of new Set(files.map(topOf).filter(top => top.startsWith('mod_')))) {
      // The entry is not nested; it is loaded anyway
      const own = files.filter(file => topOf(file) === module && file !== `${module}/index.ts`)
      const loaded = this.#loadedBy(`${module}/index.ts`)
      const lent = files.filter(file => topOf(file).startsWith('lib_') && loaded.has(file))
      this.#turns.set(module, { files: [...own, ...lent], next: 0 })
    }
  }

  /** The files that a file loads, itself or through others: of a library perhaps a part. */
  #loadedBy(name: string, found = new Set<string>()): Set<string> {
    if (found.has(name)) return found
    found.add(name)
    for (const [, names = '', from = ''] of (this.#originals.get(name) ?? '').matchAll(IMPORTS)) {
      if (names.trim() && !names.replace(/\btype \w+/g, '').replace(/[{},\s]/g, '')) continue
      const target = path.join(path.dirname(name), from)
      const file = [`${target}.ts`, path.join(target, 'index.ts')].find(one => this.#originals.has(one))
      if (file !== undefined) this.#loadedBy(file, found)
    }
    return found
  }

  /** Edits the next file of a module or of its libraries; returns the file and the number to look for. */
  edit(module: string): { file: string; edition: number } {
    const turn = this.#turns.get(`mod_${module}`)
    const file = turn?.files[turn.next++ % turn.files.length]
    if (file === undefined) throw new Error(`nothing of ${module} has been run`)
    const edition = ++this.#edition
    this.#write(file, edition)
    return { file, edition }
  }

  /** How many editions of a file may be held: each module has a copy of its own of its libraries. */
  copiesOf(file: string): number {
    if (topOf(file).startsWith('mod_')) return 1
    return [...this.#turns.values()].filter(({ files }) => files.includes(file)).length
  }

  #write(name: string, edition: number): void {
    fs.writeFileSync(path.join(this.folder, name), (this.#originals.get(name) ?? '') + stamp(name, edition))
  }
}

/** The token is in the same scope as the file's own variables, so that whatever holds one of its functions holds it. */
function stamp(name: string, edition: number): string {
  return `
const editionToken = { edition: ${edition} }
void (() => editionToken)
;(globalThis as any).editionRuns?.('${name}', editionToken.edition, editionToken)
`
}

function topOf(file: string): string {
  return file.split('/')[0] as string
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    // What has been migrated is not migrated again
    if (entry.isDirectory() && entry.name !== 'migrations') yield* filesBelow(file)
    else if (entry.isFile() && entry.name.endsWith('.ts')) yield file
  }
}
