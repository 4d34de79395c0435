import assert from 'node:assert/strict'
import test from 'node:test'
import { nameHash, type Database } from '../../../core/storage'
import { forEachDatabase } from '../../lib/databases'
import { itemStatements, withItems } from './items'

async function filled(database: Database) {
  await withItems(database)
  const sql = itemStatements(database)
  const { lastId: nodeId } = await database.write(tx =>
    tx.run(sql.addNode, { node: 'n', hash: nameHash('n') })
  )
  await database.write(async tx => {
    for (let i = 0; i < 40; i++)
      await tx.run(sql.addItem, { nodeId, name: `i${i}`, payload: null, published: 1_700_000_000_000 + i })
  })
  return { sql, nodeId }
}

forEachDatabase((name, open) => {
  test('parameters go where they belong, the limit included', async () => {
    const { database } = await open()
    const { sql, nodeId } = await filled(database)
    const newest = async (limit: number): Promise<string[]> =>
      (await database.read.all(sql.newest, { nodeId, limit })).map(row => row.name)
    assert.deepEqual(await newest(3), ['i39', 'i38', 'i37'])
    assert.deepEqual(await newest(1), ['i39'])
    assert.deepEqual(await newest(0), [])
    assert.equal((await database.read.all(sql.newest, { nodeId: nodeId + 1, limit: 3 })).length, 0)
    assert.equal((await database.read.get(sql.item, { nodeId, name: 'i7' }))?.published, 1_700_000_000_007)
    assert.equal(await database.read.get(sql.item, { nodeId, name: 'none' }), undefined)
  })

  test('lists of any length up to the bound', async () => {
    const { database } = await open()
    const { sql } = await filled(database)
    const named = async (names: string[]): Promise<string[]> =>
      (await database.read.all(sql.named, { names })).map(row => row.name)
    assert.deepEqual(await named([]), [])
    for (const length of [1, 2, 3, 5, 8, 9, 40])
      assert.equal((await named(Array.from({ length }, (_, i) => `i${i}`))).length, length)
    const many = Array.from({ length: 1000 }, (_, i) => `i${i}`)
    assert.equal((await named(many)).length, 40)
    assert.deepEqual(await named(['i3', 'i3', "'; drop table items; --"]), ['i3'])
    await assert.rejects(named([...many, 'x']), { code: 'ERR_STATEMENT' })
  })

  test('constants of the builder, null, booleans and buffers', async () => {
    const { database } = await open()
    const { nodeId } = await filled(database)
    const hide = database.statement<{ hidden: boolean; payload: string | null; name: string }>((knex, p) =>
      knex('items')
        .update({ hidden: p('hidden'), payload: p('payload') })
        .where({ node_id: nodeId, name: p('name'), hidden: false })
    )
    assert.deepEqual(
      (await database.write(tx => tx.run(hide, { hidden: true, payload: 'é?', name: 'i1' }))).changes,
      1
    )
    assert.deepEqual(
      (await database.write(tx => tx.run(hide, { hidden: true, payload: null, name: 'i1' }))).changes,
      0
    )
    const seen = database.statement<{ hidden: boolean }, { name: string; payload: string; hidden: number }>(
      (knex, p) =>
        knex('items')
          .select('name', 'payload', 'hidden')
          .where({ hidden: p('hidden') })
    )
    const rows = await database.read.all(seen, { hidden: true })
    assert.deepEqual(
      rows.map(row => ({ ...row })),
      [{ name: 'i1', payload: 'é?', hidden: 1 }]
    )
    const hash = database.statement<{ name: string }, { node_hash: Buffer }>((knex, p) =>
      knex('nodes')
        .select('node_hash')
        .where({ node: p('name') })
    )
    assert.deepEqual((await database.read.get(hash, { name: 'n' }))?.node_hash, nameHash('n'))
  })

  test('changes are rows that matched', async () => {
    const { database } = await open()
    const { nodeId } = await filled(database)
    const same = database.statement<{ nodeId: number }>((knex, p) =>
      knex('items')
        .where({ node_id: p('nodeId') })
        .update({ hidden: false })
    )
    assert.equal((await database.write(tx => tx.run(same, { nodeId }))).changes, 40)
    const gone = await database.write(tx => tx.execute(database.knex('items').where({ name: 'i0' }).delete()))
    assert.equal(gone.changes, 1)
  })

  test('a parameter that is missing is named', async () => {
    const { database } = await open()
    const { sql, nodeId } = await filled(database)
    await assert.rejects(database.read.get(sql.item, { nodeId } as never), {
      code: 'ERR_STATEMENT',
      message: /'name' is undefined/
    })
    await assert.rejects(database.read.all(sql.named, {} as never), {
      code: 'ERR_STATEMENT',
      message: /'names'/
    })
    await assert.rejects(
      database.write(tx =>
        tx.run(sql.addItem, { nodeId, name: 'x', payload: undefined as never, published: 1 })
      ),
      { code: 'ERR_STATEMENT', message: /'payload'/ }
    )
  })

  test('a statement may be made before its table, and outlives a change of it', async () => {
    const { database } = await open()
    const sql = itemStatements(database)
    await assert.rejects(database.read.get(sql.count, {}))
    const { nodeId } = await filled(database)
    assert.equal((await database.read.get(sql.count, {}))?.n, 40)
    await database.write(tx => tx.execute(database.knex.raw('alter table items add column extra int')))
    assert.equal((await database.read.get(sql.item, { nodeId, name: 'i1' }))?.name, 'i1')
  })

  test('times and sums are numbers', async () => {
    const { database } = await open()
    await filled(database)
    const [row] = await database.read.query<{ s: number; m: number; a: number }>(
      database.knex('items').sum({ s: 'published' }).max({ m: 'published' }).avg({ a: 'hidden' })
    )
    assert.equal(row?.s, 40 * 1_700_000_000_000 + 780)
    assert.equal(row?.m, 1_700_000_000_039)
    assert.equal(row?.a, 0)
  })

  if (name === 'SQLite')
    test('a statement of another database is refused', async () => {
      const first = (await open()).database
      const second = (await open()).database
      await filled(first)
      await filled(second)
      const { count } = itemStatements(first)
      await first.read.get(count, {})
      await assert.rejects(second.read.get(count, {}), { code: 'ERR_STATEMENT', message: /another database/ })
    })
})
