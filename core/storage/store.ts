import type { z } from 'zod'
import { CodedError } from '../errors'
import type { EntryRow, EntryStatements } from './entries'
import { BEFORE_ALL, checkPrefix, digest, splitKey, type KeyParts } from './keys'
import { checkName } from './names'
import type { Database, Entry, Page, Reader, Releasable, Store, StoreOptions, Tx, Unit } from './types'

/** What MEDIUMTEXT holds. */
const MAX_VALUE = 16_777_215
const MAX_PAGE = 1000

export interface StorePlace {
  readonly host: string
  readonly module: string
  readonly name: string
}

type Access = Pick<Database, 'read' | 'write'>

/** Entries of one host, module and name in the table that all stores share. */
export class TableStore<T> implements Store<T> {
  readonly #database: Access
  readonly #sql: EntryStatements
  readonly #place: StorePlace
  readonly #schema: z.ZodType<T>
  readonly #owned: boolean
  readonly #space: Buffer

  constructor(
    database: Access,
    sql: EntryStatements,
    place: StorePlace,
    schema: z.ZodType<T>,
    options: StoreOptions
  ) {
    for (const [what, name] of Object.entries(place)) {
      // The store of the server itself has no host.
      if (what !== 'host' || name !== '') checkName(name, `${what} of a store`)
    }
    this.#database = database
    this.#sql = sql
    this.#place = place
    this.#schema = schema
    this.#owned = options.owner === 'user'
    this.#space = digest(place.host, place.module, place.name)
  }

  async get(key: string, tx?: Tx): Promise<T | undefined> {
    const { head, tailHash } = splitKey(key)
    const row = await (tx ?? this.#database.read).get(this.#sql.read, { space: this.#space, head, tailHash })
    return row && this.#parse(key, row.value)
  }

  async set(key: string, value: T, by?: Tx | Releasable): Promise<void> {
    const parts = splitKey(key)
    const text = this.#serialise(key, value)
    await this.#within(by, tx => this.#write(tx, key, parts, text))
  }

  async update(
    key: string,
    fn: (old: T | undefined) => T | undefined,
    by?: Tx | Releasable
  ): Promise<T | undefined> {
    const parts = splitKey(key)
    return this.#within(by, async tx => {
      const row = await tx.get(this.#sql.lock, { space: this.#space, ...parts })
      const value = fn(row && this.#parse(key, row.value))
      if (value !== undefined) await this.#write(tx, key, parts, this.#serialise(key, value))
      else if (row) await tx.run(this.#sql.remove, { space: this.#space, ...parts })
      return value
    })
  }

  async delete(key: string, by?: Tx | Releasable): Promise<boolean> {
    const { head, tailHash } = splitKey(key)
    const { changes } = await this.#within(by, tx =>
      tx.run(this.#sql.remove, { space: this.#space, head, tailHash })
    )
    return changes > 0
  }

  async entries(page: Page, tx?: Tx): Promise<Entry<T>[]> {
    const prefix = page.prefix ?? ''
    checkPrefix(prefix)
    if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_PAGE)
      throw new CodedError('ERR_STORE_PAGE', `A page has 1 to ${MAX_PAGE} entries, not ${page.limit}`)
    const rows = await this.#rows(tx ?? this.#database.read, prefix, page)
    const found: Entry<T>[] = []
    for (const row of rows) {
      // In the order of bytes all keys of a prefix lie together.
      if (!row.head.startsWith(prefix)) break
      const key = row.head + row.tail
      found.push({ key, value: this.#parse(key, row.value) })
    }
    return found
  }

  async count(tx?: Tx): Promise<number> {
    const row = await (tx ?? this.#database.read).get(this.#sql.count, { space: this.#space })
    return row?.n ?? 0
  }

  #rows(reader: Reader, prefix: string, { after, limit }: Page): Promise<EntryRow[]> {
    const space = this.#space
    const start = after === undefined ? BEFORE_ALL : splitKey(after)
    // Where the page before ended before the prefix begins, it begins with the prefix.
    return after === undefined || Buffer.compare(Buffer.from(start.head), Buffer.from(prefix)) < 0
      ? reader.all(this.#sql.from, { space, head: prefix, limit })
      : reader.all(this.#sql.after, { space, head: start.head, tailHash: start.tailHash, limit })
  }

  #within<R>(by: Tx | Releasable | undefined, unit: Unit<R>): Promise<R> {
    if (by && 'afterCommit' in by) return Promise.resolve(unit(by))
    return this.#database.write(unit, by)
  }

  async #write(tx: Tx, key: string, parts: KeyParts, value: string): Promise<void> {
    const { host, module, name } = this.#place
    const owner = this.#owned ? ownerOf(host, key.split('/', 1)[0] ?? key) : null
    await tx.run(this.#sql.write, {
      space: this.#space,
      ...parts,
      host,
      module,
      store: name,
      owner,
      value,
      updated: Date.now()
    })
  }

  #serialise(key: string, value: T): string {
    const text = JSON.stringify(value) as string | undefined
    if (text === undefined) throw this.#unfit(key, 'it is nothing that JSON can carry')
    if (text.length * 3 > MAX_VALUE && Buffer.byteLength(text) > MAX_VALUE)
      throw this.#unfit(key, `it is more than ${MAX_VALUE} bytes long`)
    return text
  }

  #parse(key: string, text: string): T {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch (error) {
      throw this.#unfit(key, 'it is no JSON', error)
    }
    const result = this.#schema.safeParse(json)
    if (result.success) return result.data
    const issues = result.error.issues.slice(0, 5)
    throw this.#unfit(
      key,
      issues.map(issue => `${issue.path.join('.')} ${issue.message}`.trim()).join('; '),
      result.error
    )
  }

  #unfit(key: string, why: string, cause?: unknown): CodedError {
    const { host, module, name } = this.#place
    const shown = key.length > 200 ? `${key.slice(0, 200)}…` : key
    return new CodedError(
      'ERR_STORE_VALUE',
      `The value of '${shown}' in the store '${name}' of ${module} on '${host}' does not fit: ${why}`,
      { cause }
    )
  }
}

/** By which all entries of an account are found, in whatever store. */
export function ownerOf(host: string, user: string): Buffer {
  return digest(host, user)
}
