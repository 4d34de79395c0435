import assert from 'node:assert/strict'
import test from 'node:test'
import { openDatabase, type Database, type Tx } from '../../../core/storage'
import { onMariadb } from '../../lib/databases'
import { migrationFolder } from './fixtures'

// What concerns MySQL and MariaDB alone.
onMariadb(open => {
  async function opened() {
    const made = await open()
    await made.database.write(tx =>
      tx.execute(made.database.knex.raw('create table t (id int primary key, n int not null) engine=InnoDB'))
    )
    await made.database.write(tx =>
      tx.execute(made.database.knex('t').insert([1, 2].map(id => ({ id, n: 0 }))))
    )
    return made
  }

  const add = (database: Database, tx: Tx, id: number) =>
    tx.execute(database.knex('t').where({ id }).increment('n', 1))

  async function counts(database: Database): Promise<number[]> {
    const rows = await database.read.query<{ n: number }>(database.knex('t').select('n').orderBy('id'))
    return rows.map(row => row.n)
  }

  test('a deadlock is run again, and both units are stored once', async () => {
    const { database } = await opened()
    let attempts = 0
    let arrived = 0
    let meet = (): void => {}
    const met = new Promise<void>(resolve => (meet = resolve))
    const both = async (first: number, second: number): Promise<void> =>
      database.write(async tx => {
        attempts++
        await add(database, tx, first)
        // Both hold one row before either asks for the other's.
        if (++arrived === 2) meet()
        await met
        await add(database, tx, second)
      })
    await Promise.all([both(1, 2), both(2, 1)])
    assert(attempts >= 3, `${attempts} attempts: no deadlock came about`)
    assert.deepEqual(await counts(database), [2, 2])
  })

  test('a unit that hides a deadlock is run again all the same', async () => {
    const { database } = await opened()
    let arrived = 0
    let hidden = 0
    let meet = (): void => {}
    const met = new Promise<void>(resolve => (meet = resolve))
    const both = async (first: number, second: number): Promise<void> =>
      database.write(async tx => {
        await add(database, tx, first)
        if (++arrived === 2) meet()
        await met
        try {
          await add(database, tx, second)
        } catch (error) {
          hidden++
          // The server has undone all of it; what is sent now would be stored outside a transaction.
          await assert.rejects(add(database, tx, second), error as Error)
        }
      })
    await Promise.all([both(1, 2), both(2, 1)])
    assert.equal(hidden, 1)
    assert.deepEqual(await counts(database), [2, 2])
  })

  test('a sender is not released before its unit is committed', async () => {
    const { database } = await opened()
    let released = false
    await database.write(tx => add(database, tx, 1), { release: () => (released = true) })
    assert.equal(released, false)
  })

  test('sessions are strict, and statements one at a time', async () => {
    const { database } = await opened()
    const [row] = await database.read.query<{ mode: string; names: string }>(
      database.knex.raw('select @@sql_mode as mode, @@collation_connection as names')
    )
    assert.match(row?.mode ?? '', /STRICT_ALL_TABLES/)
    assert.match(row?.names ?? '', /^utf8mb4_(nopad|0900)_bin$/)
    await assert.rejects(
      database.write(tx => tx.execute(database.knex.raw("insert into t values (3, 'not a number')"))),
      /Incorrect integer value/
    )
    await assert.rejects(
      database.read.query(database.knex.raw('select 1; select 2')),
      (error: Error & { code?: string }) => error.code === 'ER_PARSE_ERROR'
    )
  })

  test('a connection that the server closes does no harm but to its unit', async () => {
    const { database } = await opened()
    await assert.rejects(
      database.write(async tx => {
        await add(database, tx, 1)
        const [row] = await tx.query<{ id: number }>(database.knex.raw('select connection_id() as id'))
        await database.read.query(database.knex.raw(`kill ${row?.id ?? 0}`)).catch(() => undefined)
        await add(database, tx, 2)
      })
    )
    await database.write(tx => add(database, tx, 2))
    assert.deepEqual(await counts(database), [0, 1])
  })

  test('a migration that was cut off anywhere can be repeated, foreign keys included', async () => {
    const { database } = await open()
    const folder = migrationFolder({
      '001_all.ts': `
        await db.createTable('parents', table => { table.increments('id') })
        await db.createTable('children', table => {
          table.increments('id')
          table.integer('parent').unsigned().references('parents.id').onDelete('CASCADE')
          table.string('name', 50).unique()
        })
        await db.addColumns('children', table => {
          table.integer('second').unsigned().references('parents.id')
          table.integer('n')
        })
        await db.addIndex('children', 'children_n', ['n', 'name'], { unique: true })`
    })
    const schema = async (): Promise<string> => {
      const [row] = await database.read.query<Record<string, string>>(
        database.knex.raw('show create table children')
      )
      return row?.['Create Table'] ?? ''
    }
    await database.migrate('mod_x', folder)
    const first = await schema()
    assert.match(first, /ENGINE=InnoDB.*COLLATE=utf8mb4_(nopad|0900)_bin/)
    assert.equal(first.match(/FOREIGN KEY/g)?.length, 2)
    await database.write(tx => tx.execute(database.knex('migrations_mod_x').delete()))
    assert.deepEqual(await database.migrate('mod_x', folder), { ran: ['001_all.ts'] })
    assert.equal(await schema(), first)
  })

  test('what is wrong with a connection is said with what to do', async () => {
    const { options, log } = await open()
    assert.equal(options.driver, 'mysql')
    const cases: [object, RegExp][] = [
      [{ database: 'nowhere_at_all' }, /'nowhere_at_all'.*CREATE DATABASE/],
      [{ user: 'nobody', password: 'x' }, /storage\.user and storage\.password/],
      [{ socket: '/nowhere/socket' }, /\/nowhere\/socket.*is it running/],
      [{ socket: undefined, host: '127.0.0.1', port: 1 }, /127\.0\.0\.1:1.*is it running/]
    ]
    for (const [wrong, message] of cases)
      await assert.rejects(openDatabase({ ...options, ...wrong }, log), {
        code: 'ERR_STORAGE_CONNECT',
        message
      })
  })
})
