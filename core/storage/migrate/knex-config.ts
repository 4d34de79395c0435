import type { Knex } from 'knex'
import { chooseCollation, connectionOptions, LIST_COLLATIONS, sessionStatements } from '../mysql/pool'
import type { StorageLog, StorageOptions } from '../types'
import { migrationContext, mysqlSchema, sqliteSchema } from './context'
import { listMigrations, loadMigration, migrationTable, type MigrationFile } from './files'

type Callback = (error: unknown, connection: unknown) => void

/**
 * What Knex's own command needs to work on the database of a config with one owner's migrations: they are the
 * same files, recorded in the same table, as when the server runs them.
 */
export function knexConfig(options: StorageOptions, owner: string, folder: string): Knex.Config {
  const migrations = {
    tableName: migrationTable(owner),
    migrationSource: new Source(options.driver, folder),
    // What a newer version ran and this one has no file for is no fault.
    disableMigrationsListValidation: true,
    disableTransactions: options.driver === 'mysql'
  }
  if (options.driver === 'sqlite')
    return {
      client: 'better-sqlite3',
      connection: { filename: options.path },
      useNullAsDefault: true,
      pool: {
        afterCreate: (connection: { pragma(text: string): void }, done: Callback) => {
          connection.pragma('foreign_keys = ON')
          done(null, connection)
        }
      },
      migrations
    }
  return { client: 'mysql2', connection: connectionOptions(options), migrations }
}

/** The migrations of a folder, for Knex's migrator. */
class Source implements Knex.MigrationSource<MigrationFile> {
  readonly #driver: StorageOptions['driver']
  readonly #folder: string

  constructor(driver: StorageOptions['driver'], folder: string) {
    this.#driver = driver
    this.#folder = folder
  }

  /** `file` is what Knex prints of a migration that has not run. */
  getMigrations(): Promise<(MigrationFile & { file: string })[]> {
    return Promise.resolve(listMigrations(this.#folder).map(one => ({ ...one, file: one.name })))
  }

  getMigrationName(file: MigrationFile): string {
    return file.name
  }

  getMigration(file: MigrationFile): Promise<Knex.Migration> {
    return Promise.resolve({
      up: knex => this.#up(knex, file),
      down: () => Promise.reject(new Error(`${file.name} cannot be undone: migrations only add`))
    })
  }

  async #up(knex: Knex, file: MigrationFile): Promise<void> {
    const up = loadMigration(file)
    if (this.#driver === 'sqlite')
      return up(migrationContext(knex, 'sqlite', sqliteSchema(knex), file, terminal))
    const [rows] = (await knex.raw(LIST_COLLATIONS)) as [{ name: string }[]]
    const collation = chooseCollation(rows)
    for (const statement of sessionStatements(collation)) await knex.raw(statement)
    await up(migrationContext(knex, 'mysql', mysqlSchema(knex, collation), file, terminal))
  }
}

// For the terminal, where Knex's command runs.
const say = (...args: unknown[]): void => void process.stdout.write(`${String(args.at(-1))}\n`)
const terminal: StorageLog = { debug: say, info: say, warn: say, error: say }
