import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CodedError } from '../errors'
import { driver } from './sqlite/connection'

export interface Lock {
  /** Gives the lock back. It is also given back when the process ends, however it ends. */
  release(): void
}

/**
 * Takes the lock of a data folder, so that a server and a command line never use a database at the same time.
 * Throws `ERR_LOCKED` naming who holds it. `who` is what others are told: 'balcony start', 'balcony user add'.
 */
export function acquireLock(folder: string, who: string): Lock {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const holder = join(folder, 'lock-holder')
  // SQLite's lock on a file of its own: the system takes it back when the process dies, and so it is never stale.
  const connection = new (driver())(join(folder, 'lock'), { timeout: 0 })
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

/** Only for the reader: who holds the lock is decided by the lock. */
function readHolder(path: string): string {
  try {
    const [pid = '', ...who] = readFileSync(path, 'utf8').trim().split(' ')
    return `'${who.join(' ')}' (process ${pid})`
  } catch {
    return 'another process'
  }
}
