import { unitOver } from '../unit'
import type { Query, RunResult, Statement, Tx } from '../types'
import { rejected } from './reader'
import type { Statements } from './statements'

/** One unit's access to the connection that writes. Works at once, answers with promises that are settled. */
export class SqliteTx implements Tx {
  readonly dialect = 'sqlite'
  /** What is called back after the commit. */
  hooks: (() => void)[] | undefined
  #on: Statements | undefined

  constructor(on: Statements) {
    this.#on = on
  }

  /** The unit has ended: whatever of it still runs may touch nothing. */
  end(): void {
    this.#on = undefined
  }

  all<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R[]> {
    try {
      return Promise.resolve(this.#open().all(statement, params))
    } catch (error) {
      return rejected(error)
    }
  }

  get<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R | undefined> {
    try {
      return Promise.resolve(this.#open().get(statement, params))
    } catch (error) {
      return rejected(error)
    }
  }

  run<P extends object>(statement: Statement<P, unknown>, params: P): Promise<RunResult> {
    try {
      return Promise.resolve(this.#open().run(statement, params))
    } catch (error) {
      return rejected(error)
    }
  }

  query<R>(query: Query): Promise<R[]> {
    try {
      return Promise.resolve(this.#open().query<R>(query))
    } catch (error) {
      return rejected(error)
    }
  }

  execute(query: Query): Promise<RunResult> {
    try {
      return Promise.resolve(this.#open().execute(query))
    } catch (error) {
      return rejected(error)
    }
  }

  afterCommit(fn: () => void): void {
    this.#open()
    ;(this.hooks ??= []).push(fn)
  }

  #open(): Statements {
    if (!this.#on) throw unitOver()
    return this.#on
  }
}
