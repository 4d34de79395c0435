import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { IM_HOST } from '../../lib/config'
import { startTestServer, type TestServer } from '../../lib/server'
import { PASSWORD, scenario } from '../../lib/wire'
import { execute, listed, notesOf, OWN, rowsOf, run, statusOf, submit } from './helpers'

const SHOW = `${OWN}#module-options`
const CHECK = `${OWN}#module-options-check`
const CAST = { op: 'op@localhost' }
const CODE = `import { defineModule, secretOption, z } from '#core'
export default defineModule({
  name: 'keeper', description: 'Has options of all kinds', on: ['server', 'virtual'],
  config: z.object({
    limit: z.number().int().min(1).default(10).describe('How many.'),
    key: secretOption().optional().describe('The key.'),
    place: z.object({ port: z.number().int().default(1).describe('The port.') }).prefault({}).describe('Where.'),
    from: z.string().default('nowhere').describe('Whence.'),
    peers: z.record(z.string(), z.object({ token: z.string().describe('Theirs.') })).default({}).describe('Who.'),
    doors: z.array(z.object({ password: z.string().describe('Its own.'), name: z.string().describe('Its name.') }))
      .default([]).describe('All.')
  }),
  setup (ctx) {
    if (ctx.host.type === 'server') return
    ctx.add('config-override', { option: 'keeper.from', value: 'a command', by: 'op@localhost' })
  }
})
`

async function start(t: TestContext): Promise<TestServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-keeper-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  fs.mkdirSync(path.join(folder, 'mod_keeper'))
  fs.writeFileSync(path.join(folder, 'mod_keeper', 'index.ts'), CODE)
  process.env.BALCONY_TEST_FROM = 'out of the environment'
  const keeper = {
    limit: 20,
    key: 'swordfish',
    place: { port: 7 },
    peers: { paris: { token: 'swordfish' } },
    doors: [{ name: 'back', password: 'swordfish' }]
  }
  const other = { limit: 30, from: '${BALCONY_TEST_FROM}' }
  const server = await startTestServer(t, {
    hosts: {
      localhost: { modules: { ...(IM_HOST.modules as object), keeper } },
      other: { modules: { ...(IM_HOST.modules as object), keeper: other } },
      'channels.localhost': { type: 'component' }
    },
    modules: { adhoc_admin: {} },
    config: { operators: ['op@localhost'], moduleFolders: [folder] }
  })
  await server.server.accounts.setPassword('op', 'localhost', PASSWORD)
  return server
}

test('the options of a module, on all its hosts: value, default, who has set it, meaning; no secret', async t => {
  const server = await start(t)
  await scenario(server, { ...CAST, juliet: 'juliet@localhost' }, async ({ op, juliet }) => {
    for (const node of [SHOW, CHECK]) {
      assert.equal(statusOf(await execute(juliet, node)), 'forbidden')
      assert.ok((await listed(op, 'other')).includes(node))
    }
    const answer = await run(op, SHOW, { module: 'keeper', host: '*' })
    const rows = rowsOf(answer)
    const values = (host: string): string[] =>
      rows.filter(row => row.host === host).map(row => `${row.option} ${row.value} by ${row['set-by']}`)
    assert.deepEqual(values('localhost'), [
      'limit 20 by file',
      'key "(not shown)" by file',
      'place.port 7 by file',
      'from a command by command, op@localhost',
      'peers {"paris":{"token":"(not shown)"}} by file',
      'doors [{"name":"back","password":"(not shown)"}] by file'
    ])
    assert.deepEqual(values('other').slice(0, 4), [
      'limit 30 by file',
      'key  by default',
      'place.port 1 by default',
      'from a command by command, op@localhost'
    ])
    assert.deepEqual(rows[0], {
      host: 'localhost',
      option: 'limit',
      value: '20',
      'set-by': 'file',
      default: '10',
      type: 'whole number of at least 1',
      meaning: 'How many.'
    })
    assert.doesNotMatch(String(answer), /swordfish|environment/)

    const one = rowsOf(await run(op, SHOW, { module: 'keeper', host: 'other' }))
    assert.ok(one.length > 0 && one.every(row => row.host === 'other'))
    // One that is on nowhere, by its defaults
    const off = rowsOf(await run(op, SHOW, { module: 'announce', host: '*' }))
    assert.equal(off.find(row => row.option === 'maxLength')?.value, '4000')
    assert.ok(off.every(row => row.host === 'on none' && row['set-by'] === 'default'))
    const core = rowsOf(await run(op, SHOW, { module: 'c2s', host: '*' }))
    assert.ok(core.length > 0 && core.every(row => row.host === 'the server'))
  })
  assert.deepEqual(server.errors(), [])
})

test('options are checked over those of the file, and nothing is changed', async t => {
  const server = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    const check = (options: string, host = '*') => run(op, CHECK, { module: 'keeper', host, options })
    assert.deepEqual(notesOf(await check('limit: 5')), [
      'info: These options are in order for keeper. Nothing was changed.'
    ])
    const wrong = notesOf(await check('limit: 0\nlimt: 3\nkey: [hush]\n'))
    assert.equal(wrong.length, 3)
    assert.match(wrong[0] ?? '', /^error: options:1:8 {2}limit: expected a whole number of at least 1/)
    assert.match(wrong[1] ?? '', /^error: options:2:1 {2}limt: unknown key/)
    assert.doesNotMatch(wrong.join('\n'), /hush/)
    for (const nonsense of ['- 5', 'just text', '[', '"', 'a: b: c'])
      assert.match(notesOf(await check(nonsense))[0] ?? '', /^error: options:/)
    const rows = rowsOf(await run(op, SHOW, { module: 'keeper', host: 'localhost' }))
    assert.equal(rows[0]?.value, '20')
  })
})

test('an unknown module, and a host where it cannot be, are named', async t => {
  const server = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    for (const node of [SHOW, CHECK]) {
      const begun = await execute(op, node)
      const answer = await submit(op, begun, { module: 'keepr', host: '*', options: 'a: 1' })
      assert.match(notesOf(answer)[0] ?? '', /^error: module: .*keepr/)
      const elsewhere = await submit(op, begun, {
        module: 'keeper',
        host: 'channels.localhost',
        options: 'a: 1'
      })
      assert.match(notesOf(elsewhere)[0] ?? '', /^error: host: keeper cannot run on channels\.localhost/)
    }
  })
  assert.deepEqual(server.errors(), [])
})
