import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { openDatabase } from '../../../core/storage'
import { sqliteOptions, testLog } from '../../lib/databases'

const REGISTER = path.resolve(__dirname, '../../../bin/register.js')
const STORAGE = path.resolve(__dirname, '../../../core/storage')

test('what is wrong with a SQLite file is said with what to do', async () => {
  const { path: file } = sqliteOptions()
  const folder = path.dirname(file)
  const text = path.join(folder, 'notes.txt')
  fs.writeFileSync(text, 'This is no database at all. '.repeat(100))
  const cases: [string, string, RegExp][] = [
    [text, 'ERR_STORAGE_CONNECT', /notes\.txt.*is no SQLite database; move it away/],
    [
      folder,
      'ERR_STORAGE_CONNECT',
      /Cannot open the SQLite database .*does the folder exist, and may this user/
    ],
    [path.join(text, 'below.sqlite'), 'ERR_STORAGE_CONNECT', /below\.sqlite/],
    [':memory:', 'ERR_STORAGE_CONFIG', /storage\.path ':memory:' is no file/],
    ['', 'ERR_STORAGE_CONFIG', /storage\.path/]
  ]
  for (const [wrong, code, message] of cases)
    await assert.rejects(openDatabase({ driver: 'sqlite', path: wrong }, testLog()), { code, message })
})

test('the folder of the database is made', async () => {
  const { path: file } = sqliteOptions()
  const deep = path.join(path.dirname(file), 'a', 'b', 'c.sqlite')
  const database = await openDatabase({ driver: 'sqlite', path: deep }, testLog())
  await database.close()
  assert.equal(fs.existsSync(deep), true)
})

for (const [driver, module] of [
  ['sqlite', 'better-sqlite3'],
  ['mysql', 'mysql2/promise']
] as const)
  test(`without ${module} nothing is opened, and nothing else instead`, () => {
    const { path: file } = sqliteOptions()
    const options = driver === 'sqlite' ? { driver, path: file } : { driver, user: 'x', database: 'x' }
    const script = `
      require(${JSON.stringify(REGISTER)})
      const Module = require('node:module')
      const load = Module._load
      Module._load = (name, ...rest) => {
        if (name === ${JSON.stringify(module)}) throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
        return load(name, ...rest)
      }
      require(${JSON.stringify(STORAGE)}).openDatabase(${JSON.stringify(options)}, console).then(
        () => console.log('opened'), error => console.log(error.code, error.message))`
    const said = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    assert.match(said, new RegExp(`^ERR_STORAGE_DRIVER storage.driver is '${driver}'.*npm install`))
    assert.equal(fs.existsSync(file), false)
  })

test('both durabilities store', async () => {
  for (const durability of ['full', 'normal'] as const) {
    const options = { ...sqliteOptions(), durability }
    const database = await openDatabase(options, testLog())
    await database.write(tx => tx.execute(database.knex.raw('create table t (n integer)')))
    await database.write(tx => tx.execute(database.knex('t').insert({ n: 1 })))
    await database.close()
    const again = await openDatabase(options, testLog())
    assert.deepEqual(await again.read.query(again.knex('t').select()), [{ n: 1 }])
    await again.close()
  }
})

test('a damaged database is found out', async () => {
  const options = sqliteOptions()
  const database = await openDatabase(options, testLog())
  await database.write(tx => tx.execute(database.knex.raw('create table t (n integer, b text)')))
  await database.write(tx => tx.execute(database.knex.raw('create index t_n on t (n)')))
  await database.write(async tx => {
    for (let n = 0; n < 2000; n++) await tx.execute(database.knex('t').insert({ n, b: 'x'.repeat(100) }))
  })
  await database.close()
  const file = fs.openSync(options.path, 'r+')
  const { size } = fs.fstatSync(file)
  fs.writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, size - 3 * 4096)
  fs.closeSync(file)
  const damaged = await openDatabase(options, testLog())
  assert.notDeepEqual(await damaged.integrityCheck(), [])
  await damaged.close()
})
