import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { isDuplicate, nameHash } from '../../../core/storage'
import { forEachDatabase } from '../../lib/databases'
import { itemStatements, withItems } from './items'

// Design §5: names that defaults would merge. Unicode form: é composed, and e with a combining acute.
const SHORT = [
  'juliet',
  'Juliet',
  'JULIET',
  'jüliet',
  'juliet ',
  'juliet  ',
  ' juliet',
  'juli\u00e9t',
  'julie\u0301t',
  'juli😀t',
  'juliet\u0000',
  '0',
  '00',
  'ß',
  'ss',
  'ſ',
  'ı',
  'i',
  "o'neil",
  '100%',
  '_',
  '\\',
  '\\\\',
  '?',
  ':a',
  '"',
  '`'
]

/** Names as long as may be that differ in their last character alone. */
const LONG = ['a', 'A', 'á', 'a ', 'e\u0301', '\u00e9', '😀'].map(
  end => 'x'.repeat(3071 - Buffer.byteLength(end)) + end
)
const NAMES = [...SHORT, ...LONG]
const PAYLOAD = `<entry>${'💬é"\'\\ \n\t'.repeat(17_000)}</entry>` // more than 200 KiB

forEachDatabase((_, open) => {
  test('keys of a store are what they are, byte for byte', async () => {
    const { database, reopen } = await open()
    const store = database.store('localhost', 'm', 's', z.object({ name: z.string(), payload: z.string() }))
    await Promise.all(NAMES.map(name => store.set(name, { name, payload: PAYLOAD })))
    const again = (await reopen()).store(
      'localhost',
      'm',
      's',
      z.object({ name: z.string(), payload: z.string() })
    )
    assert.equal(await again.count(), NAMES.length)
    for (const name of NAMES) assert.deepEqual(await again.get(name), { name, payload: PAYLOAD })
    const keys = (await again.entries({ limit: 1000 })).map(entry => entry.key)
    assert.deepEqual(keys.toSorted(), NAMES.toSorted())
    for (const name of NAMES) assert.equal(await again.delete(name), true)
    assert.equal(await again.count(), 0)
  })

  test('names of stores and hosts are what they are', async () => {
    const { database } = await open()
    const names = SHORT.map(name => name.slice(0, 60))
    for (const name of names) {
      await database.store(name, 'm', 's', z.string()).set('k', `host ${name}`)
      await database.store('h', 'm', name, z.string()).set('k', `store ${name}`)
    }
    for (const name of names) {
      assert.equal(await database.store(name, 'm', 's', z.string()).get('k'), `host ${name}`)
      assert.equal(await database.store('h', 'm', name, z.string()).get('k'), `store ${name}`)
    }
    // Purging one host spares those whose names a lax comparison would take for it.
    for (const [i, name] of names.entries()) {
      assert.equal(await database.purgeHost(name), 1, name)
      for (const other of names.slice(i + 1))
        assert.equal(await database.store(other, 'm', 's', z.string()).get('k'), `host ${other}`)
    }
  })

  test('names in a table of a module are what they are', async () => {
    const { database } = await open()
    await withItems(database)
    const sql = itemStatements(database)
    const ids = await Promise.all(
      NAMES.map(node =>
        database.write(async tx => (await tx.run(sql.addNode, { node, hash: nameHash(node) })).lastId)
      )
    )
    assert.equal(new Set(ids).size, NAMES.length)
    for (const [i, node] of NAMES.entries()) {
      const found = await database.read.get(sql.nodeId, { hash: nameHash(node) })
      assert.deepEqual({ ...found }, { id: ids[i], node })
    }
    const nodeId = ids[0] ?? 0
    for (const name of SHORT)
      await database.write(tx =>
        tx.run(sql.addItem, { nodeId, name, payload: PAYLOAD, published: 1_700_000_000_123 })
      )
    for (const name of SHORT) {
      const item = await database.read.get(sql.item, { nodeId, name })
      assert.deepEqual({ ...item }, { name, payload: PAYLOAD, published: 1_700_000_000_123 })
      const again = database.write(tx => tx.run(sql.addItem, { nodeId, name, payload: null, published: 1 }))
      await assert.rejects(again, error => isDuplicate(error))
    }
    // As text: compared, ordered and grouped by bytes too.
    const rows = await database.read.query<{ name: string }>(
      database.knex('items').distinct('name').orderBy('name')
    )
    const sorted = SHORT.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    assert.deepEqual(
      rows.map(row => row.name),
      sorted
    )
  })
})
