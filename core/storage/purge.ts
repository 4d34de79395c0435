import type { Database, Query, Tx } from './types'

/** Rows that are deleted in one unit; what hangs on them goes along. */
const BATCH = 500

/** Rows of a host in one table. */
export interface HostRows {
  table: string
  rows: number
}

/**
 * Every row that stands for itself carries its host (design §5), what belongs to it goes with it by foreign key: so
 * the tables with a column `host` are all there is to look at, whether the modules that made them run or not.
 */
export async function tablesOfHosts({ dialect, knex, read }: Database): Promise<string[]> {
  const query =
    dialect === 'sqlite'
      ? knex
          .select({ name: 'm.name' })
          .from(knex.raw('sqlite_master as m, pragma_table_info(m.name) as c'))
          .where({ 'm.type': 'table', 'c.name': 'host' })
      : knex
          .select({ name: 'table_name' })
          .from('information_schema.columns')
          .where('column_name', 'host')
          .whereRaw('table_schema = database()')
  const found = await read.query<{ name: string }>(query)
  return found.map(({ name }) => name).sort()
}

/** What there is of a host, by table. */
export async function rowsOfHost(database: Database, host: string): Promise<HostRows[]> {
  const counted: HostRows[] = []
  for (const table of await tablesOfHosts(database)) {
    const [row] = await database.wide.query<{ n: number }>(
      database.knex(table).count({ n: '*' }).where('host', host)
    )
    const rows = Number(row?.n ?? 0)
    if (rows > 0) counted.push({ table, rows })
  }
  return counted
}

/** Deletes them, in units that leave room for others. Resolves with their number. */
export async function purgeRows(database: Database, host: string): Promise<number> {
  let removed = 0
  for (const table of await tablesOfHosts(database)) {
    for (;;) {
      const { changes } = await database.write((tx: Tx) => tx.execute(batch(database, table, host)))
      removed += changes
      if (changes < BATCH) break
    }
  }
  return removed
}

/** SQLite's DELETE knows no limit. */
function batch({ dialect, knex }: Database, table: string, host: string): Query {
  return dialect === 'sqlite'
    ? knex.raw('delete from ?? where rowid in (select rowid from ?? where host = ? limit ?)', [
        table,
        table,
        host,
        BATCH
      ])
    : knex.raw('delete from ?? where host = ? limit ?', [table, host, BATCH])
}
