import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { openDatabase, type Database } from '../../../core/storage'
import { OverviewTable } from '../../../modules/mod_channels/store/overview-table'
import { RetentionTable } from '../../../modules/mod_channels/store/retention-table'
import { openTables } from '../../../modules/mod_channels/store/tables'
import { Summaries } from '../../../modules/mod_ratings/summaries'
import { testLog } from '../../lib/databases'

const MODULES = path.join(__dirname, '../../../modules')

async function open(t: TestContext): Promise<Database> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-plans-'))
  const database = await openDatabase({ driver: 'sqlite', path: path.join(folder, 'x.sqlite') }, testLog())
  t.after(async () => {
    await database.close()
    fs.rmSync(folder, { recursive: true })
  })
  for (const module of ['mod_channels', 'mod_ratings']) {
    await database.migrate(module, path.join(MODULES, module, 'migrations'))
  }
  return database
}

/** The statements that something prepares, as SQLite runs them. */
function statementsOf(database: Database, build: (database: Database) => void): string[] {
  const found: string[] = []
  build(
    new Proxy(database, {
      get(target, key) {
        if (key !== 'statement') return Reflect.get(target, key) as unknown
        return (...args: Parameters<Database['statement']>) => {
          const statement = target.statement(...args)
          found.push(statement.sql)
          return statement
        }
      }
    })
  )
  return found.filter(sql => /^(?:select|update|delete)/i.test(sql))
}

/** How SQLite goes through the tables; a list that is bound is one of many values. */
async function planOf(database: Database, sql: string): Promise<string> {
  const bound = sql.replaceAll('in (?)', "in (select value from json_each('[1, 2]'))").replaceAll('?', 'NULL')
  const { knex, read } = database
  const steps = await read.query<{ detail: string }>(knex.raw(`EXPLAIN QUERY PLAN ${bound}`))
  return steps.map(step => step.detail).join('\n')
}

test('every list of channels and ratings is read along an index, and items by their keys', async t => {
  const database = await open(t)
  const statements = statementsOf(database, spy => {
    openTables(spy, 'channels.localhost')
    new Summaries(spy)
    new OverviewTable(spy, 'channels.localhost')
    new RetentionTable(spy, 'channels.localhost')
  })
  assert.ok(statements.length > 60)
  for (const sql of statements) {
    const plan = await planOf(database, sql)
    // a table that is made of a bounded one is counted whole
    const scanned = [...plan.matchAll(/^SCAN (\w+)/gm)].map(([, name]) => name)
    for (const name of scanned)
      assert.match(`${name}`, /^(?:json_each|range|counted|invited)$/, `${sql}\n${plan}`)
    if (!/GROUP BY|DISTINCT|order by `m`/i.test(sql))
      assert.doesNotMatch(plan, /TEMP B-TREE/, `${sql}\n${plan}`)
    // all nodes of a host are no way to some items
    if (/channel_nodes_host/.test(plan))
      assert.doesNotMatch(sql, /channel_(?:items|tombstones)/, `${sql}\n${plan}`)
  }
})
