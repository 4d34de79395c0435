import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { forEachDatabase, sqliteOptions, testLog } from '../../lib/databases'
import { openDatabase } from '../../../core/storage'
import { migrationFolder, writeMigrations } from './fixtures'

const TABLE = (name: string): string => `
  await db.createTable('${name}', table => {
    table.increments('id')
    table.string('name', 100).notNullable()
    table.unique(['name'], { indexName: '${name}_name' })
    table.index(['name', 'id'], '${name}_both')
  })`

forEachDatabase((name, open) => {
  test('migrations run once, in order, and later ones when they come', async () => {
    const { database, reopen, log } = await open()
    const folder = migrationFolder({
      '002_b.ts': "await db.addColumns('a', table => { db.time(table, 'seen').nullable() })",
      '001_a.ts': TABLE('a'),
      '003_c.ts': "await db.addIndex('a', 'a_seen', ['seen'])"
    })
    fs.writeFileSync(path.join(folder, 'README.md'), 'not a migration')
    assert.deepEqual(await database.migrate('mod_x', folder), { ran: ['001_a.ts', '002_b.ts', '003_c.ts'] })
    assert.deepEqual(await database.migrate('mod_x', folder), { ran: [] })
    writeMigrations(folder, { '004_d.ts': "await db.knex('a').insert({ name: 'x', seen: 5 })" })
    const later = await reopen()
    assert.deepEqual(await later.migrate('mod_x', folder), { ran: ['004_d.ts'] })
    const rows = await later.read.query(later.knex('a').select('name', 'seen'))
    assert.deepEqual(
      rows.map(row => ({ ...(row as object) })),
      [{ name: 'x', seen: 5 }]
    )
    assert(log.lines.some(line => line.includes('Migrated mod_x: 004_d.ts')))
  })

  test('a folder that is not there has no migrations', async () => {
    const { database } = await open()
    assert.deepEqual(await database.migrate('mod_x', '/nowhere/migrations'), { ran: [] })
  })

  test('a migration that fails in the middle is repeated when it is mended', async () => {
    const { database } = await open()
    const folder = migrationFolder({
      '001_a.ts': TABLE('a'),
      '002_b.ts': `${TABLE('b')}
        await db.addColumns('a', table => { table.integer('n') })
        throw new Error('of the author')`,
      '003_c.ts': TABLE('c')
    })
    const failed = { code: 'ERR_MIGRATION', message: /002_b\.ts:\d+:\d+ failed: of the author/ }
    await assert.rejects(database.migrate('mod_x', folder), failed)
    await assert.rejects(database.migrate('mod_x', folder), failed, 'and again')
    assert.deepEqual(
      await database.read.query(database.knex('a').select('id')),
      [],
      'what ran before it stays'
    )
    await assert.rejects(
      database.read.query(database.knex('c').select('id')),
      'what comes behind it has not run'
    )
    if (name === 'SQLite')
      await assert.rejects(database.read.query(database.knex('b').select('id')), 'all or nothing')
    // On MySQL, where each statement commits by itself, the second run finds the first one's traces.
    writeMigrations(folder, {
      '002_b.ts': `${TABLE('b')}
        await db.addColumns('a', table => { table.integer('n') })`
    })
    assert.deepEqual(await database.migrate('mod_x', folder), { ran: ['002_b.ts', '003_c.ts'] })
    await database.write(tx => tx.execute(database.knex('b').insert({ name: 'x' })))
    await assert.rejects(
      database.write(tx => tx.execute(database.knex('b').insert({ name: 'x' }))),
      'its unique index is there'
    )
  })

  test('owners have tables of migrations of their own', async () => {
    const { database } = await open()
    const a = migrationFolder({ '001_same.ts': TABLE('a') })
    const b = migrationFolder({ '001_same.ts': TABLE('b') })
    const reports = await Promise.all([database.migrate('mod_a', a), database.migrate('mod_b', b)])
    assert.deepEqual(reports, [{ ran: ['001_same.ts'] }, { ran: ['001_same.ts'] }])
    // One owner's folder is gone: nobody else is stopped.
    fs.rmSync(a, { recursive: true })
    writeMigrations(b, { '002_more.ts': TABLE('c') })
    assert.deepEqual(await database.migrate('mod_a', a), { ran: [] })
    assert.deepEqual(await database.migrate('mod_b', b), { ran: ['002_more.ts'] })
    for (const table of ['migrations_mod_a', 'migrations_mod_b'])
      assert((await database.read.query(database.knex(table).select('name'))).length > 0)
  })

  test('two that migrate the same owner at once run each migration once', async () => {
    const { database, again } = await open()
    const other = database.dialect === 'mysql' ? await again() : database
    const folder = migrationFolder({
      '001_a.ts': TABLE('a'),
      '002_b.ts': "await db.knex('a').insert({ name: 'once' })"
    })
    const reports = await Promise.all([database.migrate('mod_x', folder), other.migrate('mod_x', folder)])
    assert.deepEqual(reports.flatMap(report => report.ran).toSorted(), ['001_a.ts', '002_b.ts'])
    assert.equal((await database.read.query(database.knex('a').select('id'))).length, 1)
  })

  test('a migration that would sort before one that has run is refused', async () => {
    const { database } = await open()
    const folder = migrationFolder({ '002_b.ts': TABLE('b') })
    await database.migrate('mod_x', folder)
    writeMigrations(folder, { '001_a.ts': TABLE('a') })
    await assert.rejects(database.migrate('mod_x', folder), {
      code: 'ERR_MIGRATION',
      message: /001_a\.ts sorts before 002_b\.ts/
    })
  })

  test('an older version runs on the tables of a newer one', async () => {
    const { database } = await open()
    const folder = migrationFolder({ '001_a.ts': TABLE('a'), '002_b.ts': TABLE('b') })
    await database.migrate('mod_x', folder)
    fs.rmSync(path.join(folder, '002_b.ts'))
    assert.deepEqual(await database.migrate('mod_x', folder), { ran: [] })
  })

  test('what is wrong with a migration names its file', async () => {
    const { database } = await open()
    const cases: [string, string, RegExp][] = [
      ['001_a.ts', 'await db.knex.raw("selekt 1")', /001_a\.ts\S* failed: .*(syntax|SQL)/s],
      ['Items.ts', '', /Items\.ts: a migration's name is like 001_items\.ts/]
    ]
    for (const [file, body, message] of cases)
      await assert.rejects(database.migrate('mod_x', migrationFolder({ [file]: body })), {
        code: 'ERR_MIGRATION',
        message
      })
    const folder = migrationFolder({})
    fs.writeFileSync(path.join(folder, '001_a.ts'), 'export const down = 1')
    await assert.rejects(database.migrate('mod_x', folder), {
      code: 'ERR_MIGRATION',
      message: /does not export a function 'up'/
    })
    fs.writeFileSync(path.join(folder, '001_a.ts'), 'export async function up( {')
    await assert.rejects(database.migrate('mod_x', folder), {
      code: 'ERR_MIGRATION',
      message: /001_a\.ts.*\(1:\d+\)/
    })
    await assert.rejects(database.migrate('Mod X', folder), { code: 'ERR_MIGRATION', message: /'Mod X'/ })
  })

  test('an edited migration that had failed is loaded anew, with what it requires', async () => {
    const { database } = await open()
    const folder = migrationFolder({ '001_a.ts': 'throw new Error("first")' })
    await assert.rejects(database.migrate('mod_x', folder), /first/)
    writeMigrations(folder, { '001_a.ts': 'throw new Error("second")' })
    await assert.rejects(database.migrate('mod_x', folder), /second/)
    assert.equal(
      Object.keys(require.cache).some(file => file.startsWith(folder)),
      false
    )
  })
})

test('a large database is migrated off the main thread while it is read; writes wait', async () => {
  const log = testLog()
  const database = await openDatabase(sqliteOptions(), log)
  await database.migrate(
    'mod_x',
    migrationFolder({ '001_big.ts': "await db.createTable('big', t => { t.increments('id'); t.text('b') })" })
  )
  const add = database.statement<{ b: string }>((knex, p) => knex('big').insert({ b: p('b') }))
  await Promise.all(
    Array.from({ length: 1500 }, () => database.write(tx => tx.run(add, { b: 'x'.repeat(4000) })))
  )
  const folder = migrationFolder({
    '001_slow.ts': `
      const { isMainThread } = require('node:worker_threads')
      if (isMainThread) throw new Error('on the main thread')
      for (let i = 1; i <= 2; i++) {
        const until = Date.now() + 600
        while (Date.now() < until);
        db.progress(i, 2)
      }
      await db.knex('big').update({ b: 'new' })`
  })
  let migrated = false
  const migration = database.migrate('mod_y', folder).then(report => {
    migrated = true
    return report
  })
  // In its own time: the write is made while the migration holds the database.
  await new Promise(resolve => setImmediate(resolve))
  const write = database.write(tx => tx.run(add, { b: 'during' })).then(() => assert.equal(migrated, true))
  let reads = 0
  while (!migrated) {
    await database.read.query(database.knex('big').select('id').limit(1))
    reads++
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.deepEqual(await migration, { ran: ['001_slow.ts'] })
  await write
  assert(reads > 20, `${reads} reads meanwhile`)
  assert(log.lines.some(line => /Migration 001_slow\.ts: \d of 2 \(\d+ %\)/.test(line)))
  const [row] = await database.read.query<{ n: number }>(
    database.knex('big').where({ b: 'new' }).count({ n: '*' })
  )
  assert.equal(row?.n, 1500)
  await database.close()
})
