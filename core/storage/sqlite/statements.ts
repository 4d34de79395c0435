import type BetterSqlite3 from 'better-sqlite3'
import { CodedError } from '../../errors'
import { bindQuery, type CompiledStatement, type Plan } from '../statement'
import type { Query, RunResult, Statement, Value } from '../types'
import type { Connection } from './connection'

const MAX_CACHED = 200

type Prepared = BetterSqlite3.Statement<Value[]>

/** Runs statements on one connection, each prepared once. */
export class Statements {
  readonly connection: Connection
  readonly #slot: number
  /** Of queries, by their SQL; the oldest goes when there are too many. */
  readonly #queries = new Map<string, Prepared>()

  /** `slot` is this connection's place among the handles of a plan. */
  constructor(connection: Connection, slot: number) {
    this.connection = connection
    this.#slot = slot
  }

  all<P extends object, R>(statement: Statement<P, R>, params: P): R[] {
    const { plan, values } = (statement as CompiledStatement<P, R>).bind(params)
    return this.#prepared(plan).all(...values) as R[]
  }

  get<P extends object, R>(statement: Statement<P, R>, params: P): R | undefined {
    const { plan, values } = (statement as CompiledStatement<P, R>).bind(params)
    return this.#prepared(plan).get(...values) as R | undefined
  }

  run<P extends object>(statement: Statement<P, unknown>, params: P): RunResult {
    const { plan, values } = (statement as CompiledStatement<P, unknown>).bind(params)
    return asResult(this.#prepared(plan).run(...values))
  }

  query<R>(query: Query): R[] {
    const { sql, values } = bindQuery(query)
    return this.#cached(sql).all(...values) as R[]
  }

  execute(query: Query): RunResult {
    const { sql, values } = bindQuery(query)
    return asResult(this.#cached(sql).run(...values))
  }

  #prepared(plan: Plan): Prepared {
    const handle = plan.handles[this.#slot] as Prepared | undefined
    if (handle === undefined) return (plan.handles[this.#slot] = this.connection.prepare<Value[]>(plan.sql))
    if (handle.database !== this.connection)
      throw new CodedError('ERR_STATEMENT', `A statement of another database: ${plan.sql}`)
    return handle
  }

  #cached(sql: string): Prepared {
    const known = this.#queries.get(sql)
    if (known) return known
    const prepared = this.connection.prepare<Value[]>(sql)
    if (this.#queries.size >= MAX_CACHED)
      for (const oldest of this.#queries.keys()) {
        this.#queries.delete(oldest)
        break
      }
    this.#queries.set(sql, prepared)
    return prepared
  }
}

function asResult(result: BetterSqlite3.RunResult): RunResult {
  return { changes: result.changes, lastId: Number(result.lastInsertRowid) }
}
