import type { ResultSetHeader, RowDataPacket } from 'mysql2/promise'
import { bindQuery, type CompiledStatement } from '../statement'
import type { Query, Reader, RunResult, Statement, Value } from '../types'
import type { MysqlPool } from './pool'

interface Target {
  execute(sql: string, values: never): Promise<[unknown, unknown]>
}

/** Runs statements, prepared, on a connection or on any of the pool. */
export class Executor implements Reader {
  readonly #target: Target
  readonly #encode: MysqlPool['encode']

  constructor(target: Target, encode: MysqlPool['encode']) {
    this.#target = target
    this.#encode = encode
  }

  async all<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R[]> {
    const { plan, values } = (statement as CompiledStatement<P, R>).bind(params)
    return this.#rows(plan.sql, values)
  }

  async get<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R | undefined> {
    const rows = await this.all(statement, params)
    return rows[0]
  }

  async run<P extends object>(statement: Statement<P, unknown>, params: P): Promise<RunResult> {
    const { plan, values } = (statement as CompiledStatement<P, unknown>).bind(params)
    return this.#result(plan.sql, values)
  }

  async query<R>(query: Query): Promise<R[]> {
    const { sql, values } = bindQuery(query)
    return this.#rows(sql, values)
  }

  async execute(query: Query): Promise<RunResult> {
    const { sql, values } = bindQuery(query)
    return this.#result(sql, values)
  }

  async #rows<R>(sql: string, values: Value[]): Promise<R[]> {
    const [rows] = await this.#target.execute(sql, this.#encode(values) as never)
    return rows as RowDataPacket[] as R[]
  }

  async #result(sql: string, values: Value[]): Promise<RunResult> {
    const [header] = await this.#target.execute(sql, this.#encode(values) as never)
    const { affectedRows, insertId } = header as ResultSetHeader
    return { changes: affectedRows, lastId: insertId }
  }
}
