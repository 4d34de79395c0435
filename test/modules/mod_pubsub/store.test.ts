import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import type { Database } from '../../../core/storage'
import { defineService, type Store } from '../../../modules/lib_pubsub'
import { SqlStore } from '../../../modules/mod_pubsub/store/store'
import { Tables } from '../../../modules/mod_pubsub/store/tables'
import { forEachDatabase, type Open } from '../../lib/databases'
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
    const seen = await agreesWithModel(() => {
      const { defaults } = defineService({ limits: { maxItems: 5 } })
      const tables = new Tables(db, `pubsub-${++hosts}.example`, () => defaults)
      return Promise.resolve({
        unit: work =>
          db.write(async tx => {
            const store = new SqlStore(tables, tx)
            const result = await work(store as unknown as Store)
            await store.finish()
            return result
          })
      })
    }, runs)
    for (const outcome of ['publish done', 'retract done', 'subscribe done', 'delete done', 'items done'])
      assert.ok((seen.get(outcome) ?? 0) > 0, outcome)
    assert.deepEqual(await db.integrityCheck(), [])
  })
})
