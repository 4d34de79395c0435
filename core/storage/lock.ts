import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CodedError } from '../errors'
import { driver } from './sqlite/connection'

export interface Lock {
  /** Gives the lock back. It is also given back when the process ends, however it ends. */
  release(): void
}

/**
 * Takes the lock of a data folder, so that a server and a command line never use a database at the same time.
 * Throws `ERR_LOCKED` naming who holds it, and `ERR_DATA_FOLDER` where nothing can be kept. `who` is what others are told: 'balcony start', 'balcony user add'.
 */
export function acquireLock(folder: string, who: string): Lock {
  const holder = join(folder, 'lock-holder')
  const connection = openLock(folder)
  try {
    connection.pragma('journal_mode = MEMORY')
    connection.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    connection.close()
    if (!String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) throw error
    throw new CodedError(
      'ERR_LOCKED',
      `The data folder ${resolve(folder)} is in use by ${readHolder(holder)}: end that process, or let it do the work`
    )
  }
  writeFileSync(holder, `${process.pid} ${who}\n`, { mode: 0o600 })
  return {
    release() {
      if (!connection.open) return
      rmSync(holder, { force: true })
      connection.close()
    }
  }
}

/** SQLite's lock on a file of its own: the system takes it back when the process dies, and so it is never stale. */
function openLock(folder: string): InstanceType<ReturnType<typeof driver>> {
  const Driver = driver()
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.W_OK | constants.X_OK)
    return new Driver(join(folder, 'lock'), { timeout: 0 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new CodedError(
      'ERR_DATA_FOLDER',
      `The data folder ${resolve(folder)} cannot be used: ${REASONS[code ?? ''] ?? message}`,
      { cause: error }
    )
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there; it must belong to the one that the server runs as',
  EROFS: 'it lies on a read-only file system',
  ENOTDIR: 'a part of its path is no folder',
  EEXIST: 'it is no folder',
  ENOSPC: 'the disk is full',
  SQLITE_CANTOPEN: 'this user may not write to the file "lock" in it'
}

/** Only for the reader: who holds the lock is decided by the lock. */
function readHolder(path: string): string {
  try {
    const [pid = '', ...who] = readFileSync(path, 'utf8').trim().split(' ')
    return `'${who.join(' ')}' (process ${pid})`
  } catch {
    return 'another process'
  }
}
