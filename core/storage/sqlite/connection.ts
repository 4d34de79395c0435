import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type BetterSqlite3 from 'better-sqlite3'
import { CodedError } from '../../errors'

export type Connection = BetterSqlite3.Database

/** Milliseconds for which a connection waits, blocking, for a lock of somebody outside this process. */
const WRITER_WAIT = 5000
const READER_WAIT = 200

/** The connection that writes; makes the file and its folder when they are missing. */
export function openWriter(path: string): Connection {
  if (path === '' || path === ':memory:')
    throw new CodedError(
      'ERR_STORAGE_CONFIG',
      `storage.path '${path}' is no file; give the path of one, e.g. data/balcony.sqlite`
    )
  return attempt(path, () => {
    mkdirSync(dirname(resolve(path)), { recursive: true, mode: 0o700 })
    const connection = new (driver())(path, { timeout: WRITER_WAIT })
    const mode = connection.pragma('journal_mode = WAL', { simple: true })
    if (mode !== 'wal') {
      connection.close()
      throw new CodedError(
        'ERR_STORAGE_CONNECT',
        `SQLite cannot use write-ahead logging for ${path} (it stays '${String(mode)}'): is it on a network file system?`
      )
    }
    tune(connection)
    return connection
  })
}

/** A connection that cannot write: opened read-only, and told so once more for what `ATTACH` could reach. */
export function openReader(path: string): Connection {
  return attempt(path, () => {
    const connection = new (driver())(path, { readonly: true, fileMustExist: true, timeout: READER_WAIT })
    tune(connection)
    connection.pragma('query_only = ON')
    return connection
  })
}

export function tune(connection: Connection): void {
  // After a commit the log is synced by `LogSync`, off the main thread; NORMAL keeps SQLite from doing it too.
  connection.pragma('synchronous = NORMAL')
  connection.pragma('foreign_keys = ON')
  connection.pragma('recursive_triggers = ON')
  connection.pragma('cache_size = -16000')
  connection.pragma('mmap_size = 268435456')
  connection.pragma('temp_store = MEMORY')
  connection.pragma('journal_size_limit = 67108864')
}

export function driver(): typeof BetterSqlite3 {
  try {
    // Here and not above: with storage.driver mysql nothing of SQLite need be installed.
    return require('better-sqlite3') as typeof BetterSqlite3
  } catch (error) {
    throw driverMissing(error)
  }
}

export function driverMissing(error: unknown): CodedError {
  return new CodedError(
    'ERR_STORAGE_DRIVER',
    "storage.driver is 'sqlite' and the package better-sqlite3 is not installed: run `npm install better-sqlite3`" +
      `, or choose 'mysql'. (${(error as Error).message.split('\n')[0] ?? ''})`,
    { cause: error }
  )
}

function attempt<T>(path: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (error instanceof CodedError) throw error
    const { code, message } = error as Error & { code?: string }
    // better-sqlite3 looks for its compiled half when the first connection is made.
    if (code === 'ERR_DLOPEN_FAILED' || message.startsWith('Could not locate the bindings file'))
      throw new CodedError(
        'ERR_STORAGE_DRIVER',
        `The compiled half of better-sqlite3 is missing or was made for another Node: run \`npm rebuild better-sqlite3\`. (${message.split('\n')[0] ?? ''})`,
        { cause: error }
      )
    const hint =
      code === 'SQLITE_NOTADB'
        ? 'the file is no SQLite database; move it away or name another in storage.path'
        : code === 'SQLITE_BUSY'
          ? 'another process holds it; end that process'
          : 'does the folder exist, and may this user read and write both it and the file?'
    throw new CodedError(
      'ERR_STORAGE_CONNECT',
      `Cannot open the SQLite database ${resolve(path)}: ${message}; ${hint}`,
      { cause: error }
    )
  }
}
