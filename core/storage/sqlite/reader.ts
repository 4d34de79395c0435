import type { Query, Reader, Statement } from '../types'
import type { Statements } from './statements'

/** Reads at once and answers with promises that are settled already. */
export class SqliteReader implements Reader {
  readonly #on: Statements

  constructor(on: Statements) {
    this.#on = on
  }

  all<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R[]> {
    try {
      return Promise.resolve(this.#on.all(statement, params))
    } catch (error) {
      return rejected(error)
    }
  }

  get<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R | undefined> {
    try {
      return Promise.resolve(this.#on.get(statement, params))
    } catch (error) {
      return rejected(error)
    }
  }

  query<R>(query: Query): Promise<R[]> {
    try {
      return Promise.resolve(this.#on.query<R>(query))
    } catch (error) {
      return rejected(error)
    }
  }
}

export function rejected(error: unknown): Promise<never> {
  const reason = error as Error
  return Promise.reject(reason)
}
