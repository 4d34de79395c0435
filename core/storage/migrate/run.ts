import type { Knex } from 'knex'
import { CodedError } from '../../errors'
import type { MigrationContext, MigrationReport, StorageLog } from '../types'
import { listMigrations, loadMigration, migrationTable, pendingMigrations, type MigrationFile } from './files'

export interface MigrationRunner {
  readonly knex: Knex
  readonly log: StorageLog
  createTable(name: string, build: (table: Knex.CreateTableBuilder) => void): Promise<void>
  /** Runs one migration and records it, as one step where the database can. False: somebody else has been faster. */
  step(
    file: MigrationFile,
    up: (db: MigrationContext) => Promise<void>,
    record: (knex: Knex) => Promise<unknown>
  ): Promise<boolean>
}

/** Runs what is pending for one owner. */
export async function runMigrations(
  runner: MigrationRunner,
  owner: string,
  folder: string
): Promise<MigrationReport> {
  const { knex, log } = runner
  const table = migrationTable(owner)
  await runner.createTable(table, columns => {
    columns.increments('id')
    columns
      .string('name', 255)
      .notNullable()
      .unique({ indexName: `${table}_name` })
    columns.integer('batch').notNullable()
    columns.timestamp('migration_time').notNullable()
  })
  const rows: { name: string; batch: number }[] = await knex(table).select('name', 'batch')
  const pending = pendingMigrations(listMigrations(folder), new Set(rows.map(row => row.name)))
  const batch = Math.max(0, ...rows.map(row => row.batch)) + 1
  const record = (file: MigrationFile) => (on: Knex) =>
    on(table).insert({ name: file.name, batch, migration_time: on.raw('CURRENT_TIMESTAMP') })
  const ran: string[] = []
  for (const file of pending) {
    const started = Date.now()
    if (!(await runner.step(file, loadMigration(file), record(file)).catch(failed(file)))) continue
    ran.push(file.name)
    log.info({ owner, migration: file.name, ms: Date.now() - started }, `Migrated ${owner}: ${file.name}`)
  }
  return { ran }
}

function failed(file: MigrationFile) {
  return (error: unknown): never => {
    const { message, stack = '' } = error as Error
    const start = stack.indexOf(`${file.path}:`)
    const at = start < 0 ? file.path : (/^[^)\s]+/.exec(stack.slice(start))?.[0] ?? file.path)
    throw new CodedError('ERR_MIGRATION', `The migration ${at} failed: ${message}`, { cause: error })
  }
}
