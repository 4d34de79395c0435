import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { z } from 'zod'
import { forEachDatabase } from '../../lib/databases'

forEachDatabase((name, open) => {
  test("purging an account takes what is its own, in every store, and nobody else's", async () => {
    const { database, options, again } = await open()
    const owned = (host: string, module: string, store: string) =>
      database.store(host, module, store, z.string(), { owner: 'user' })
    const rosters = owned('localhost', 'mod_roster', 'items')
    const vcards = owned('localhost', 'mod_vcard', 'cards')
    const elsewhere = owned('other.example', 'mod_roster', 'items')
    const hosts = database.store('localhost', 'mod_server_buddy', 'peers', z.string())
    const mine = ['juliet', 'juliet/romeo@localhost', `juliet/${'x'.repeat(3000)}`]
    const others = ['Juliet', 'juliet ', 'juliet2/x', 'juliet2', 'romeo/juliet', 'jul']
    for (const key of [...mine, ...others]) {
      await rosters.set(key, 'of juliet@localhost')
      await vcards.update(key, () => 'x')
      await elsewhere.set(key, 'x')
    }
    await hosts.set('juliet', 'a peer that happens to be called so')

    await assert.rejects(
      database.write(async tx => {
        await database.purgeAccount(tx, 'localhost', 'juliet')
        assert.equal(await rosters.get('juliet', tx), undefined)
        throw new Error('the account stays')
      })
    )
    assert.equal(await rosters.count(), mine.length + others.length, 'part of the unit')

    await database.write(tx => database.purgeAccount(tx, 'localhost', 'juliet'))
    for (const store of [rosters, vcards]) {
      const keys = (await store.entries({ limit: 100 })).map(entry => entry.key)
      assert.deepEqual(keys.toSorted(), others.toSorted())
    }
    assert.equal(await elsewhere.count(), mine.length + others.length)
    assert.equal(await hosts.count(), 1)
    assert.equal(options.driver === 'mysql' || fs.existsSync(options.path), true)
    assert.equal(
      await (await again()).store('localhost', 'mod_vcard', 'cards', z.string()).count(),
      others.length
    )
  })

  test('purging a host takes all of it, in units that leave room for others', async () => {
    const { database } = await open()
    const gone = database.store('gone.example', 'm', 's', z.number())
    const stays = database.store('stays.example', 'm', 's', z.number())
    await database.write(async tx => {
      for (let i = 0; i < 1234; i++) await gone.set(`k${i}`, i, tx)
      await database.store('gone.example', 'n', 't', z.number(), { owner: 'user' }).set('juliet', 1, tx)
      await stays.set('k', 1, tx)
    })
    let between: number | undefined
    const purge = database.purgeHost('gone.example')
    if (name === 'SQLite') {
      await database.write(() => undefined)
      between = await gone.count()
    }
    assert.equal(await purge, 1235)
    if (between !== undefined) assert(between > 0 && between < 1234, `${between} left`)
    const rows = await database.read.query<{ host: string }>(database.knex('entries').distinct('host'))
    assert.deepEqual(
      rows.map(row => row.host),
      ['stays.example']
    )
    assert.equal(await database.purgeHost('gone.example'), 0)
  })

  test('a host goes out of every table that names it, with what belongs to its rows', async t => {
    const { database } = await open()
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-purge-'))
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
    fs.writeFileSync(
      path.join(folder, '001_things.ts'),
      `export async function up(db: any) {
        await db.createTable('test_things', (table: any) => {
          table.bigIncrements('id')
          table.string('host', 255).notNullable()
        })
        await db.createTable('test_parts', (table: any) => {
          table.bigIncrements('id')
          table.bigInteger('thing_id').unsigned().notNullable().references('test_things.id').onDelete('CASCADE')
        })
      }`
    )
    await database.migrate('test', folder)
    const { knex } = database
    for (const host of ['gone.example', 'stays.example', 'Gone.example'])
      await database.write(async tx => {
        await tx.execute(knex('test_things').insert({ host }))
        const [row] = await tx.query<{ id: number }>(knex('test_things').select('id').where({ host }))
        await tx.execute(knex('test_parts').insert({ thing_id: row?.id }))
      })
    assert.deepEqual(await database.rowsOfHost('gone.example'), [{ table: 'test_things', rows: 1 }])
    assert.equal(await database.purgeHost('gone.example'), 1)
    assert.deepEqual(await database.rowsOfHost('gone.example'), [])
    assert.deepEqual(await database.rowsOfHost('Gone.example'), [{ table: 'test_things', rows: 1 }])
    assert.equal((await database.read.query(knex('test_parts').select('id'))).length, 2)
  })
})
