import type { Engine } from '../engine'
import type { MigrationReport, SqliteOptions, StorageLog } from '../types'
import { Background } from './background'
import { Checkpoints } from './checkpoints'
import { openReader, openWriter } from './connection'
import { LogSync } from './log-sync'
import { hasPending, runSqliteMigrations } from './migrate'
import { SqliteReader } from './reader'
import { Statements } from './statements'
import { WriteQueue } from './write-queue'

/** A database of fewer pages (4 KiB each) is migrated where it is: starting a thread would take longer. */
const SMALL = 1000

/** SQLite: one connection that writes, one that reads, and threads for what takes long. */
export function openSqlite(options: SqliteOptions, log: StorageLog, unitTimeout: number): Engine {
  const { path } = options
  const writer = openWriter(path)
  // Opening may wait for a lock of another process; a group waits without blocking.
  writer.pragma('busy_timeout = 0')
  // The log file is made by the first access.
  writer.pragma('user_version')
  const sync = options.durability === 'normal' ? undefined : new LogSync(path)
  const reader = openReader(path)
  // Writes wait for migrations and for the end of checkpoints, and so these never wait behind a search.
  const upkeep = new Background(path, log)
  const searches = new Background(path, log)
  const queue = new WriteQueue(new Statements(writer, 0), log, {
    sync: sync && (() => sync.sync()),
    unitTimeout,
    afterGroup: () => checkpoints.check()
  })
  const checkpoints = new Checkpoints(writer, queue, upkeep, log)

  async function migrate(owner: string, folder: string): Promise<MigrationReport> {
    if (!hasPending(writer, owner, folder)) return { ran: [] }
    return queue.exclusively(async () => {
      const pages = writer.pragma('page_count', { simple: true }) as number
      const report = await (pages < SMALL
        ? runSqliteMigrations(path, owner, folder, log)
        : upkeep.perform<MigrationReport>({ do: 'migrate', owner, folder }))
      await sync?.sync()
      return report
    })
  }

  return {
    dialect: 'sqlite',
    read: new SqliteReader(new Statements(reader, 1)),
    wide: searches,
    write: (unit, sender) => queue.write(unit, sender),
    migrate,
    integrityCheck: () => searches.perform<string[]>({ do: 'integrity' }),
    async close() {
      await queue.close()
      await Promise.all([upkeep.close(), searches.close()])
      reader.close()
      // The last connection moves the log into the database and removes it.
      sync?.close()
      writer.close()
    }
  }
}
