import type BetterSqlite3 from 'better-sqlite3'
import type { StorageLog } from '../types'
import type { Background } from './background'
import type { Connection } from './connection'
import type { WriteQueue } from './write-queue'

/** Pages (4 KiB each) in the log that bring about a checkpoint. */
const PAGES = 4000
/** SQLite's own checkpoint, within a commit: only for when ours does not come. */
const LAST_RESORT = 40_000

/**
 * Moves the log into the database on the storage thread: within a commit, where SQLite does it, it stops the
 * process for ten milliseconds on a fast disk, every few hundred writes.
 */
export class Checkpoints {
  readonly #state: BetterSqlite3.Statement<[], { log: number; checkpointed: number }>
  readonly #queue: WriteQueue
  readonly #background: Background
  readonly #log: StorageLog
  #running = false

  constructor(writer: Connection, queue: WriteQueue, background: Background, log: StorageLog) {
    writer.pragma(`wal_autocheckpoint = ${LAST_RESORT}`)
    this.#state = writer.prepare('PRAGMA wal_checkpoint(NOOP)')
    this.#queue = queue
    this.#background = background
    this.#log = log
  }

  /** To be called after each group. */
  check(): void {
    if (this.#running) return
    const state = this.#state.get()
    if (!state || state.log - state.checkpointed < PAGES) return
    this.#running = true
    this.#run()
      .catch((error: unknown) => {
        // The last connection that is closed does the same.
        if ((error as { code?: unknown }).code === 'ERR_STORAGE_CLOSED') return
        this.#log.warn({ err: error }, 'The write-ahead log could not be moved into the database; it grows')
      })
      .finally(() => (this.#running = false))
  }

  async #run(): Promise<void> {
    // Most of it beside the writes; then the rest with none under way, so that the log begins anew.
    await this.#background.perform({ do: 'checkpoint' })
    await this.#queue.exclusively(() => this.#background.perform({ do: 'checkpoint' }))
  }
}
