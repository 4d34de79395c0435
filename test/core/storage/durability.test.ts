import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import test from 'node:test'
import { forEachDatabase } from '../../lib/databases'
import { itemStatements, withItems } from './items'

const ROUNDS = 5
const WRITER = path.join(__dirname, 'durability-writer.ts')
const REGISTER = path.resolve(__dirname, '../../../bin/register.js')

forEachDatabase((_, open) => {
  test('what was acknowledged survives kill -9, and nothing is there by half', async () => {
    const made = await open()
    await withItems(made.database)
    const acknowledged: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await made.database.close()
      const child = spawn(
        process.execPath,
        ['--require', REGISTER, WRITER, JSON.stringify(made.options), String(round)],
        { stdio: ['ignore', 'pipe', 'inherit'] }
      )
      let output = ''
      const enough = 200 + 137 * round
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
        if (output.length > enough * 8) child.kill('SIGKILL')
      })
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
      assert.deepEqual([code, signal], [null, 'SIGKILL'], output)
      acknowledged.push(...output.split('\n').slice(0, -1))

      const database = await made.reopen()
      const sql = itemStatements(database)
      const rows = await database.read.query<{ name: string; published: number }>(
        database.knex('items').select('name', 'published')
      )
      const names = new Set(rows.map(row => row.name))
      assert.deepEqual(
        acknowledged.filter(name => !names.has(name)),
        [],
        `lost in round ${round}`
      )
      assert.equal(names.size, rows.length)
      // Each unit wrote two rows.
      for (const name of names) assert(names.has(name.endsWith('b') ? name.slice(0, -1) : `${name}b`), name)
      assert.equal((await database.read.get(sql.count, {}))?.n, rows.length)
      assert.deepEqual(await database.integrityCheck(), [])
    }
    assert(acknowledged.length > ROUNDS * 100, `${acknowledged.length} acknowledged`)
  })
})
