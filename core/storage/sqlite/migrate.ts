import knexLibrary from 'knex'
import { migrationContext, sqliteSchema } from '../migrate/context'
import { listMigrations, migrationTable, pendingMigrations } from '../migrate/files'
import { runMigrations } from '../migrate/run'
import type { MigrationReport, StorageLog } from '../types'
import { openWriter, type Connection } from './connection'

/** Whether there is anything to run: asked at every start, so without a connection or thread of its own. */
export function hasPending(connection: Connection, owner: string, folder: string): boolean {
  const table = migrationTable(owner)
  const files = listMigrations(folder)
  const known = connection.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table)
  if (!known) return files.length > 0
  const rows = connection.prepare(`SELECT name FROM ${table}`).all() as { name: string }[]
  return pendingMigrations(files, new Set(rows.map(row => row.name))).length > 0
}

/** Runs what is pending on a connection of its own; each migration is one transaction, its record included. */
export async function runSqliteMigrations(
  path: string,
  owner: string,
  folder: string,
  log: StorageLog
): Promise<MigrationReport> {
  const table = migrationTable(owner)
  const knex = connectedKnex(path)
  try {
    const runner = {
      knex,
      log,
      createTable: sqliteSchema(knex).createTable,
      step: (file, up, record) =>
        knex.transaction(async trx => {
          // A write that changes nothing takes the lock: then what another process did can be seen.
          await trx(table).where({ id: -1 }).update({ batch: 0 })
          if (await trx(table).where({ name: file.name }).first('id')) return false
          await up(migrationContext(trx, 'sqlite', sqliteSchema(trx), file, log))
          await record(trx)
          return true
        })
    } satisfies Parameters<typeof runMigrations>[0]
    return await runMigrations(runner, owner, folder)
  } finally {
    await knex.destroy()
  }
}

/** A Knex that runs what it builds, on one connection that is opened as all of ours are. */
function connectedKnex(path: string) {
  const knex = knexLibrary({
    client: 'better-sqlite3',
    connection: { filename: path },
    useNullAsDefault: true,
    pool: { min: 1, max: 1 }
  })
  Object.assign(knex.client as object, { acquireRawConnection: () => Promise.resolve(openWriter(path)) })
  return knex
}
