import type * as Mysql from 'mysql2/promise'
import { CodedError } from '../../errors'
import type { MysqlOptions, Value } from '../types'
import { connectError, driverMissing, type MysqlError } from './errors'

export type MysqlConnection = Mysql.PoolConnection

export interface MysqlPool {
  readonly pool: Mysql.Pool
  /** Compares byte for byte and does not pad. */
  readonly collation: string
  /** What the driver takes for a bound value. */
  encode(values: readonly Value[]): Value[]
}

/** Of MariaDB and of MySQL, whichever the server has. */
const COLLATIONS = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin']
export const LIST_COLLATIONS = `SELECT COLLATION_NAME AS name FROM information_schema.COLLATIONS WHERE COLLATION_NAME IN ('${COLLATIONS.join("', '")}')`
// A value that does not fit is an error and never cut. NO_BACKSLASH_ESCAPES stays off: Knex escapes what it puts
// into a schema with backslashes.
const SQL_MODE =
  'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE'
/** Seconds for which a statement waits for a lock. */
const LOCK_WAIT = 10
const POOL = 10

/** What the driver is told about a connection, for Knex and for us. */
export function connectionOptions(options: MysqlOptions) {
  return {
    ...(options.socket === undefined
      ? { host: options.host ?? '127.0.0.1', port: options.port ?? 3306 }
      : { socketPath: options.socket }),
    user: options.user,
    password: options.password ?? '',
    database: options.database,
    charset: 'utf8mb4',
    // Times are BIGINT: numbers as long as they are exact.
    supportBigNumbers: true,
    bigNumberStrings: false,
    decimalNumbers: true,
    multipleStatements: false,
    connectTimeout: 10_000
  }
}

/** What each connection is told before anything else. */
export function sessionStatements(collation: string): string[] {
  return [
    `SET NAMES utf8mb4 COLLATE ${collation}`,
    `SET SESSION sql_mode = '${SQL_MODE}', innodb_lock_wait_timeout = ${LOCK_WAIT}`,
    // What a unit has read stays true until it ends, as on SQLite, where units follow one another.
    'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE'
  ]
}

export async function openPool(options: MysqlOptions): Promise<MysqlPool> {
  const mysql = driver()
  const settings = connectionOptions(options)
  let collation: string
  try {
    const first = await mysql.createConnection(settings)
    try {
      collation = await findCollation(first)
    } finally {
      await first.end()
    }
  } catch (error) {
    throw error instanceof CodedError ? error : connectError(options, error as MysqlError)
  }
  const pool = mysql.createPool({
    ...settings,
    connectionLimit: options.pool ?? POOL,
    maxPreparedStatements: 500,
    enableKeepAlive: true
  })
  // Sent before whatever takes the connection sends; a connection that refuses is not to be used.
  pool.pool.on('connection', connection => {
    for (const statement of sessionStatements(collation)) {
      connection.query(statement, error => {
        if (error) connection.destroy()
      })
    }
  })
  const integer = mysql.TypedParameter.BIGINT
  return {
    pool,
    collation,
    // Else a number travels as a floating point number.
    encode: values =>
      values.map(value => (Number.isSafeInteger(value) ? (integer(value as number) as never) : value))
  }
}

async function findCollation(connection: Mysql.Connection): Promise<string> {
  const [rows] = await connection.query<Mysql.RowDataPacket[]>(LIST_COLLATIONS)
  return chooseCollation(rows as { name: string }[])
}

/** From what `LIST_COLLATIONS` finds. */
export function chooseCollation(rows: readonly { name: string }[]): string {
  const found = COLLATIONS.find(name => rows.some(row => row.name === name))
  if (found !== undefined) return found
  throw new CodedError(
    'ERR_STORAGE_CONNECT',
    `The database server has neither ${COLLATIONS.join(' nor ')}: MariaDB 10.2 or MySQL 8.0.17 at least is needed`
  )
}

function driver(): typeof Mysql {
  try {
    // Here and not above: with storage.driver sqlite nothing of MySQL need be loaded.
    return require('mysql2/promise') as typeof Mysql
  } catch (error) {
    throw driverMissing(error as Error)
  }
}
