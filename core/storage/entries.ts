import type { Build, Database, Statement } from './types'

interface Space {
  space: Buffer
}

interface At extends Space {
  head: string
  tailHash: Buffer
}

interface Contents extends At {
  tail: string
  host: string
  module: string
  store: string
  owner: Buffer | null
  value: string
  updated: number
}

export interface EntryRow {
  head: string
  tail: string
  value: string
}

/** What all stores of a database run (`migrations/001_entries.ts`). */
export interface EntryStatements {
  readonly read: Statement<At, { value: string }>
  /** Reads in order to change. */
  readonly lock: Statement<At, { value: string }>
  readonly write: Statement<Contents>
  readonly remove: Statement<At>
  /** A page that begins with a head, and one that begins after an entry. */
  readonly from: Statement<Space & { head: string; limit: number }, EntryRow>
  readonly after: Statement<At & { limit: number }, EntryRow>
  readonly count: Statement<Space, { n: number }>
  readonly removeOwned: Statement<{ owner: Buffer }>
}

export function entryStatements(database: Pick<Database, 'dialect' | 'statement'>): EntryStatements {
  const make = <P extends object, R = never>(build: Build<P>): Statement<P, R> =>
    database.statement<P, R>(build)
  const read: Build<At> = (knex, p) =>
    knex('entries')
      .select('value')
      .where({ space: p('space'), head: p('head'), tail_hash: p('tailHash') })
  // SQLite can seek to a pair; MySQL seeks for the same thing spelled out.
  const behind =
    database.dialect === 'sqlite'
      ? '(head, tail_hash) > (?, ?)'
      : '(head > ? or (head = ? and tail_hash > ?))'
  return {
    read: make(read),
    lock: make((knex, p) => (read(knex, p) as ReturnType<typeof knex>).forUpdate()),
    write: make((knex, p) =>
      knex('entries')
        .insert({
          space: p('space'),
          head: p('head'),
          tail_hash: p('tailHash'),
          tail: p('tail'),
          host: p('host'),
          module: p('module'),
          store: p('store'),
          owner: p('owner'),
          value: p('value'),
          updated: p('updated')
        })
        .onConflict(['space', 'head', 'tail_hash'])
        .merge(['value', 'updated'])
    ),
    remove: make((knex, p) =>
      knex('entries')
        .where({ space: p('space'), head: p('head'), tail_hash: p('tailHash') })
        .delete()
    ),
    from: make((knex, p) =>
      knex('entries')
        .select('head', 'tail', 'value')
        .where({ space: p('space') })
        .where('head', '>=', p('head'))
        .orderBy(['head', 'tail_hash'])
        .limit(p('limit'))
    ),
    after: make((knex, p) =>
      knex('entries')
        .select('head', 'tail', 'value')
        .where({ space: p('space') })
        .whereRaw(
          behind,
          database.dialect === 'sqlite' ? [p('head'), p('tailHash')] : [p('head'), p('head'), p('tailHash')]
        )
        .orderBy(['head', 'tail_hash'])
        .limit(p('limit'))
    ),
    count: make((knex, p) =>
      knex('entries')
        .where({ space: p('space') })
        .count({ n: '*' })
    ),
    removeOwned: make((knex, p) =>
      knex('entries')
        .where({ owner: p('owner') })
        .delete()
    )
  }
}
