import type { Engine } from '../engine'
import type { MysqlOptions, StorageLog } from '../types'
import { Executor } from './executor'
import { hasPending, runMysqlMigrations } from './migrate'
import { openPool } from './pool'
import { checkTables } from './check'
import { writeMysql } from './write'

/** MySQL and MariaDB: a pool, on which each unit is a transaction of its own. */
export async function openMysql(
  options: MysqlOptions,
  log: StorageLog,
  unitTimeout: number
): Promise<Engine> {
  const pool = await openPool(options)
  const read = new Executor(pool.pool, pool.encode)
  const active = new Set<Promise<unknown>>()

  function track<T>(start: () => Promise<T>): Promise<T> {
    const work = start()
    active.add(work)
    const done = (): boolean => active.delete(work)
    work.then(done, done)
    return work
  }

  return {
    dialect: 'mysql',
    read,
    wide: read,
    write: unit => track(() => writeMysql(pool, unit, log, unitTimeout)),
    migrate: (owner, folder) =>
      track(async () =>
        (await hasPending(pool, owner, folder))
          ? runMysqlMigrations(options, pool.collation, owner, folder, log)
          : { ran: [] }
      ),
    integrityCheck: () => track(() => checkTables(pool.pool)),
    async close() {
      await Promise.allSettled(active)
      await pool.pool.end()
    }
  }
}
