import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { CodedError } from '../../errors'
import { bindQuery, type CompiledStatement } from '../statement'
import type { Query, Reader, Statement, StorageLog, Value } from '../types'
import { storageClosed } from '../unit'
import type { Answer, Task } from './worker'

/** Milliseconds after which a thread that has nothing to do is ended. */
const IDLE = 30_000
// A thread has none of the hooks of the process, and its file is TypeScript.
const START = `require(${JSON.stringify(join(__dirname, '../../../bin/register.js'))});require(${JSON.stringify(join(__dirname, 'worker.ts'))})`

interface Pending {
  resolve: (value: never) => void
  reject: (error: Error) => void
}

type Work = Task extends infer T ? (T extends Task ? Omit<T, 'id'> : never) : never

/** A thread with connections of its own, for what would hold up the main thread. Started when it is needed. */
export class Background implements Reader {
  readonly #path: string
  readonly #log: StorageLog
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #next = 1
  #closed = false

  constructor(path: string, log: StorageLog) {
    this.#path = path
    this.#log = log
  }

  all<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R[]> {
    return this.#rows(() => {
      const { plan, values } = (statement as CompiledStatement<P, R>).bind(params)
      return { sql: plan.sql, values }
    })
  }

  async get<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R | undefined> {
    const rows = await this.all(statement, params)
    return rows[0]
  }

  query<R>(query: Query): Promise<R[]> {
    return this.#rows(() => bindQuery(query))
  }

  /** Rejects with what the task threw, or `ERR_STORAGE_THREAD` when the thread ended. */
  perform<T>(work: Work): Promise<T> {
    if (this.#closed) return Promise.reject(storageClosed())
    const id = this.#next++
    clearTimeout(this.#idle)
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      const worker = (this.#worker ??= this.#start())
      worker.ref()
      worker.postMessage({ ...work, id })
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    await this.#worker?.terminate()
  }

  async #rows<R>(bind: () => { sql: string; values: Value[] }): Promise<R[]> {
    const rows = await this.perform<Record<string, unknown>[]>({ do: 'all', ...bind() })
    for (const row of rows) {
      // Buffers arrive from the thread as plain byte arrays.
      for (const key in row) {
        const value = row[key]
        if (value instanceof Uint8Array)
          row[key] = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      }
    }
    return rows as R[]
  }

  #start(): Worker {
    const worker = new Worker(START, { eval: true, execArgv: [], workerData: { path: this.#path } })
    worker.on('message', (answer: Answer) => this.#answered(worker, answer))
    worker.on('error', error => this.#ended(worker, error))
    worker.on('exit', () => this.#ended(worker, undefined))
    return worker
  }

  #answered(worker: Worker, answer: Answer): void {
    if ('log' in answer) return this.#log[answer.log](...(answer.args as [object, string]))
    const pending = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    if (this.#pending.size === 0) {
      worker.unref()
      this.#idle = setTimeout(() => this.#retire(worker), IDLE).unref()
    }
    if ('result' in answer) return pending?.resolve(answer.result as never)
    const { message, stack, code } = answer.error
    const error = code === undefined ? new Error(message) : new CodedError(code, message)
    if (stack !== undefined) error.stack = stack
    pending?.reject(error)
  }

  #retire(worker: Worker): void {
    this.#worker = undefined // whatever is asked from now on starts another
    void worker.terminate()
  }

  #ended(worker: Worker, cause: Error | undefined): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const why = cause ? `: ${cause.message}` : ''
    const error = this.#closed
      ? storageClosed()
      : new CodedError('ERR_STORAGE_THREAD', `The storage thread ended before it answered${why}`, { cause })
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
  }
}
