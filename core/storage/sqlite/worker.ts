import { parentPort, workerData } from 'node:worker_threads'
import type { StorageLog, Value } from '../types'
import { openReader, openWriter, type Connection } from './connection'

/** What the thread is asked for; `id` comes back with the answer. */
export type Task =
  | { id: number; do: 'all'; sql: string; values: Value[] }
  | { id: number; do: 'integrity' | 'checkpoint' }
  | { id: number; do: 'migrate'; owner: string; folder: string }

export type Answer =
  | { id: number; result: unknown }
  | { id: number; error: { message: string; stack?: string | undefined; code?: string | undefined } }
  | { log: keyof StorageLog; args: unknown[] }

const { path } = workerData as { path: string }
const port = parentPort
let reader: Connection | undefined
let writer: Connection | undefined

const say =
  (level: keyof StorageLog) =>
  (...args: unknown[]): void =>
    port?.postMessage({ log: level, args } satisfies Answer)
const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') } as StorageLog

async function perform(task: Task): Promise<unknown> {
  if (task.do === 'migrate') {
    // Here and not above: Knex is large, and most threads never migrate.
    const { runSqliteMigrations } = require('./migrate') as typeof import('./migrate')
    return runSqliteMigrations(path, task.owner, task.folder, log)
  }
  if (task.do === 'checkpoint') {
    writer ??= openWriter(path)
    writer.pragma('wal_checkpoint(PASSIVE)')
    return undefined
  }
  reader ??= openReader(path)
  if (task.do === 'all') return reader.prepare(task.sql).all(...task.values)
  return faults(reader)
}

function faults(connection: Connection): string[] {
  try {
    const rows = connection.pragma('integrity_check') as { integrity_check: string }[]
    const orphans = connection.pragma('foreign_key_check') as {
      table: string
      rowid: number
      parent: string
    }[]
    return [
      ...rows.map(row => row.integrity_check).filter(line => line !== 'ok'),
      ...orphans.map(
        row => `row ${row.rowid} of ${row.table} refers to a row that ${row.parent} does not have`
      )
    ]
  } catch (error) {
    // Damage can end the check itself.
    if (!String((error as { code?: unknown }).code).startsWith('SQLITE_CORRUPT')) throw error
    return [(error as Error).message]
  }
}

port?.on('message', (task: Task) => {
  perform(task).then(
    result => port.postMessage({ id: task.id, result } satisfies Answer),
    (thrown: unknown) => {
      const { message, stack, code } = thrown as Error & { code?: string }
      port.postMessage({ id: task.id, error: { message, stack, code } } satisfies Answer)
    }
  )
})
