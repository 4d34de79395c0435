import type { StorageLog, Unit } from '../types'
import { isPromise, runHooks, unitOverdue } from '../unit'
import { isRetryable, type MysqlError } from './errors'
import { Executor } from './executor'
import type { MysqlConnection, MysqlPool } from './pool'
import { MysqlTx } from './tx'

/** How often a unit runs before its deadlock is the caller's. */
const ATTEMPTS = 12

/** Runs a unit in a transaction of its own, and again when another one was in the way. */
export async function writeMysql<T>(
  pool: MysqlPool,
  unit: Unit<T>,
  log: StorageLog,
  timeout: number
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { result, hooks } = await once(pool, unit, timeout)
      runHooks(hooks, log)
      return result
    } catch (error) {
      if (!(isRetryable(error) || isStale(error)) || attempt === ATTEMPTS) throw error
    }
    // Apart from one another, or they meet again.
    await new Promise(resolve => setTimeout(resolve, Math.random() * Math.min(100, 2 ** attempt)))
  }
}

async function once<T>(pool: MysqlPool, unit: Unit<T>, timeout: number) {
  const connection = await begun(pool)
  const tx = new MysqlTx(new Executor(connection, pool.encode))
  try {
    const result = await run(unit, tx, timeout)
    tx.end()
    if (tx.doomed !== undefined) throw tx.doomed
    await connection.query('COMMIT')
    connection.release()
    return { result, hooks: tx.hooks }
  } catch (error) {
    tx.end()
    await undo(connection, tx)
    throw error
  }
}

async function begun(pool: MysqlPool): Promise<MysqlConnection> {
  const connection = await pool.pool.getConnection()
  try {
    await connection.query('START TRANSACTION')
    return connection
  } catch (error) {
    connection.destroy()
    // The server closed it while nobody used it. Nothing of the unit has happened.
    throw Object.assign(error as Error, { stale: (error as MysqlError).fatal === true })
  }
}

function isStale(error: unknown): boolean {
  return (error as { stale?: boolean }).stale === true
}

async function undo(connection: MysqlConnection, tx: MysqlTx): Promise<void> {
  try {
    // A statement that the unit did not wait for would come after the rollback.
    if (tx.pending > 0) throw new Error('statements under way')
    await connection.query('ROLLBACK')
    connection.release()
  } catch {
    connection.destroy() // which undoes it too
  }
}

function run<T>(unit: Unit<T>, tx: MysqlTx, timeout: number): Promise<T> {
  const result = unit(tx)
  if (!isPromise(result)) return Promise.resolve(result)
  return new Promise((resolve, reject) => {
    // The time that statements take is bounded by the server; this is for what is no statement.
    const timer = setInterval(() => {
      if (tx.pending === 0) reject(unitOverdue(unit, timeout))
    }, timeout)
    result.then(resolve, reject).then(
      () => clearInterval(timer),
      () => clearInterval(timer)
    )
  })
}
