import fs from 'node:fs'
import { CodedError } from '../../errors'
import { dirname } from 'node:path'

/**
 * Makes commits durable without stopping the process: SQLite writes the log and this syncs it, on a thread of
 * Node's pool, while other stanzas are handled. It is the sync that `synchronous = FULL` does at every commit,
 * on the same file, and nothing is acknowledged before it. (SQLite's own blocks the main thread for as long as
 * the disk takes: 0.1 ms on the disk of a virtual machine, ten on a spinning one.)
 */
export class LogSync {
  readonly #fd: number
  #broken: CodedError | undefined

  /** The log must exist: it does once a connection in WAL mode has read or written. */
  constructor(path: string) {
    // Only ever the log: closing a descriptor of the database file itself would drop SQLite's locks on it.
    this.#fd = fs.openSync(`${path}-wal`, 'r+')
    // The names of the files must survive as well.
    const folder = fs.openSync(dirname(path), 'r')
    try {
      fs.fsyncSync(folder)
    } finally {
      fs.closeSync(folder)
    }
  }

  /** Rejects, for ever after the first time, when the disk refuses: what it holds is then unknown. */
  sync(): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken)
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, error => {
        if (!error) return resolve()
        this.#broken ??= new CodedError(
          'ERR_STORAGE_SYNC',
          `The disk failed to keep what was written (${error.message}); nothing more is written until the server is restarted`,
          { cause: error }
        )
        reject(this.#broken)
      })
    })
  }

  close(): void {
    fs.closeSync(this.#fd)
  }
}
