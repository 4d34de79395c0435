import { createHash } from 'node:crypto'
import knexLibrary from 'knex'
import { CodedError } from '../../errors'
import { migrationContext, mysqlSchema } from '../migrate/context'
import { listMigrations, migrationTable, pendingMigrations } from '../migrate/files'
import { runMigrations } from '../migrate/run'
import type { MigrationReport, MysqlOptions, StorageLog } from '../types'
import type { MysqlError } from './errors'
import { connectionOptions, sessionStatements, type MysqlPool } from './pool'

/** Seconds for which another process may be migrating before this one gives up. */
const LOCK_WAIT = 120

export async function hasPending({ pool }: MysqlPool, owner: string, folder: string): Promise<boolean> {
  const files = listMigrations(folder)
  if (files.length === 0) return false
  try {
    const [rows] = await pool.query(`SELECT name FROM ${migrationTable(owner)}`)
    return pendingMigrations(files, new Set((rows as { name: string }[]).map(row => row.name))).length > 0
  } catch (error) {
    if ((error as MysqlError).code === 'ER_NO_SUCH_TABLE') return true
    throw error
  }
}

/** Runs what is pending on one connection, which holds a lock that ends with it, however it ends. */
export async function runMysqlMigrations(
  options: MysqlOptions,
  collation: string,
  owner: string,
  folder: string,
  log: StorageLog
): Promise<MigrationReport> {
  const knex = knexLibrary({
    client: 'mysql2',
    connection: connectionOptions(options),
    pool: { min: 1, max: 1 }
  })
  try {
    for (const statement of sessionStatements(collation)) await knex.raw(statement)
    await lock(knex, options.database, owner)
    const schema = mysqlSchema(knex, collation)
    return await runMigrations(
      {
        knex,
        log,
        createTable: schema.createTable,
        async step(file, up, record) {
          await up(migrationContext(knex, 'mysql', schema, file, log))
          await record(knex)
          return true
        }
      },
      owner,
      folder
    )
  } finally {
    await knex.destroy()
  }
}

async function lock(knex: ReturnType<typeof knexLibrary>, database: string, owner: string): Promise<void> {
  // Names of locks belong to the whole server and are 64 characters long at most.
  const name = `balcony ${createHash('sha256').update(`${database}\0${owner}`).digest('hex').slice(0, 40)}`
  const [[row]] = (await knex.raw('SELECT GET_LOCK(?, ?) AS held', [name, LOCK_WAIT])) as [
    [{ held: number | null }]
  ]
  if (row.held === 1) return
  throw new CodedError(
    'ERR_MIGRATION',
    `Another process has been migrating ${owner} in '${database}' for ${LOCK_WAIT} s: wait for it, or end its connection (SHOW PROCESSLIST)`
  )
}
