import type { Knex } from 'knex'
import type { z } from 'zod'
import type { Log } from '../log'

export type Dialect = 'sqlite' | 'mysql'

/**
 * What a statement binds and a row holds. Times are integer milliseconds UTC, yes and no are 1 and 0.
 * An array is only for `whereIn('column', [p('name')])`; an empty one matches nothing (never use it with NOT IN).
 */
export type Value = string | number | bigint | boolean | Buffer | null
export type StorageLog = Pick<Log, 'debug' | 'info' | 'warn' | 'error'>

declare const PARAMS: unique symbol
declare const ROW: unique symbol

/** A statement that Knex built once and that runs prepared; `P` is what it binds, `R` a row of its answer. */
export interface Statement<P extends object, R = never> {
  readonly sql: string
  readonly [PARAMS]?: (params: P) => void
  readonly [ROW]?: R
}

/** Stands for the value of a parameter while a statement is built; also in `limit` and `offset`. */
export type Placeholder<P> = (name: keyof P & string) => Knex.Raw & number
export type Build<P> = (knex: Knex, p: Placeholder<P>) => Knex.QueryBuilder | Knex.Raw

/** A builder that is run once, unprepared: ten times slower than a statement, for what is rare. */
export type Query = Knex.QueryBuilder | Knex.Raw

export interface RunResult {
  /** Rows inserted, updated or deleted; what an upsert counts differs between the databases. */
  readonly changes: number
  /** The integer key that the last insert made; of no meaning after anything else. */
  readonly lastId: number
}

/** Reads what is committed; never waits for a write. */
export interface Reader {
  all<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R[]>
  get<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R | undefined>
  query<R>(query: Query): Promise<R[]>
}

/** A unit's transaction: sees its own writes. Of no use once the unit has ended (`ERR_STORAGE_UNIT_OVER`). */
export interface Tx extends Reader {
  readonly dialect: Dialect
  run<P extends object>(statement: Statement<P, unknown>, params: P): Promise<RunResult>
  /** Runs an insert, update or delete that is not prepared. */
  execute(query: Query): Promise<RunResult>
  /**
   * Calls back once the unit is committed, before `write` resolves, in the order of registration; never when it
   * failed. For memory and the wire: what happens in the unit itself may be undone, and run again.
   */
  afterCommit(fn: () => void): void
}

/**
 * What one write does, whole or not at all. It awaits nothing but its transaction, and it may run again (a
 * deadlock on MySQL), so it changes nothing but the database. Units do not see each other's halves: what a unit
 * has read stays true until it ends, on both databases. On MySQL `.forUpdate()` on what is read in order to be
 * changed avoids deadlocks; SQLite ignores it.
 */
export type Unit<T> = (tx: Tx) => Promise<T> | T

/** Whose turn a write takes: a stanza's event. */
export interface Releasable {
  /** Called once, within `write`, when the unit has its place: what the same sender writes later comes later. */
  release(): void
}

export interface MigrationReport {
  /** Names of the migrations that ran, in order. */
  readonly ran: string[]
}

export interface Database {
  readonly dialect: Dialect
  /** Builds statements; has no connection and cannot run anything. */
  readonly knex: Knex
  readonly read: Reader
  /** As `read`, off the main thread: for searches that hold the database long. */
  readonly wide: Reader

  /** Builds a statement, once, at load. Throws when Knex cannot. */
  statement<P extends object, R = never>(build: Build<P>): Statement<P, R>

  /**
   * Writes. Resolves with what the unit returned once it is committed and durable; a read started after that
   * sees it. Rejects with what the unit threw, or with what failed at the commit; then nothing of it is stored.
   * Units run in the order of these calls on SQLite. On MySQL units of several callers run side by side, and
   * `sender.release` is not called: there a sender's order is kept by waiting.
   */
  write<T>(unit: Unit<T>, sender?: Releasable): Promise<T>

  /** A typed key-value store. The same arguments give access to the same entries. */
  store<T>(host: string, module: string, name: string, schema: z.ZodType<T>, options?: StoreOptions): Store<T>

  /** Deletes what stores keep of an account (`StoreOptions.owner`), inside the write that deletes the account. */
  purgeAccount(tx: Tx, host: string, user: string): Promise<void>
  /** How many rows of each table are of a host; of those that belong to others, only these count. */
  rowsOfHost(host: string): Promise<{ table: string; rows: number }[]>
  /**
   * Deletes everything of a host, whatever module it is of: the rows of all tables with a column `host`, and by
   * foreign key what belongs to them, in bounded units of its own. Resolves with the number of rows that name the host.
   */
  purgeHost(host: string): Promise<number>

  /**
   * Runs the migrations in a folder that have not been run for this owner (`core`, `mod_channels`), in the order
   * of their names. Rejects with `ERR_MIGRATION` naming the file; those before it stay, it is tried again next time.
   */
  migrate(owner: string, folder: string): Promise<MigrationReport>
  /** Faults that the database finds in itself; empty when it is sound. Runs off the main thread. */
  integrityCheck(): Promise<string[]>
  /** Waits for the writes under way; later ones are refused with `ERR_STORAGE_CLOSED`. */
  close(): Promise<void>
}

export interface StoreOptions {
  /**
   * Whose the entries are. `user`: the key, up to its first `/`, is the name of an account of the host, and the
   * entries go when the account goes. `host` (the default): the host's.
   */
  owner?: 'host' | 'user'
}

export interface Page {
  /** Only keys that begin so; 500 bytes at most. */
  prefix?: string
  /** Only keys after this one: the last key of the page before. */
  after?: string
  /** 1 to 1,000. */
  limit: number
}

export interface Entry<T> {
  readonly key: string
  readonly value: T
}

/**
 * Keys are compared byte for byte and are 1 to 3,071 bytes long; a value is what JSON can carry, 16,777,215 bytes
 * at most, and is checked by the schema whenever it is read: one that does not fit rejects with `ERR_STORE_VALUE`,
 * which names host, module, store and key. With a `tx` as last argument a call is part of that unit, otherwise a
 * write is a unit of its own, in the turn of `sender`.
 */
export interface Store<T> {
  get(key: string, tx?: Tx): Promise<T | undefined>
  set(key: string, value: T, by?: Tx | Releasable): Promise<void>
  /**
   * Replaces what is there by what `fn` makes of it; `undefined` means nothing, on both sides. `fn` is
   * synchronous and pure: it may run again. Resolves with the new value.
   */
  update(key: string, fn: (old: T | undefined) => T | undefined, by?: Tx | Releasable): Promise<T | undefined>
  /** False if there was none. */
  delete(key: string, by?: Tx | Releasable): Promise<boolean>
  /** One page, in the byte order of the keys (of their first 512 bytes; longer ones that share these, in no order). */
  entries(page: Page, tx?: Tx): Promise<Entry<T>[]>
  count(tx?: Tx): Promise<number>
}

/** What a migration works with: `export async function up (db: MigrationContext)`. */
export interface MigrationContext {
  readonly dialect: Dialect
  /** Connected; on SQLite all of one migration is one transaction, on MySQL each statement stands alone. */
  readonly knex: Knex
  /**
   * Creates a table unless it is there, on MySQL with InnoDB and a collation that compares byte for byte and does
   * not pad: text is what it is, not what it looks like.
   */
  createTable(name: string, build: (table: Knex.CreateTableBuilder) => void): Promise<void>
  /** Adds columns (each unless it is there). */
  addColumns(table: string, build: (table: Knex.CreateTableBuilder) => void): Promise<void>
  /** Adds an index unless there is one of this name. */
  addIndex(table: string, name: string, columns: string[], options?: { unique?: boolean }): Promise<void>
  /** A column for a name of up to 3,071 bytes, and `NAME_hash` (`nameHash` of it), by which it is indexed or unique. */
  longName(table: Knex.CreateTableBuilder, column: string): void
  /** A column for XML or JSON, up to 16 MiB (MEDIUMTEXT). */
  payload(table: Knex.CreateTableBuilder, column: string): Knex.ColumnBuilder
  /** A column for a time in integer milliseconds UTC. */
  time(table: Knex.CreateTableBuilder, column: string): Knex.ColumnBuilder
  /** Tells the log how far a long migration has come. */
  progress(done: number, total: number): void
}

export interface SqliteOptions {
  driver: 'sqlite'
  /** The database file; its folder is made when it is missing. */
  path: string
  /** `full`: what was acknowledged survives a power cut. `normal`: the last moments may be lost, nothing is torn. */
  durability?: 'full' | 'normal'
}

export interface MysqlOptions {
  driver: 'mysql'
  host?: string
  port?: number
  /** Path of a Unix socket, instead of host and port. */
  socket?: string
  user: string
  password?: string
  database: string
  /** Connections at most; 10 unless given. */
  pool?: number
}

export type StorageOptions = SqliteOptions | MysqlOptions
