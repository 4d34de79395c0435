import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { nameHash, openDatabase, type Database } from '../../../core/storage'
import { defineService } from '../../../modules/lib_pubsub'
import { Occasions } from '../../../modules/mod_pubsub/store/occasions'
import { Departures } from '../../../modules/mod_pubsub/store/departures'
import { SqlReadStore } from '../../../modules/mod_pubsub/store/read-store'
import { SqlStore } from '../../../modules/mod_pubsub/store/store'
import { Tables } from '../../../modules/mod_pubsub/store/tables'
import { forEachDatabase, sqliteOptions, testLog, type Open } from '../../lib/databases'
import { agreesWithModel } from '../lib_pubsub/agreement'

const MIGRATIONS = path.join(__dirname, '../../../modules/mod_pubsub/migrations')

async function migrated(open: Open): Promise<Database> {
  const { database } = await open()
  await database.migrate('mod_pubsub', MIGRATIONS)
  return database
}

forEachDatabase((name, open) => {
  test('random requests by random people come to what they come to in the model', async () => {
    const db = await migrated(open)
    let hosts = 0
    const runs = Number(process.env.RUNS ?? (name === 'SQLite' ? 60 : 12))
    const seen = await agreesWithModel(several => {
      const { defaults } = defineService({ limits: { maxItems: 5 } })
      const host = `pubsub-${++hosts}.example`
      const tables = new Tables(
        db,
        host,
        () => defaults,
        () => several
      )
      return Promise.resolve({
        due: async now => {
          const rows = await tables.subscriptions.due(db.read, now, 1000)
          return {
            subscriptions: rows.map(({ node, jid, id }) => ({ node, jid, key: id })),
            nodes: await tables.nodes.due(db.read, now, 1000)
          }
        },
        unit: work =>
          db.write(async tx => {
            const store = new SqlStore(tables, tx)
            const result = await work(store)
            await store.finish()
            return result
          })
      })
    }, runs)
    // what chance brings seldom comes in many runs alone
    const often = ['publish done', 'subscribe done', 'items done']
    for (const outcome of runs < 60 ? often : [...often, 'retract done', 'delete done'])
      assert.ok((seen.get(outcome) ?? 0) > 0, outcome)
    assert.deepEqual(await db.integrityCheck(), [])
  })

  test('lists of several kinds come in one order, in pages from either end', async () => {
    const db = await migrated(open)
    const { defaults } = defineService()
    const tables = new Tables(db, 'pubsub.example', () => defaults)
    const write = <T>(work: (store: SqlStore) => Promise<T>): Promise<T> =>
      db.write(tx => work(new SqlStore(tables, tx)))
    const states = ['subscribed', 'pending', 'unconfigured'] as const
    const node = await write(async store => {
      const made = await store.createNode({ name: 'n', creator: 'a@x', createdAt: 1, config: defaults })
      assert.ok(made)
      for (let i = 0; i < 30; i++) {
        await store.addSubscription(made, `u${i}@x`, states[(i * i) % 3] ?? 'pending')
        await store.setAffiliation(made, `u${i}@x`, ['member', 'outcast', 'publisher'][i % 3] ?? '')
      }
      return made
    })
    const read = new SqlReadStore(tables, db.read)
    const all = (await read.subscriptionsTo(node, { limit: 100 }, states)).rows
    assert.deepEqual(
      all.map(row => row.jid),
      Array.from({ length: 30 }, (_, i) => `u${i}@x`)
    )
    assert.equal(all[4]?.affiliation, 'outcast')
    const [from, to] = [all[9]?.key ?? 0, all[20]?.key ?? 0]
    const range = { after: from, before: to, limit: 4 }
    assert.deepEqual((await read.subscriptionsTo(node, range, states)).rows, all.slice(10, 14))
    const newest = await read.subscriptionsTo(node, { ...range, newest: true }, states)
    assert.deepEqual(newest.rows, all.slice(16, 20))
    const some = await read.affiliations(node, { limit: 5, newest: true }, ['member', 'publisher'])
    assert.deepEqual(
      some.rows.map(row => row.jid),
      ['u23@x', 'u24@x', 'u26@x', 'u27@x', 'u29@x']
    )
    const fresh = await read.node('n')
    assert.equal(fresh && read.countSubscribers(fresh), all.filter(row => row.state === 'subscribed').length)
  })

  test('a unit that fails leaves the list for events as it was', async () => {
    const db = await migrated(open)
    const { defaults } = defineService()
    const tables = new Tables(db, 'pubsub.example', () => defaults)
    const write = <T>(work: (store: SqlStore) => Promise<T>): Promise<T> =>
      db.write(tx => work(new SqlStore(tables, tx)))
    const told = (): Promise<readonly string[]> =>
      write(async store => {
        const node = await store.lockNode('n')
        assert.ok(node)
        return (await store.audience(node)).plain
      })
    await write(async store => {
      const node = await store.createNode({ name: 'n', creator: 'a@x', createdAt: 1, config: defaults })
      assert.ok(node)
      await store.addSubscription(node, 'a@x', 'subscribed')
    })
    assert.deepEqual(await told(), ['a@x'])
    const undone = write(async store => {
      const node = await store.lockNode('n')
      assert.ok(node)
      await store.addSubscription(node, 'b@x', 'subscribed')
      assert.deepEqual([...(await store.audience(node)).plain].sort(), ['a@x', 'b@x'])
      throw new Error('undone')
    })
    // in the same group of writes as the one that is undone
    const meanwhile = told()
    await assert.rejects(undone, /undone/)
    assert.deepEqual(await meanwhile, ['a@x'])
    await write(async store => {
      const node = await store.lockNode('n')
      assert.ok(node)
      await store.addSubscription(node, 'c@x', 'subscribed')
    })
    assert.deepEqual([...(await told())].sort(), ['a@x', 'c@x'])
  })

  test('what the version before has stored is what it was, and lists it in the order of creation too', async () => {
    const { database: db } = await open()
    const before = mkdtempSync(path.join(tmpdir(), 'balcony-'))
    try {
      copyFileSync(path.join(MIGRATIONS, '001_pubsub.ts'), path.join(before, '001_pubsub.ts'))
      await db.migrate('mod_pubsub', before)
      const { defaults } = defineService()
      const run = (sql: string, values: unknown[]): Promise<unknown> =>
        db.write(tx => tx.execute(db.knex.raw(sql, values as never[])))
      await run(
        `INSERT INTO pubsub_nodes (id, host, name, name_hash, creator, creator_hash, created, config, item_count, seq,
           subscribers, version) VALUES (1, 'p.example', 'n', ?, 'a@x', ?, 1, '{}', 3, 4, 1, 1)`,
        [nameHash('n'), nameHash('a@x')]
      )
      await run(
        `INSERT INTO pubsub_subscriptions (id, host, node_id, jid, jid_hash, bare_hash, state)
           VALUES (1, 'p.example', 1, 'b@x', ?, ?, 'subscribed')`,
        [nameHash('b@x'), nameHash('b@x')]
      )
      for (const [id, item, seq] of [
        [1, 'A', 4],
        [2, 'B', 2],
        [3, 'C', 3]
      ])
        await run(
          `INSERT INTO pubsub_items (id, node_id, item_id, publisher, publisher_hash, created, updated, seq)
             VALUES (?, 1, ?, 'a@x', ?, 1, 1, ?)`,
          [id, item, nameHash('a@x'), seq]
        )
      await db.migrate('mod_pubsub', MIGRATIONS)
      const tables = new Tables(db, 'p.example', () => defaults)
      const read = new SqlReadStore(tables, db.read)
      const node = await read.node('n')
      assert.ok(node)
      assert.equal(node.dueAt, undefined)
      assert.deepEqual(await read.subscriptions(node, 'b@x'), [{ key: 1, jid: 'b@x', state: 'subscribed' }])
      assert.deepEqual(await read.audience(node), { plain: ['b@x'], special: [] })
      const ids = async (order?: 'creation'): Promise<string> =>
        (await read.items(node, { limit: 9 }, order)).map(item => item.id).join('')
      assert.equal(await ids(), 'BCA')
      assert.equal(await ids('creation'), 'ABC')
      assert.deepEqual(await tables.subscriptions.due(db.read, Date.now(), 9), [])
    } finally {
      rmSync(before, { recursive: true })
    }
  })

  test('redirects are forgotten after their time', async () => {
    const db = await migrated(open)
    const { defaults } = defineService()
    const tables = new Tables(db, 'pubsub.example', () => defaults)
    await db.write(async tx => {
      for (const created of [1000, 2000]) {
        const name = `n${created}`
        await tables.nodes.addRedirect(tx, { name, creator: 'a@x', uri: 'xmpp:away', created })
      }
      await tables.nodes.expireRedirects(tx, 2000)
    })
    const read = new SqlReadStore(tables, db.read)
    assert.equal(await read.redirectOf('n1000'), undefined)
    assert.equal(await read.redirectOf('n2000'), 'xmpp:away')
    assert.equal(await read.countNodesOf('a@x', 10), 1)
  })
})

test('every statement finds its rows by an index, in their order', async () => {
  const options = sqliteOptions()
  const db = await openDatabase(options, testLog())
  await db.migrate('mod_pubsub', MIGRATIONS)
  const statements: string[] = []
  const recording = {
    dialect: db.dialect,
    knex: db.knex,
    statement(build: never) {
      const statement = db.statement(build)
      statements.push(statement.sql)
      return statement
    }
  } as unknown as Database
  const { defaults } = defineService()
  const tables = new Tables(recording, 'pubsub.example', () => defaults)
  assert.ok(new Departures(recording, 'pubsub.example', tables.hashes))
  assert.ok(new Occasions(recording, 'pubsub.example', tables.hashes))
  assert.ok(statements.length > 40)
  const slow: string[] = []
  const used: string[] = []
  for (const sql of statements) {
    if (/^insert/i.test(sql)) continue
    const values = Array.from({ length: sql.split('?').length - 1 }, () => 1)
    const plan = await db.read.query<{ detail: string }>(db.knex.raw(`EXPLAIN QUERY PLAN ${sql}`, values))
    const details = plan.map(row => row.detail)
    used.push(...details)
    if (details.some(detail => /^SCAN (?!own|some|\()|TEMP B-TREE/.test(detail))) slow.push(sql, ...details)
  }
  assert.deepEqual(slow, [])
  for (const wanted of [
    'pubsub_affiliations_list (node_id=? AND affiliation=? AND rowid>? AND rowid<?)',
    'pubsub_subscriptions_state (node_id=? AND state=? AND rowid>? AND rowid<?)',
    'pubsub_subscriptions_bare (node_id=? AND bare_hash=?)',
    'pubsub_items_seq (node_id=? AND seq>? AND seq<?)',
    'pubsub_nodes_on_presence (host=? AND on_presence=?)',
    'pubsub_nodes_by_roster (host=? AND by_roster=?)'
  ])
    assert.ok(
      used.some(detail => detail.includes(wanted)),
      wanted
    )
  await db.close()
})
