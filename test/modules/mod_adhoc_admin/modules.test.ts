import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import { parse, stringify } from 'yaml'
import { scenario } from '../../lib/wire'
import { execute, notesOf, OWN, resultOf, rowsOf, run, startAdministered, statusOf } from './helpers'

const CAST = { op: 'op@localhost/globe' }

test('modules are listed with host, state and how often they were loaded', async t => {
  const server = await startAdministered(t)
  await scenario(server, CAST, async ({ op }) => {
    const rows = rowsOf(await execute(op, `${OWN}#modules-list`))
    assert.deepEqual(
      rows.find(row => row.module === 'adhoc' && row.host === 'channels.localhost'),
      {
        module: 'adhoc',
        host: 'channels.localhost',
        state: 'running',
        version: '1',
        error: ''
      }
    )
    assert.equal(rows.find(row => row.module === 'c2s')?.host, 'the server')
  })
})

test('a module is unloaded on one host, loaded again, and reloaded everywhere', async t => {
  const server = await startAdministered(t)
  const ping = `<iq type='get' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`
  await scenario(server, CAST, async ({ op }) => {
    const unloaded = await run(op, `${OWN}#module-unload`, { module: 'ping', host: 'localhost' })
    assert.match(notesOf(unloaded)[0] ?? '', /^info: ping/)
    assert.equal(statusOf(await op.request(ping)), 'service-unavailable')
    assert.equal((await op.request(ping.replace("to='localhost'", "to='other'"))).attrs.type, 'result')

    const loaded = await run(op, `${OWN}#module-load`, { module: 'ping', host: '*' })
    assert.match(notesOf(loaded)[0] ?? '', /^info: ping/)
    assert.equal((await op.request(ping)).attrs.type, 'result')

    const reloaded = await run(op, `${OWN}#module-reload`, { modules: ['ping', 'time'] })
    assert.equal(notesOf(reloaded).length, 2)
    assert.ok(server.server.manager.list().some(({ name, version }) => name === 'time' && version === 2))

    const unknown = await run(op, `${OWN}#module-load`, { module: 'nonsense', host: '*' })
    assert.equal(statusOf(unknown), 'completed')
    assert.match(notesOf(unknown)[0] ?? '', /^error: /) // XEP-0050 §3.6
  })
  const acts = server.log
    .filter(line => line.by === 'op@localhost')
    .map(line => `${line.command} ${line.on} ${line.result}`)
  assert.deepEqual(acts, [
    'module-unload ping done',
    'module-load ping done',
    'module-reload ping done',
    'module-reload time done',
    'module-load nonsense failed'
  ])
})

test('the module that runs the command, and the one of the dialogue, are reloaded by it', async t => {
  const server = await startAdministered(t)
  await scenario(server, CAST, async ({ op }) => {
    for (const name of ['adhoc_admin', 'adhoc']) {
      for (const version of [2, 3]) {
        const answer = await run(op, `${OWN}#module-reload`, { modules: name })
        assert.equal(statusOf(answer), 'completed')
        assert.match(notesOf(answer)[0] ?? '', /^info: /)
        const versions = server.server.manager.list().filter(one => one.name === name)
        assert.ok(versions.length > 0 && versions.every(one => one.version === version))
      }
    }
  })
  assert.deepEqual(server.errors(), [])
})

test('the module that runs the command can unload itself, and an operator has it back from another host', async t => {
  const server = await startAdministered(t)
  await scenario(server, CAST, async ({ op }) => {
    const answer = await run(op, `${OWN}#module-unload`, { module: 'adhoc_admin', host: 'localhost' })
    assert.equal(statusOf(answer), 'completed')
    assert.equal(statusOf(await execute(op, `${OWN}#modules-list`)), 'item-not-found')
    const back = await run(op, `${OWN}#module-load`, { module: 'adhoc_admin', host: 'localhost' }, 'other')
    assert.match(notesOf(back)[0] ?? '', /^info: /)
    assert.equal(statusOf(await execute(op, `${OWN}#modules-list`)), 'completed')
  })
})

test('the config is read again, with its report', async t => {
  const server = await startAdministered(t)
  const config = parse(fs.readFileSync(server.configFile, 'utf8')) as { modules: Record<string, unknown> }
  await scenario(server, CAST, async ({ op }) => {
    const reload = () => execute(op, `${OWN}#config-reload`)
    assert.deepEqual(resultOf(await reload(), 'report'), ['nothing has changed'])

    config.modules.adhoc = { sessionMinutes: 30 }
    server.writeConfig(config)
    const changed = await reload()
    assert.deepEqual(notesOf(changed), ['info: The config was read again.'])
    assert.match(resultOf(changed, 'report').join('\n'), /adhoc/)

    fs.writeFileSync(server.configFile, stringify({ ...config, nonsense: 1 }))
    const refused = await reload()
    assert.deepEqual(notesOf(refused), ['error: The config has faults; nothing was changed.'])
    assert.match(resultOf(refused, 'report').join('\n'), /nonsense/)
  })
})
