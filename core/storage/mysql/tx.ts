import type { Query, RunResult, Statement, Tx } from '../types'
import { unitOver } from '../unit'
import { isRetryable } from './errors'
import type { Executor } from './executor'

/** One unit's transaction on a connection of the pool. */
export class MysqlTx implements Tx {
  readonly dialect = 'mysql'
  hooks: (() => void)[] | undefined
  /** The server has undone the transaction; what followed would stand outside it. */
  doomed: Error | undefined
  /** Statements that have not been answered. */
  pending = 0
  #on: Executor | undefined

  constructor(on: Executor) {
    this.#on = on
  }

  end(): void {
    this.#on = undefined
  }

  all<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R[]> {
    return this.#do(on => on.all(statement, params))
  }

  get<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R | undefined> {
    return this.#do(on => on.get(statement, params))
  }

  run<P extends object>(statement: Statement<P, unknown>, params: P): Promise<RunResult> {
    return this.#do(on => on.run(statement, params))
  }

  query<R>(query: Query): Promise<R[]> {
    return this.#do(on => on.query<R>(query))
  }

  execute(query: Query): Promise<RunResult> {
    return this.#do(on => on.execute(query))
  }

  afterCommit(fn: () => void): void {
    if (!this.#on) throw unitOver()
    ;(this.hooks ??= []).push(fn)
  }

  async #do<T>(work: (on: Executor) => Promise<T>): Promise<T> {
    if (this.doomed !== undefined) throw this.doomed
    if (!this.#on) throw unitOver()
    this.pending++
    try {
      return await work(this.#on)
    } catch (error) {
      if (isRetryable(error)) this.doomed = error as Error
      throw error
    } finally {
      this.pending--
    }
  }
}
