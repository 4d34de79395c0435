import assert from 'node:assert/strict'
import test from 'node:test'
import type { Database, Tx } from '../../../core/storage'
import { isDuplicate, nameHash } from '../../../core/storage'
import { forEachDatabase } from '../../lib/databases'
import { itemStatements, withItems } from './items'

type Sql = ReturnType<typeof itemStatements>

async function prepared(
  database: Database
): Promise<{ sql: Sql; nodeId: number; add(tx: Tx, name: string): Promise<unknown> }> {
  await withItems(database)
  const sql = itemStatements(database)
  const { lastId: nodeId } = await database.write(tx =>
    tx.run(sql.addNode, { node: 'n', hash: nameHash('n') })
  )
  return {
    sql,
    nodeId,
    add: (tx, name) => tx.run(sql.addItem, { nodeId, name, payload: null, published: 1 })
  }
}

async function names(database: Database): Promise<string[]> {
  const rows = await database.read.query<{ name: string }>(
    database.knex('items').select('name').orderBy('id')
  )
  return rows.map(row => row.name)
}

forEachDatabase((name, open) => {
  test('a unit is stored whole, and what is read after it sees it', async () => {
    const { database } = await open()
    const { sql, add } = await prepared(database)
    const result = await database.write(async tx => {
      await add(tx, 'a')
      await add(tx, 'b')
      assert.equal((await tx.get(sql.count, {}))?.n, 2)
      return 'done'
    })
    assert.equal(result, 'done')
    assert.deepEqual(await names(database), ['a', 'b'])
    assert.equal((await database.read.get(sql.count, {}))?.n, 2)
    assert.equal((await database.wide.get(sql.count, {}))?.n, 2)
  })

  test('nobody sees a unit before its end', async () => {
    const { database } = await open()
    const { sql, add } = await prepared(database)
    await database.write(async tx => {
      await add(tx, 'a')
      assert.equal((await database.read.get(sql.count, {}))?.n, 0)
    })
    assert.equal((await database.read.get(sql.count, {}))?.n, 1)
  })

  test('a unit that fails leaves nothing, and rejects alone', async () => {
    const { database } = await open()
    const { add } = await prepared(database)
    const outcomes = await Promise.allSettled([
      database.write(tx => add(tx, 'a')),
      database.write(async tx => {
        await add(tx, 'b')
        throw new Error('thought better of it')
      }),
      database.write(tx => add(tx, 'c')),
      database.write(async tx => {
        await add(tx, 'd')
        await add(tx, 'd')
      }),
      database.write(() => {
        throw new Error('at once')
      }),
      database.write(tx => add(tx, 'e'))
    ])
    assert.deepEqual(
      outcomes.map(outcome => outcome.status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected', 'fulfilled']
    )
    assert.match(String((outcomes[1] as PromiseRejectedResult).reason), /thought better of it/)
    assert(isDuplicate((outcomes[3] as PromiseRejectedResult).reason))
    assert.match(String((outcomes[4] as PromiseRejectedResult).reason), /at once/)
    assert.deepEqual((await names(database)).toSorted(), ['a', 'c', 'e'])
  })

  test('a unit may catch what a statement of its own throws', async () => {
    const { database } = await open()
    const { add } = await prepared(database)
    await database.write(tx => add(tx, 'a'))
    await database.write(async tx => {
      await add(tx, 'b')
      await assert.rejects(add(tx, 'a'), error => isDuplicate(error))
      await add(tx, 'c')
    })
    assert.deepEqual(await names(database), ['a', 'b', 'c'])
  })

  test('units that read what they change do not overwrite each other', async () => {
    const { database } = await open()
    await prepared(database)
    await database.write(tx =>
      tx.execute(database.knex('nodes').insert({ node: 'counter', node_hash: nameHash('0') }))
    )
    // Deliberately without forUpdate: correct, if slower, on MySQL.
    const increment = (): Promise<number> =>
      database.write(async tx => {
        const rows = await tx.query<{ node_hash: Buffer }>(
          database.knex('nodes').select('node_hash').where({ node: 'counter' })
        )
        const value = (rows[0]?.node_hash[0] ?? 0) + 1
        await tx.execute(
          database
            .knex('nodes')
            .where({ node: 'counter' })
            .update({ node_hash: Buffer.from([value]) })
        )
        return value
      })
    const values = await Promise.all(Array.from({ length: 8 }, increment))
    assert.equal(new Set(values).size, 8)
  })

  test('a transaction is of no use after its unit', async () => {
    const { database } = await open()
    const { sql, add } = await prepared(database)
    let leaked: Tx | undefined
    await database.write(tx => {
      leaked = tx
    })
    assert(leaked)
    const over = { code: 'ERR_STORAGE_UNIT_OVER' }
    await assert.rejects(add(leaked, 'x'), over)
    await assert.rejects(leaked.all(sql.count, {}), over)
    await assert.rejects(leaked.get(sql.count, {}), over)
    await assert.rejects(leaked.query(database.knex('items').select()), over)
    await assert.rejects(leaked.execute(database.knex('items').delete()), over)
    assert.throws(() => leaked?.afterCommit(() => {}), over)
  })

  test('afterCommit follows the commit, before write resolves, and not a failure', async () => {
    const { database, log } = await open()
    const { sql, add } = await prepared(database)
    const events: string[] = []
    let counted: Promise<{ n: number } | undefined> | undefined
    await database
      .write(async tx => {
        tx.afterCommit(() => {
          events.push('first')
          counted = database.read.get(sql.count, {})
        })
        tx.afterCommit(() => {
          throw new Error('of the hook')
        })
        tx.afterCommit(() => events.push('third'))
        await add(tx, 'a')
        events.push('unit')
      })
      .then(() => events.push('resolved'))
    await assert.rejects(
      database.write(tx => {
        tx.afterCommit(() => events.push('never'))
        throw new Error('no')
      })
    )
    assert.deepEqual(events, ['unit', 'first', 'third', 'resolved'])
    assert.equal((await counted)?.n, 1)
    assert(log.lines.some(line => line.startsWith('error What was to follow a commit failed')))
  })

  test('a unit that waits for something else is undone and named', async () => {
    const { database, log } = await open({ unitTimeout: 50 })
    const { add } = await prepared(database)
    let go = (): void => {}
    const elsewhere = new Promise<void>(resolve => (go = resolve))
    let late: Promise<unknown> | undefined
    const overdue = database.write(async function waitsForTheWorld(tx) {
      await add(tx, 'a')
      await elsewhere
      late = add(tx, 'b')
      await late
    })
    const other = database.write(tx => add(tx, 'c'))
    await assert.rejects(overdue, { code: 'ERR_STORAGE_UNIT_OVERDUE', message: /waitsForTheWorld/ })
    await other
    go()
    while (!late) await new Promise(resolve => setImmediate(resolve))
    await assert.rejects(late, { code: 'ERR_STORAGE_UNIT_OVER' })
    await database.write(tx => add(tx, 'd'))
    assert.deepEqual((await names(database)).toSorted(), ['c', 'd'])
    if (name === 'SQLite')
      assert(
        log.lines.some(
          line => line.includes('awaits something that is not') && line.includes('waitsForTheWorld')
        )
      )
  })

  test('a unit that waits a moment is told but stored', async () => {
    const { database } = await open()
    const { add } = await prepared(database)
    await Promise.all([
      database.write(async tx => {
        await add(tx, 'a')
        await new Promise(resolve => setImmediate(resolve))
        await add(tx, 'b')
      }),
      database.write(tx => add(tx, 'c'))
    ])
    assert.deepEqual((await names(database)).toSorted(), ['a', 'b', 'c'])
  })

  test('foreign keys hold', async () => {
    const { database } = await open()
    const { sql, nodeId, add } = await prepared(database)
    await database.write(tx => add(tx, 'a'))
    await assert.rejects(
      database.write(tx =>
        tx.run(sql.addItem, { nodeId: nodeId + 1, name: 'x', payload: null, published: 1 })
      ),
      /foreign key/i
    )
    await database.write(tx => tx.execute(database.knex('nodes').delete()))
    assert.deepEqual(await names(database), [])
  })

  test('close waits for what was written and refuses what comes later', async () => {
    const { database, reopen } = await open()
    const { add } = await prepared(database)
    const written = Array.from({ length: 20 }, (_, i) => database.write(tx => add(tx, `i${i}`)))
    const closed = database.close()
    await assert.rejects(
      database.write(tx => add(tx, 'late')),
      { code: 'ERR_STORAGE_CLOSED' }
    )
    await assert.rejects(database.migrate('mod_x', '/nowhere'), { code: 'ERR_STORAGE_CLOSED' })
    await Promise.all(written)
    await closed
    assert.equal((await names(await reopen())).length, 20)
  })

  test('the database finds itself sound', async () => {
    const { database } = await open()
    const { add } = await prepared(database)
    await database.write(tx => add(tx, 'a'))
    assert.deepEqual(await database.integrityCheck(), [])
  })
})
