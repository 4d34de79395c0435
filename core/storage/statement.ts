import knexLibrary, { type Knex } from 'knex'
import { CodedError } from '../errors'
import type { Build, Dialect, Placeholder, Query, Statement, Value } from './types'

/** The longest list that a parameter of `whereIn` takes. */
export const MAX_LIST = 1000
// Knex's `limit` and `offset` take numbers alone. A placeholder is read by them as one of these, far from any
// that somebody would write, and is found again among the bindings.
const NUMBERS_FROM = 8_765_432_100_000_000

class Slot {
  constructor(readonly name: string) {}
}

/** One text of SQL; `handles` is room for what a database prepared from it. */
export class Plan {
  readonly handles: unknown[] = []
  constructor(readonly sql: string) {}
}

export interface Bound {
  readonly plan: Plan
  readonly values: Value[]
}

/** A Knex without a connection: it builds, and whoever tries to run something with it is told so by Knex. */
export function createBuilder(dialect: Dialect): Knex {
  return dialect === 'sqlite'
    ? knexLibrary({ client: 'better-sqlite3', useNullAsDefault: true })
    : knexLibrary({ client: 'mysql2' })
}

/** Built by Knex, with room for parameters. */
export class CompiledStatement<P extends object, R> implements Statement<P, R> {
  readonly sql: string
  readonly #plan: Plan
  readonly #slots: readonly (Slot | Value)[]
  #lists: Map<string, Plan> | undefined

  constructor(knex: Knex, build: Build<P>) {
    const slots: Slot[] = []
    const placeholder = ((name: string) => {
      const slot = new Slot(name)
      const raw = knex.raw('?', [slot as never])
      const number = NUMBERS_FROM + slots.push(slot) - 1
      return Object.assign(raw, { toString: () => String(number) })
    }) as unknown as Placeholder<P>
    const { sql, bindings } = compile(build(knex, placeholder))
    this.sql = sql.replaceAll('\\?', '?')
    this.#plan = new Plan(this.sql)
    this.#slots = bindings.map(binding =>
      typeof binding === 'number' && binding >= NUMBERS_FROM
        ? (slots[binding - NUMBERS_FROM] ?? binding)
        : (binding as Slot | Value)
    )
    if (this.#slots.some(slot => slot instanceof Slot) && sql.includes('\\?'))
      throw new CodedError(
        'ERR_STATEMENT',
        `A statement with parameters must not contain an escaped '?': ${sql}`
      )
  }

  /** The values in their positions. Throws `ERR_STATEMENT` for a parameter that is missing. */
  bind(params: P): Bound {
    const slots = this.#slots
    const values = new Array<Value>(slots.length)
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as Slot | Value
      const value = slot instanceof Slot ? params[slot.name as keyof P] : slot
      if (Array.isArray(value)) return this.#bindLists(params)
      if (value === undefined) throw missing(slot, this.sql)
      values[i] = plain(value as Value)
    }
    return { plan: this.#plan, values }
  }

  /**
   * A list takes as many placeholders as the next power of two and repeats its last value, so that lists of all
   * lengths make a handful of prepared statements and not a thousand.
   */
  #bindLists(params: P): Bound {
    const values: Value[] = []
    const sizes = this.#slots.map(slot => {
      const value = slot instanceof Slot ? params[slot.name as keyof P] : slot
      if (value === undefined) throw missing(slot, this.sql)
      if (!Array.isArray(value)) return values.push(plain(value as Value)) && 0
      if (value.length > MAX_LIST)
        throw new CodedError(
          'ERR_STATEMENT',
          `A list of ${value.length} values; ${MAX_LIST} are allowed: ${this.sql}`
        )
      const size = value.length === 0 ? 1 : 2 ** Math.ceil(Math.log2(value.length))
      for (let i = 0; i < size; i++)
        values.push(plain((value[Math.min(i, value.length - 1)] ?? null) as Value))
      return size
    })
    const key = sizes.join()
    this.#lists ??= new Map()
    let plan = this.#lists.get(key)
    if (!plan) {
      let next = 0
      plan = new Plan(
        this.sql.replaceAll('?', () => '?' + ', ?'.repeat(Math.max(0, (sizes[next++] ?? 0) - 1)))
      )
      this.#lists.set(key, plan)
    }
    return { plan, values }
  }
}

/** SQL and values of a builder that runs once. */
export function bindQuery(query: Query): { sql: string; values: Value[] } {
  const { sql, bindings } = compile(query)
  return { sql: sql.replaceAll('\\?', '?'), values: bindings.map(value => plain(value as Value)) }
}

function compile(query: Query): { sql: string; bindings: readonly unknown[] } {
  const compiled = query.toSQL() as unknown as { sql?: string; bindings?: readonly unknown[] }
  if (compiled.sql === undefined)
    throw new CodedError('ERR_STATEMENT', 'The query compiles to no single statement')
  return { sql: compiled.sql, bindings: compiled.bindings ?? [] }
}

function plain(value: Value): Value {
  return value === true ? 1 : value === false ? 0 : value
}

function missing(slot: unknown, sql: string): CodedError {
  const name = slot instanceof Slot ? `'${slot.name}'` : 'of the builder'
  return new CodedError('ERR_STATEMENT', `The parameter ${name} is undefined (null is a value): ${sql}`)
}
