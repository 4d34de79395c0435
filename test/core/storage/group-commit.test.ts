import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import Sqlite from 'better-sqlite3'
import { nameHash, openDatabase, type Database } from '../../../core/storage'
import { openWriter } from '../../../core/storage/sqlite/connection'
import { Statements } from '../../../core/storage/sqlite/statements'
import { WriteQueue, type WriteQueueOptions } from '../../../core/storage/sqlite/write-queue'
import { sqliteOptions, testLog } from '../../lib/databases'

// What concerns SQLite alone: many units in one transaction (design §5).

async function opened(): Promise<{ database: Database; path: string; log: ReturnType<typeof testLog> }> {
  const options = sqliteOptions()
  const log = testLog()
  const database = await openDatabase(options, log)
  await database.write(tx =>
    tx.execute(
      database.knex.raw(
        'create table t (id integer primary key, n integer, parent integer references t (id) deferrable initially deferred)'
      )
    )
  )
  return { database, path: options.path, log }
}

const insert = (database: Database) =>
  database.statement<{ n: number; parent: number | null }>((knex, p) =>
    knex('t').insert({ n: p('n'), parent: p('parent') })
  )

async function numbers(database: Database): Promise<number[]> {
  const rows = await database.read.query<{ n: number }>(database.knex('t').select('n').orderBy('id'))
  return rows.map(row => row.n)
}

/** A queue of its own on a new database, and how often it committed. */
function queueOn(settings: Partial<WriteQueueOptions> = {}) {
  const connection = openWriter(sqliteOptions().path)
  connection.exec('create table t (n integer)')
  const state = { groups: 0 }
  const queue = new WriteQueue(new Statements(connection, 0), testLog(), {
    unitTimeout: 5000,
    groupTime: Infinity, // however slow the machine is
    afterGroup: () => state.groups++,
    ...settings
  })
  return { connection, queue, state }
}

test('the writes of a tick share a commit and run in their order', async () => {
  const { connection, queue, state } = queueOn()
  const order: number[] = []
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      queue
        .write(async () => {
          connection.prepare('insert into t values (?)').run(i)
          await Promise.resolve()
          order.push(i)
        })
        .then(() => order.push(100 + i))
    )
  )
  assert.equal(state.groups, 1)
  const expected = Array.from({ length: 20 }, (_, i) => i)
  assert.deepEqual(order, [...expected, ...expected.map(i => 100 + i)], 'told in order, after all have run')
  assert.deepEqual(connection.prepare('select n from t order by rowid').pluck().all(), expected)
})

test('what is written while a group is made durable gathers for the next one', async () => {
  const syncs: (() => void)[] = []
  const { queue, state } = queueOn({ sync: () => new Promise(resolve => syncs.push(resolve)) })
  const done: string[] = []
  const first = queue.write(() => undefined).then(() => done.push('first'))
  while (syncs.length === 0) await new Promise(resolve => setImmediate(resolve))
  const later = Array.from({ length: 10 }, () => queue.write(() => undefined).then(() => done.push('later')))
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(done, [], 'nothing is acknowledged before it is durable')
  syncs.shift()?.()
  await first
  while (syncs.length === 0) await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(done, ['first'])
  syncs.shift()?.()
  await Promise.all(later)
  assert.equal(state.groups, 2)
})

test('a group is bounded, so that the loop turns', async () => {
  const { queue, state } = queueOn()
  await Promise.all(Array.from({ length: 1000 }, () => queue.write(() => undefined)))
  assert(state.groups >= 4, `${state.groups} groups`)
})

test('a unit that writes for long ends its group', async () => {
  const { queue, state } = queueOn({ groupTime: 10 })
  const busy = (): void => {
    const until = performance.now() + 11
    while (performance.now() < until);
  }
  await Promise.all([queue.write(busy), queue.write(busy), queue.write(busy)])
  assert.equal(state.groups, 3)
})

test('a sender is released when its unit has its place, once', async () => {
  const { queue } = queueOn()
  const events: string[] = []
  const writes: Promise<unknown>[] = []
  const write = (name: string, next?: () => void): void => {
    writes.push(
      queue.write(() => events.push(`unit ${name}`), {
        release: () => {
          events.push(`release ${name}`)
          next?.()
        }
      })
    )
  }
  write('a', () => write('b'))
  assert.deepEqual(events, ['release a', 'release b'])
  await Promise.all(writes)
  assert.deepEqual(events, ['release a', 'release b', 'unit a', 'unit b'])
})

test('a commit that fails rejects all of its group and none of the next', async () => {
  const { database } = await opened()
  const sql = insert(database)
  const add = (n: number, parent: number | null = null) => database.write(tx => tx.run(sql, { n, parent }))
  const outcomes = await Promise.allSettled([
    add(1),
    add(2, 999), // a parent that is not there is noticed at the commit
    database.write(() => {
      throw new Error('of its own')
    }),
    add(3)
  ])
  const reasons = outcomes.map(outcome => (outcome.status === 'rejected' ? String(outcome.reason) : 'stored'))
  assert.match(reasons[0] ?? '', /FOREIGN KEY/)
  assert.match(reasons[1] ?? '', /FOREIGN KEY/)
  assert.match(reasons[2] ?? '', /of its own/)
  assert.match(reasons[3] ?? '', /FOREIGN KEY/)
  assert.deepEqual(await numbers(database), [])
  await add(4)
  assert.deepEqual(await numbers(database), [4])
  await database.close()
})

test('a transaction that is lost in the middle takes its group with it, not the next', async () => {
  const { database } = await opened()
  const sql = insert(database)
  const outcomes = await Promise.allSettled([
    database.write(tx => tx.run(sql, { n: 1, parent: null })),
    // As a full disk does.
    database.write(tx => tx.execute(database.knex.raw('rollback'))),
    database.write(tx => tx.run(sql, { n: 2, parent: null }))
  ])
  assert.equal((outcomes[0] as PromiseRejectedResult).reason.code, 'ERR_STORAGE_COMMIT')
  assert.equal(outcomes[1].status, 'rejected')
  assert.equal(outcomes[2].status, 'fulfilled', 'it went to the next group')
  assert.deepEqual(await numbers(database), [2])
  await database.close()
})

test('when the disk cannot keep what was written nothing more is acknowledged', async () => {
  const failure = new Error('EIO')
  const { queue } = queueOn({ sync: () => Promise.reject(failure) })
  await assert.rejects(
    queue.write(() => 1),
    failure
  )
  let ran = false
  await assert.rejects(
    queue.write(() => (ran = true)),
    failure
  )
  assert.equal(ran, false)
})

test('a lock of another process is waited for, and the loop goes on', async () => {
  const { database, path } = await opened()
  const sql = insert(database)
  // SQLite's own waiting would stop the process.
  const wait = await database.write(tx => tx.query(database.knex.raw('pragma busy_timeout')))
  assert.deepEqual(wait, [{ timeout: 0 }])
  const other = new Sqlite(path)
  other.exec('begin immediate')
  let stored = false
  const write = database.write(tx => tx.run(sql, { n: 1, parent: null })).then(() => (stored = true))
  for (let turns = 0; turns < 5; turns++) await new Promise(resolve => setImmediate(resolve))
  assert.equal(stored, false)
  other.exec('rollback')
  await write
  other.close()
  assert.deepEqual(await numbers(database), [1])
  await database.close()
})

test('reads cannot write, and do not wait for a unit', async () => {
  const { database } = await opened()
  for (const reader of [database.read, database.wide])
    for (const statement of [
      'insert into t (n) values (1)',
      'delete from t',
      'drop table t',
      'create table x (y)'
    ])
      await assert.rejects(
        reader.query(database.knex.raw(statement)),
        /readonly|read-only|does not return data/
      )
  await assert.rejects(
    database.read.query(database.knex.raw('insert into t (n) values (1) returning n')),
    /readonly database/
  )
  const sql = insert(database)
  await database.write(async tx => {
    await tx.run(sql, { n: 1, parent: null })
    assert.deepEqual(await numbers(database), [])
  })
  assert.deepEqual(await numbers(database), [1])
  await database.close()
})

test('the builder has no connection', async () => {
  const { database } = await opened()
  await assert.rejects(async () => {
    await database.knex('t').select()
  }, /connection/)
  await database.close()
})

test('the log is moved into the database off the main thread, and begins anew', async () => {
  const { database, path, log } = await opened()
  await database.write(tx => tx.execute(database.knex.raw('create table big (b text)')))
  const add = database.statement<{ b: string }>((knex, p) => knex('big').insert({ b: p('b') }))
  const round = () =>
    Promise.all(Array.from({ length: 400 }, () => database.write(tx => tx.run(add, { b: 'x'.repeat(4000) }))))
  const wal = fs.openSync(`${path}-wal`, 'r')
  // sqlite.org/fileformat2.html §4.1: a sequence number that each new beginning of the log increments.
  const beginnings = (): number => {
    const head = Buffer.alloc(16)
    fs.readSync(wal, head, 0, 16, 0)
    return head.readUInt32BE(12)
  }
  const first = beginnings()
  let rounds = 0
  // Within a commit SQLite would do it after a hundred rounds.
  while (beginnings() < first + 2 && rounds < 95) {
    await round()
    rounds++
  }
  assert(beginnings() >= first + 2, `still the same log after ${rounds} rounds`)
  fs.closeSync(wal)
  const count = await database.wide.query<{ n: number }>(database.knex('big').count({ n: '*' }))
  assert.equal(count[0]?.n, 400 * rounds)
  assert.deepEqual(await database.integrityCheck(), [])
  assert.deepEqual(
    log.lines.filter(line => !line.startsWith('info')),
    []
  )
  await database.close()
  assert.equal(fs.existsSync(`${path}-wal`), false)
})

test('a wide search holds up neither reads nor writes', async () => {
  const { database } = await opened()
  await database.write(tx => tx.execute(database.knex.raw('create table big (b text)')))
  const add = database.statement<{ b: string }>((knex, p) => knex('big').insert({ b: p('b') }))
  let found: number | undefined
  const search = database.wide
    .query<{ n: number }>(
      database.knex.raw(
        'with recursive c (x) as (select 1 union all select x + 1 from c where x < 20000000) select count(*) as n from c'
      )
    )
    .then(rows => (found = rows[0]?.n))
  // Enough for a checkpoint.
  for (let round = 0; round < 15; round++)
    await Promise.all(
      Array.from({ length: 400 }, () => database.write(tx => tx.run(add, { b: 'x'.repeat(4000) })))
    )
  assert.equal((await database.read.query<{ n: number }>(database.knex('big').count({ n: '*' })))[0]?.n, 6000)
  assert.equal(found, undefined, 'the search is still going on')
  await search
  assert.equal(found, 20_000_000)
  await database.close()
})

test('hashes and big numbers survive the storage thread', async () => {
  const { database } = await opened()
  const rows = await database.wide.query<{ hash: Buffer; ms: number }>(
    database.knex.raw('select ? as hash, ? as ms', [nameHash('x'), Number.MAX_SAFE_INTEGER])
  )
  assert(Buffer.isBuffer(rows[0]?.hash))
  assert.deepEqual(rows[0], { hash: nameHash('x'), ms: Number.MAX_SAFE_INTEGER })
  await database.close()
})
