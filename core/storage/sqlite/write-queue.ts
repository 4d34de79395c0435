import { performance } from 'node:perf_hooks'
import { CodedError } from '../../errors'
import type { Releasable, StorageLog, Unit } from '../types'
import { describeUnit, isPromise, runHooks, storageClosed, unitOverdue } from '../unit'
import type { Statements } from './statements'
import { SqliteTx } from './tx'

/** A group ends after so many units or milliseconds, so that reading and sending get their turn. */
const MAX_UNITS = 256
const MAX_MS = 10
/** Milliseconds for which a group waits for a lock of another process before all of it fails. */
const BUSY_LIMIT = 10_000

interface Job {
  readonly unit: Unit<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  hooks: (() => void)[] | undefined
  failed: boolean
  /** What the unit returned, or what it threw. */
  result: unknown
}

export interface WriteQueueOptions {
  /** Makes what was committed durable; without it a commit is enough. */
  sync?: (() => Promise<void>) | undefined
  /** Milliseconds for which a unit may wait for something else than its transaction. */
  unitTimeout: number
  /** Milliseconds after which a group takes no further unit; 10 unless given. */
  groupTime?: number
  /** Called after each group. */
  afterGroup?: () => void
}

/**
 * Group commit: what is written in one turn of the loop, and what gathers while the group before is made durable,
 * runs in one transaction, unit after unit, each in a savepoint of its own. All are told at the end, in order.
 */
export class WriteQueue {
  readonly #statements: Statements
  readonly #log: StorageLog
  readonly #options: WriteQueueOptions
  readonly #sql
  readonly #warned = new Set<string>()
  #waiting: Job[] = []
  #exclusive: (() => Promise<void>)[] = []
  #busy = false
  #closed = false
  /** Why nothing can be written any more. */
  #fatal: Error | undefined
  #idle: (() => void) | undefined
  /** The unit that is being awaited. */
  #current: { unit: Unit<unknown>; abort: (error: Error) => void } | undefined
  #watch: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(statements: Statements, log: StorageLog, options: WriteQueueOptions) {
    this.#statements = statements
    this.#log = log
    this.#options = options
    const { connection } = statements
    this.#sql = {
      begin: connection.prepare('BEGIN IMMEDIATE'),
      commit: connection.prepare('COMMIT'),
      rollback: connection.prepare('ROLLBACK'),
      savepoint: connection.prepare('SAVEPOINT unit'),
      undo: connection.prepare('ROLLBACK TO unit'),
      release: connection.prepare('RELEASE unit')
    }
  }

  write<T>(unit: Unit<T>, sender?: Releasable): Promise<T> {
    if (this.#closed) return Promise.reject(storageClosed())
    const promise = new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        unit,
        resolve: resolve as (value: unknown) => void,
        reject,
        hooks: undefined,
        failed: false,
        result: undefined
      })
    })
    this.#schedule()
    sender?.release()
    return promise
  }

  /** Runs something between two groups, with the connection in no transaction; the next group waits for it. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(storageClosed())
    return new Promise<T>((resolve, reject) => {
      this.#exclusive.push(() => task().then(resolve, reject))
      this.#schedule()
    })
  }

  /** Refuses what comes from now on; resolves when nothing is under way. */
  close(): Promise<void> {
    this.#closed = true
    if (!this.#busy) return Promise.resolve()
    return new Promise(resolve => (this.#idle = resolve))
  }

  #schedule(): void {
    if (this.#busy) return
    this.#busy = true
    // After the poll phase: what all sockets brought in this turn of the loop joins the group.
    setImmediate(() => void this.#next())
  }

  /** One exclusive task or one group. Does not reject. */
  async #next(): Promise<void> {
    const task = this.#exclusive.shift()
    if (task) await task()
    else await this.#group()
    this.#busy = false
    if (this.#waiting.length > 0 || this.#exclusive.length > 0) this.#schedule()
    else this.#idle?.()
  }

  async #group(): Promise<void> {
    const done: Job[] = []
    let failure: unknown
    try {
      if (this.#fatal !== undefined) throw this.#fatal
      await this.#begin()
      await this.#units(done)
      this.#sql.commit.run()
      if (this.#options.sync) await this.#sync(this.#options.sync)
    } catch (error) {
      failure = error ?? new Error('The commit failed')
      if (this.#statements.connection.inTransaction) this.#sql.rollback.run()
      // No unit has begun: the group could not.
      if (done.length === 0) done.push(...this.#waiting.splice(0))
    }
    for (const job of done) settle(job, failure, this.#log)
    this.#options.afterGroup?.()
  }

  async #begin(): Promise<void> {
    const until = performance.now() + BUSY_LIMIT
    for (;;) {
      try {
        this.#sql.begin.run()
        return
      } catch (error) {
        // Another process holds the lock (a backup, somebody at the sqlite3 shell): wait, but not blocking.
        if (!isBusy(error) || performance.now() > until) throw error
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
  }

  /** Runs units until the group is full or nobody waits. Throws when the transaction itself is lost. */
  async #units(done: Job[]): Promise<void> {
    const until = performance.now() + (this.#options.groupTime ?? MAX_MS)
    this.#arm()
    try {
      // The length is asked anew each time: what is written meanwhile joins.
      while (done.length < this.#waiting.length && done.length < MAX_UNITS && performance.now() < until) {
        const job = this.#waiting[done.length] as Job
        done.push(job)
        await this.#run(job)
        if (!this.#statements.connection.inTransaction) throw transactionLost(job)
      }
    } finally {
      this.#disarm()
      this.#waiting.splice(0, done.length)
    }
  }

  async #run(job: Job): Promise<void> {
    const tx = new SqliteTx(this.#statements)
    this.#sql.savepoint.run()
    try {
      const result = job.unit(tx)
      job.result = isPromise(result) ? await this.#settled(job.unit, result) : result
      job.hooks = tx.hooks
    } catch (error) {
      job.failed = true
      job.result = error
    }
    tx.end()
    if (!this.#statements.connection.inTransaction) return
    if (job.failed) this.#sql.undo.run()
    this.#sql.release.run()
  }

  async #settled(unit: Unit<unknown>, result: PromiseLike<unknown>): Promise<unknown> {
    try {
      return await new Promise((resolve, reject) => {
        this.#current = { unit, abort: reject }
        result.then(resolve, reject)
      })
    } finally {
      this.#current = undefined
      if (this.#timer) {
        this.#disarm()
        this.#arm()
      }
    }
  }

  /**
   * Units that await nothing but their transaction run through before the loop turns. If it turns while one of
   * them is awaited, that one awaits something else: the author is told, and it is undone when it takes too long.
   */
  #arm(): void {
    this.#watch = setImmediate(() => {
      if (!this.#current) return
      const { unit, abort } = this.#current
      const text = describeUnit(unit)
      if (!this.#warned.has(text) && this.#warned.size < 100) {
        this.#warned.add(text)
        this.#log.warn({ unit: text }, 'A unit of writing awaits something that is not its transaction')
      }
      const timeout = this.#options.unitTimeout
      this.#timer = setTimeout(() => abort(unitOverdue(unit, timeout)), timeout)
    })
  }

  #disarm(): void {
    clearImmediate(this.#watch)
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #sync(sync: () => Promise<void>): Promise<void> {
    try {
      await sync()
    } catch (error) {
      this.#fatal = error as Error
      throw error
    }
  }
}

function isBusy(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')
}

/** The error of a unit is its own; the others of a group that failed share the group's. */
function settle(job: Job, failure: unknown, log: StorageLog): void {
  if (job.failed) return job.reject(job.result)
  if (failure !== undefined) return job.reject(failure)
  runHooks(job.hooks, log)
  job.resolve(job.result)
}

/** A full disk, for one, ends the transaction in the middle (sqlite.org/lang_transaction.html). */
function transactionLost(job: Job): CodedError {
  const reason = job.failed && job.result instanceof Error ? job.result.message : 'the transaction has ended'
  return new CodedError('ERR_STORAGE_COMMIT', `Nothing of this group of writes was stored: ${reason}`, {
    cause: job.result
  })
}
