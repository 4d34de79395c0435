import { join } from 'node:path'
import type { Knex } from 'knex'
import type { z } from 'zod'
import type { Engine } from './engine'
import { entryStatements, type EntryStatements } from './entries'
import { purgeRows, rowsOfHost, type HostRows } from './purge'
import { CompiledStatement, createBuilder } from './statement'
import { ownerOf, TableStore } from './store'
import type {
  Build,
  Database,
  Dialect,
  MigrationReport,
  Reader,
  Releasable,
  Statement,
  Store,
  StoreOptions,
  Tx,
  Unit
} from './types'
import { storageClosed } from './unit'

/** What is the same on every database, over an engine. */
export class EngineDatabase implements Database {
  readonly dialect: Dialect
  readonly knex: Knex
  readonly read: Reader
  readonly wide: Reader
  readonly #engine: Engine
  readonly #entries: EntryStatements
  #closed: Promise<void> | undefined

  constructor(engine: Engine) {
    this.#engine = engine
    this.dialect = engine.dialect
    this.read = engine.read
    this.wide = engine.wide
    this.knex = createBuilder(engine.dialect)
    this.#entries = entryStatements(this)
  }

  statement<P extends object, R = never>(build: Build<P>): Statement<P, R> {
    return new CompiledStatement<P, R>(this.knex, build)
  }

  write<T>(unit: Unit<T>, sender?: Releasable): Promise<T> {
    if (this.#closed) return Promise.reject(storageClosed())
    return this.#engine.write(unit, sender)
  }

  store<T>(
    host: string,
    module: string,
    name: string,
    schema: z.ZodType<T>,
    options: StoreOptions = {}
  ): Store<T> {
    return new TableStore(this, this.#entries, { host, module, name }, schema, options)
  }

  async purgeAccount(tx: Tx, host: string, user: string): Promise<void> {
    await tx.run(this.#entries.removeOwned, { owner: ownerOf(host, user) })
  }

  rowsOfHost(host: string): Promise<HostRows[]> {
    return rowsOfHost(this, host)
  }

  purgeHost(host: string): Promise<number> {
    return purgeRows(this, host)
  }

  migrate(owner: string, folder: string): Promise<MigrationReport> {
    if (this.#closed) return Promise.reject(storageClosed())
    return this.#engine.migrate(owner, folder)
  }

  /** Storage's own tables. */
  prepare(): Promise<MigrationReport> {
    return this.migrate('storage', join(__dirname, 'migrations'))
  }

  integrityCheck(): Promise<string[]> {
    return this.#engine.integrityCheck()
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#engine.close())
  }
}
