import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { CodedError } from '../../errors'
import type { MigrationContext } from '../types'

export interface MigrationFile {
  /** The file's name, by which it is known for ever. */
  readonly name: string
  readonly path: string
}

/** `001_items.ts`: digits that give the order, then what it does. */
const NAME = /^\d{3,14}_[a-z0-9_]+\.ts$/
/** The owner is part of the name of a table, of at most 64 characters on MySQL. */
const OWNER = /^[a-z][a-z0-9_]{0,39}$/

/** The table in which an owner's migrations are recorded. It has the columns that Knex's own tools expect. */
export function migrationTable(owner: string): string {
  if (!OWNER.test(owner))
    throw new CodedError(
      'ERR_MIGRATION',
      `'${owner}' cannot own migrations: lower-case letters, digits and _, 40 at most`
    )
  return `migrations_${owner}`
}

/** The migrations in a folder in their order; none if there is no folder. */
export function listMigrations(folder: string): MigrationFile[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const files = names.filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts')).sort()
  const odd = files.find(name => !NAME.test(name))
  if (odd !== undefined)
    throw new CodedError(
      'ERR_MIGRATION',
      `${join(folder, odd)}: a migration's name is like 001_items.ts (lower case)`
    )
  return files.map(name => ({ name, path: resolve(folder, name) }))
}

/**
 * Those that have not run. A new one must sort behind all that have: on other databases it would else run in
 * another order. What ran and has no file any more is of a newer version, whose tables this one can live with.
 */
export function pendingMigrations(
  files: readonly MigrationFile[],
  ran: ReadonlySet<string>
): MigrationFile[] {
  const last = files.findLastIndex(file => ran.has(file.name))
  const late = files.find((file, i) => i < last && !ran.has(file.name))
  if (late)
    throw new CodedError(
      'ERR_MIGRATION',
      `${late.path} sorts before ${files[last]?.name ?? ''}, which has already run here: give it a higher number`
    )
  return files.slice(last + 1)
}

/** Loads a migration, always anew: it may have been edited since, and its module goes away. */
export function loadMigration(file: MigrationFile): (db: MigrationContext) => Promise<void> {
  const load = createRequire(file.path)
  const forget = (): boolean => delete require.cache[file.path]
  forget()
  try {
    const { up } = load(file.path) as { up?: unknown }
    if (typeof up !== 'function')
      throw new CodedError('ERR_MIGRATION', `${file.path} does not export a function 'up'`)
    return up as (db: MigrationContext) => Promise<void>
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw new CodedError('ERR_MIGRATION', `${file.path} cannot be loaded: ${(error as Error).message}`, {
      cause: error
    })
  } finally {
    forget()
  }
}
