import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { after, describe } from 'node:test'
import { createConnection } from 'mysql2/promise'
import {
  openDatabase,
  type Database,
  type MysqlOptions,
  type StorageLog,
  type StorageOptions
} from '../../core/storage'
import { mariadbMissing, startMariadb, type MariaDB } from './mariadb'

/**
 * Tests on every database: SQLite on temporary folders, and MariaDB where it is installed. One mariadbd is started
 * for the process, or the one whose socket is in BALCONY_TEST_MYSQL is used (test/run.mjs starts one for all files).
 */
export type DatabaseName = 'SQLite' | 'MariaDB'

export interface TestLog extends StorageLog {
  /** Each line as 'level text', the data as JSON behind. */
  readonly lines: string[]
}

export interface TestDatabase {
  readonly database: Database
  readonly options: StorageOptions
  readonly log: TestLog
  /** A further handle on the same data; closed with the others. */
  again(): Promise<Database>
  /** Closes all handles and opens the same data anew; `database` is then the new one. */
  reopen(): Promise<Database>
}

export type Open = (settings?: { unitTimeout?: number }) => Promise<TestDatabase>

let mariadb: Promise<MariaDB> | undefined
let names = 0
const cleanups: (() => unknown)[] = []

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
  await (await mariadb)?.stop()
})

/** Describes the tests once for each database; `open` makes an empty one, which is removed after all tests. */
export function forEachDatabase(tests: (name: DatabaseName, open: Open) => void): void {
  describe('on SQLite', () => tests('SQLite', settings => opened(sqliteOptions(), settings)))
  onMariadb(open => tests('MariaDB', open))
}

/** Tests of what concerns MariaDB alone. */
export function onMariadb(tests: (open: Open) => void): void {
  const missing = process.env.BALCONY_TEST_MYSQL ? undefined : mariadbMissing()
  if (missing) test('on MariaDB', { skip: missing }, () => {})
  else describe('on MariaDB', () => tests(async settings => opened(await mysqlOptions(), settings)))
}

/** Options of a new SQLite database on a temporary folder. */
export function sqliteOptions(): { driver: 'sqlite'; path: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-test-'))
  cleanups.push(() => fs.rmSync(folder, { recursive: true, force: true }))
  return { driver: 'sqlite', path: path.join(folder, 'balcony.sqlite') }
}

/** Options of a new, empty database of MariaDB. */
export async function mysqlOptions(): Promise<MysqlOptions> {
  const socket = process.env.BALCONY_TEST_MYSQL || (await (mariadb ??= startMariadb())).socket
  const database = `balcony_test_${process.pid}_${++names}`
  await administer(socket, `CREATE DATABASE ${database}`)
  cleanups.push(() => administer(socket, `DROP DATABASE IF EXISTS ${database}`))
  return { driver: 'mysql', socket, user: 'root', database }
}

export function testLog(): TestLog {
  const lines: string[] = []
  const write = (level: string) => (data: object | string, message?: string) => {
    lines.push(
      typeof data === 'string' ? `${level} ${data}` : `${level} ${message ?? ''} ${JSON.stringify(data)}`
    )
  }
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

async function opened(
  options: StorageOptions,
  settings: { unitTimeout?: number } = {}
): Promise<TestDatabase> {
  const log = testLog()
  const handles: Database[] = []
  const again = async (): Promise<Database> => {
    const database = await openDatabase(options, log, settings)
    handles.push(database)
    return database
  }
  const closeAll = async (): Promise<void> => {
    for (const handle of handles.splice(0)) await handle.close()
  }
  cleanups.push(closeAll)
  const state = {
    database: await again(),
    options,
    log,
    again,
    async reopen() {
      await closeAll()
      return (state.database = await again())
    }
  }
  return state
}

async function administer(socketPath: string, statement: string): Promise<void> {
  const connection = await createConnection({ socketPath, user: 'root' })
  try {
    await connection.query(statement)
  } finally {
    await connection.end()
  }
}
