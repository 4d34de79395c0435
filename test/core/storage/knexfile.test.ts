import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import type { StorageOptions } from '../../../core/storage'
import { forEachDatabase } from '../../lib/databases'

const ROOT = path.resolve(__dirname, '../../..')
const KNEX = path.join(ROOT, 'node_modules/knex/bin/cli.js')

function configFile(t: TestContext, options: StorageOptions): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-knexfile-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'balcony.yaml')
  // JSON is YAML.
  fs.writeFileSync(file, JSON.stringify({ data: '.', storage: options, hosts: { localhost: {} } }))
  return file
}

forEachDatabase((_, open) => {
  test("Knex's own command and the server see the same migrations", async t => {
    const { database, options, reopen } = await open()
    const env = { ...process.env, BALCONY_CONFIG: configFile(t, options), NO_COLOR: '1' }
    const knex = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(process.execPath, [KNEX, ...args], { cwd: ROOT, env })).stdout
    assert.match(await knex('migrate:list'), /1 Completed.*\n001_entries\.ts\nNo Pending/)
    assert.match(
      await knex('migrate:list', '--env', 'core_accounts'),
      /2 Pending.*\n001_accounts\.ts\s+002_disabled\.ts/
    )
    await database.close()
    assert.match(await knex('migrate:latest', '--env', 'core_accounts'), /Batch 1 run: 2 migrations/)
    const again = await reopen()
    assert.deepEqual(await again.migrate('core_accounts', path.join(ROOT, 'core/accounts/migrations')), {
      ran: []
    })
    assert.deepEqual(await again.read.query(again.knex('accounts').select('id')), [])
    await assert.rejects(knex('migrate:down', '--env', 'core_accounts'), /migrations only add/)
  })
})
