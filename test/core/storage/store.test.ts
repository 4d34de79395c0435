import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { entryStatements } from '../../../core/storage/entries'
import { digest } from '../../../core/storage/keys'
import { forEachDatabase } from '../../lib/databases'

const Note = z.object({ text: z.string(), n: z.number().optional() })

forEachDatabase((name, open) => {
  test('a value is set, read, changed and deleted', async () => {
    const { database, reopen } = await open()
    const notes = database.store('localhost', 'mod_notes', 'notes', Note)
    assert.equal(await notes.get('a'), undefined)
    await notes.set('a', { text: 'one' })
    assert.deepEqual(await notes.get('a'), { text: 'one' })
    await notes.set('a', { text: 'two', n: 2 })
    assert.deepEqual(await notes.get('a'), { text: 'two', n: 2 })
    assert.deepEqual(await notes.update('a', old => ({ text: `${old?.text ?? ''}!` })), { text: 'two!' })
    assert.equal(await notes.update('b', old => old), undefined)
    assert.equal(await notes.count(), 1)
    const later = (await reopen()).store('localhost', 'mod_notes', 'notes', Note)
    assert.deepEqual(await later.get('a'), { text: 'two!' })
    assert.equal(await later.delete('a'), true)
    assert.equal(await later.delete('a'), false)
    assert.equal(await later.update('c', () => undefined), undefined)
    assert.equal(await later.count(), 0)
  })

  test('update can delete', async () => {
    const { database } = await open()
    const notes = database.store('localhost', 'mod_notes', 'notes', Note)
    await notes.set('a', { text: 'x' })
    assert.equal(await notes.update('a', () => undefined), undefined)
    assert.equal(await notes.get('a'), undefined)
  })

  test('hosts, modules and names are stores apart', async () => {
    const { database } = await open()
    const places: [string, string, string][] = [
      ['a', 'm', 's'],
      ['b', 'm', 's'],
      ['a', 'n', 's'],
      ['a', 'm', 't'],
      ['', 'm', 's']
    ]
    const at = ([host, module, name]: [string, string, string]) =>
      database.store(host, module, name, z.string())
    for (const place of places) await at(place).set('k', place.join())
    for (const place of places) {
      assert.equal(await at(place).get('k'), place.join())
      assert.equal(await at(place).count(), 1)
    }
  })

  test('calls with a transaction belong to its unit', async () => {
    const { database } = await open()
    const notes = database.store('localhost', 'mod_notes', 'notes', Note)
    await assert.rejects(
      database.write(async tx => {
        await notes.set('a', { text: 'x' }, tx)
        assert.deepEqual(await notes.get('a', tx), { text: 'x' })
        assert.equal(await notes.count(tx), 1)
        assert.equal((await notes.entries({ limit: 5 }, tx)).length, 1)
        await notes.update('a', () => ({ text: 'y' }), tx)
        assert.equal(await notes.delete('a', tx), true)
        await notes.set('b', { text: 'z' }, tx)
        throw new Error('no')
      }),
      /^Error: no$/
    )
    assert.equal(await notes.count(), 0)
  })

  test('concurrent updates of one key lose nothing', async () => {
    const { database, again } = await open()
    const other = database.dialect === 'mysql' ? await again() : database // another process, where there may be one
    const [a, b] = [database, other].map(one => one.store('localhost', 'mod_notes', 'counter', z.number()))
    assert(a && b)
    const work = Array.from({ length: 60 }, (_, i) => (i % 2 ? a : b).update('n', (n = 0) => n + 1))
    const seen = await Promise.all(work)
    assert.equal(await a.get('n'), 60)
    assert.equal(new Set(seen).size, 60)
  })

  test('pages run through all entries in byte order, and through those of a prefix', async () => {
    const { database } = await open()
    const store = database.store('localhost', 'm', 's', z.number())
    const keys = ['a', 'B', 'b/', 'b/1', 'b/10', 'b/2', 'b/é', 'b0', 'ä', 'b/𝄞', 'b/\uffff', 'c']
    await database.write(async tx => {
      for (const [i, key] of keys.entries()) await store.set(key, i, tx)
      await database.store('localhost', 'm', 't', z.number()).set('b/other', 1, tx)
    })
    const sorted = keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
    for (const limit of [1, 2, 5, 1000])
      for (const prefix of ['', 'b/', 'b', 'zz']) {
        const found: string[] = []
        for (let after: string | undefined; ;) {
          const page = await store.entries({ prefix, limit, ...(after === undefined ? {} : { after }) })
          found.push(...page.map(entry => entry.key))
          after = page.at(-1)?.key
          if (page.length < limit) break
        }
        assert.deepEqual(
          found,
          sorted.filter(key => key.startsWith(prefix)),
          `limit ${limit}, prefix '${prefix}'`
        )
      }
    assert.deepEqual(await store.entries({ prefix: 'b/', after: 'a', limit: 1 }), [{ key: 'b/', value: 2 }])
    assert.deepEqual(await store.entries({ prefix: 'b/', after: 'c', limit: 1 }), [])
  })

  test('keys that share their first 512 bytes are paged without loss', async () => {
    const { database } = await open()
    const store = database.store('localhost', 'm', 's', z.number())
    const keys = Array.from({ length: 20 }, (_, i) => `${'é'.repeat(300)}${i}`)
    await database.write(async tx => {
      for (const [i, key] of keys.entries()) await store.set(key, i, tx)
    })
    const found: string[] = []
    for (let page = await store.entries({ limit: 3 }); page.length > 0;) {
      found.push(...page.map(entry => entry.key))
      page = await store.entries({ limit: 3, after: found.at(-1) ?? '' })
    }
    assert.deepEqual(found.toSorted(), keys.toSorted())
  })

  test('a page is read along an index, without sorting', async () => {
    const { database } = await open()
    const store = database.store('h', 'm', 's', z.number())
    await database.write(async tx => {
      for (let i = 0; i < 2000; i++) await store.set(`key${i}`, i, tx)
    })
    const { after } = entryStatements(database)
    const at = [digest('h', 'm', 's'), ...(name === 'SQLite' ? [] : ['key5']), 'key5', Buffer.alloc(0), 10]
    const explain = name === 'SQLite' ? 'explain query plan' : 'explain'
    const plan = JSON.stringify(await database.read.query(database.knex.raw(`${explain} ${after.sql}`, at)))
    if (name === 'SQLite') assert.match(plan, /\(space=\? AND \(head,tail_hash\)>\(\?,\?\)\)/)
    else assert.match(plan, /"type":"range".*"key":"PRIMARY"/)
    assert.doesNotMatch(plan, /TEMP B-TREE|filesort|temporary/)
  })

  test('a page has a bound', async () => {
    const { database } = await open()
    const store = database.store('localhost', 'm', 's', z.number())
    for (const limit of [0, -1, 1001, 1.5, NaN, Infinity])
      await assert.rejects(store.entries({ limit }), { code: 'ERR_STORE_PAGE' })
    await assert.rejects(store.entries({ limit: 1, prefix: 'x'.repeat(501) }), { code: 'ERR_STORAGE_NAME' })
  })

  test('a value that no longer fits is reported with its place', async () => {
    const { database } = await open()
    await database.store('localhost', 'mod_notes', 'notes', z.unknown()).set('juliet/1', { text: 7 })
    const notes = database.store('localhost', 'mod_notes', 'notes', Note)
    const expected = {
      code: 'ERR_STORE_VALUE',
      message: /'juliet\/1' in the store 'notes' of mod_notes on 'localhost'.*text .*expected string/
    }
    await assert.rejects(notes.get('juliet/1'), expected)
    await assert.rejects(notes.entries({ limit: 1 }), expected)
    await assert.rejects(
      notes.update('juliet/1', () => undefined),
      expected
    )
    await notes.set('juliet/1', { text: 'mended' })
    assert.deepEqual(await notes.get('juliet/1'), { text: 'mended' })
  })

  test('what JSON cannot carry is refused', async () => {
    const { database } = await open()
    const store = database.store('localhost', 'm', 's', z.unknown())
    await assert.rejects(store.set('a', undefined), { code: 'ERR_STORE_VALUE' })
    await assert.rejects(store.set('a', 'x'.repeat(16_777_216)), { code: 'ERR_STORE_VALUE' })
    await assert.rejects(store.set('', 1), { code: 'ERR_STORAGE_NAME' })
    await assert.rejects(store.set('x'.repeat(3072), 1), { code: 'ERR_STORAGE_NAME' })
    await assert.rejects(store.get('half \ud800 pair'), { code: 'ERR_STORAGE_NAME' })
    await store.set('big', 'é'.repeat(8_388_606))
    assert.equal(((await store.get('big')) as string).length, 8_388_606)
  })
})
