import type { Knex } from 'knex'
import { MAX_NAME_BYTES } from '../names'
import type { Dialect, MigrationContext, StorageLog } from '../types'
import type { MigrationFile } from './files'

/** Milliseconds between two lines about how far a migration has come. */
const PROGRESS = 1000

type Build = (table: Knex.CreateTableBuilder) => void

interface Schema {
  createTable(name: string, build: Build): Promise<void>
  addColumns(table: string, build: Build): Promise<void>
  addIndex(table: string, build: Build): Promise<void>
}

/** What a migration is given, on either database. */
export function migrationContext(
  knex: Knex,
  dialect: Dialect,
  schema: Schema,
  file: MigrationFile,
  log: StorageLog
): MigrationContext {
  let said = Date.now()
  return {
    dialect,
    knex,
    createTable: (name, build) => schema.createTable(name, build),
    addColumns: (table, build) => schema.addColumns(table, build),
    addIndex: (table, name, columns, options = {}) =>
      schema.addIndex(table, builder => {
        if (options.unique === true) builder.unique(columns, { indexName: name })
        else builder.index(columns, name)
      }),
    longName(table, column) {
      // TEXT on SQLite; on MySQL as many characters as the longest has bytes.
      table.string(column, MAX_NAME_BYTES).notNullable()
      table.binary(`${column}_hash`, 32).notNullable()
    },
    payload: (table, column) => table.text(column, 'mediumtext'),
    time: (table, column) => table.bigInteger(column),
    progress(done, total) {
      if (Date.now() - said < PROGRESS) return
      said = Date.now()
      const percent = total > 0 ? Math.floor((100 * done) / total) : 0
      log.info({ migration: file.path }, `Migration ${file.name}: ${done} of ${total} (${percent} %)`)
    }
  }
}

/** On SQLite a migration is one transaction, so nothing is ever there by half. */
export function sqliteSchema(knex: Knex): Schema {
  return {
    async createTable(name, build) {
      if (!(await knex.schema.hasTable(name))) await knex.schema.createTable(name, build)
    },
    async addColumns(table, build) {
      await knex.schema.alterTable(table, build)
    },
    async addIndex(table, build) {
      await knex.schema.alterTable(table, build)
    }
  }
}

/** What MySQL and MariaDB answer when a part of a statement had been done before it was cut off. */
const THERE_ALREADY = new Set([
  'ER_TABLE_EXISTS_ERROR',
  'ER_DUP_FIELDNAME',
  'ER_DUP_KEYNAME',
  'ER_FK_DUP_NAME',
  'ER_DUP_CONSTRAINT_NAME'
])

/** On MySQL every statement of a schema commits by itself, so each must bear being run again. */
export function mysqlSchema(knex: Knex, collation: string): Schema {
  async function runEach(builder: Knex.SchemaBuilder): Promise<void> {
    for (const { sql, bindings } of builder.toSQL() as unknown as { sql: string; bindings?: unknown[] }[]) {
      try {
        await knex.raw(sql, (bindings ?? []) as never)
      } catch (error) {
        if (!isThere(error as Error & { code?: string })) throw error
      }
    }
  }
  return {
    createTable: (name, build) =>
      runEach(
        knex.schema.createTable(name, table => {
          table.engine('InnoDB')
          table.charset('utf8mb4')
          table.collate(collation)
          build(table)
        })
      ),
    // Text takes the collation of its table.
    addColumns: (table, build) => runEach(knex.schema.alterTable(table, build)),
    addIndex: (table, build) => runEach(knex.schema.alterTable(table, build))
  }
}

function isThere(error: Error & { code?: string }): boolean {
  if (error.code !== undefined && THERE_ALREADY.has(error.code)) return true
  // MariaDB's answer to a foreign key whose name is taken.
  return error.code === 'ER_CANT_CREATE_TABLE' && error.message.includes('errno: 121')
}
