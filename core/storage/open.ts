import { EngineDatabase } from './database'
import { openMysql } from './mysql/engine'
import { openSqlite } from './sqlite/engine'
import type { Database, StorageLog, StorageOptions } from './types'
import { UNIT_TIMEOUT } from './unit'

/**
 * Opens the database that the config names and prepares the tables of its stores. Rejects with
 * `ERR_STORAGE_DRIVER`, `ERR_STORAGE_CONNECT` or `ERR_STORAGE_CONFIG`, which say what to do; there is no other
 * database to fall back to.
 */
export async function openDatabase(
  options: StorageOptions,
  log: StorageLog,
  { unitTimeout = UNIT_TIMEOUT } = {}
): Promise<Database> {
  const engine =
    options.driver === 'sqlite'
      ? openSqlite(options, log, unitTimeout)
      : await openMysql(options, log, unitTimeout)
  const database = new EngineDatabase(engine)
  try {
    await database.prepare()
  } catch (error) {
    await engine.close()
    throw error
  }
  return database
}
