// time limit: 300 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { parse, stringify } from 'yaml'
import { IM_HOST } from '../../lib/config'
import { SpawnedServer, spawnTestServer } from '../../lib/spawn'
import { scenario } from '../../lib/wire'
import { NODES, runs } from '../../modules/mod_server_buddy/hosts'

test('exit code 2 for what is no command, 1 where there is no server, 0 for help', async t => {
  const server = new SpawnedServer()
  t.after(() => fs.rmSync(server.folder, { recursive: true, force: true }))
  server.writeConfig({ data: 'data', hosts: { localhost: {} } })
  for (const args of [
    ['nonsense'],
    ['user'],
    ['user', 'add'],
    ['module', 'reload'],
    ['status', '--nonsense']
  ])
    assert.equal((await server.run(args)).code, 2, args.join(' '))
  assert.equal((await server.run(['--help'])).code, 0)
  assert.match((await server.run(['--version'])).stdout, /^\d+\.\d+\.\d+/)
  const needed = [
    ['status'],
    ['module', 'list'],
    ['module', 'reload', 'ping'],
    ['hooks', 'localhost'],
    ['config', 'reload']
  ]
  for (const args of needed) {
    const { code, stderr } = await server.run(args)
    assert.equal(code, 1)
    assert.match(stderr, /No server answers at .*control\.sock\. Start it with: balcony start/)
  }
  assert.equal((await server.run(['module', 'load', 'ping', '--host', 'a', '--server'])).code, 2)
  assert.equal(fs.existsSync(path.join(server.folder, 'data')), false, 'nothing was made by asking')

  fs.writeFileSync(server.configFile, 'data: [\n')
  const lost = await server.run(['config', 'reload'])
  assert.equal(lost.code, 1)
  assert.match(
    lost.stderr,
    /balcony\.yaml:\d+:\d+ {2}not YAML: .*\nWhere its server has its data .* --data FOLDER/
  )
})

test('status, modules, hooks and config of the running server', async t => {
  const server = await spawnTestServer(t)
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await server.run(args)
    assert.deepEqual([code, stderr], [0, ''], args.join(' '))
    return stdout
  }
  const fails = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await server.run(args)
    assert.deepEqual([code, stdout], [1, ''], args.join(' '))
    return stderr
  }
  const status = await ok('status')
  assert.match(status, new RegExp(`process ${server.pid}, up`))
  assert.match(
    status,
    new RegExp(`listening {2}clients \\(STARTTLS\\) on 127\\.0\\.0\\.1:${server.ports.tcp}\n`)
  )
  assert.match(status, /host {7}localhost \(0 sessions\)\n/)

  assert.match(await ok('module', 'list'), /^MODULE .*\n(.*\n)*ping +localhost +running +1\n/)
  await ok('module', 'reload', 'ping')
  assert.match(await ok('module', 'list'), /\nping +localhost +running +2\n/)
  await ok('module', 'unload', 'ping', '--host', 'localhost')
  assert.doesNotMatch(await ok('hooks', 'localhost'), /urn:xmpp:ping/)
  await ok('module', 'load', 'ping')
  assert.match(await ok('hooks', 'localhost'), /\niq-get\/host urn:xmpp:ping ping +0 +ping\n/)
  assert.match(await fails('module', 'reload', 'nonsense'), /nonsense/)
  assert.match(await fails('module', 'load', 'ping', '--host', 'elsewhere'), /elsewhere/)
  assert.equal(
    await fails('module', 'load', 'pign'),
    `pign was not loaded: there is no module 'pign'; did you mean "ping"?\n`
  )
  assert.equal(await fails('hooks', 'elsewhere'), 'there is no host elsewhere\n')
  assert.match(await ok('hooks'), /^EVENT +PRIORITY +MODULE\n/, "the server's own scope")
  assert.match(
    await ok('hooks', 'localhost'),
    /\n\nEVENTS OF MODULES +WHEN\n(.*\n)*presence\/available +a resource is available, after its contacts were told\n/
  )
  await ok('module', 'reload', 'c2s')

  assert.equal(await ok('config', 'reload'), 'nothing has changed\n')
  const config = parse(fs.readFileSync(server.configFile, 'utf8')) as { modules: Record<string, unknown> }
  config.modules.adhoc = { sessionMinutes: 30 }
  server.writeConfig(config)
  assert.match(await ok('config', 'check'), /is in order: 1 host, \d+ modules\.\n/)
  assert.match(await ok('config', 'reload'), /adhoc/)
  fs.writeFileSync(server.configFile, `${stringify(config)}nonsense: 1\nmore: 2\n`)
  for (const args of [
    ['config', 'check'],
    ['config', 'reload']
  ])
    assert.match(await fails(...args), /nonsense: unknown key.*\n.*more: unknown key/)
})

test('config check shows what commands hold in place of the file', async t => {
  const hosts = {
    localhost: {
      admins: ['admin@localhost'],
      modules: { ...(IM_HOST.modules as object), s2s_policy: {}, server_buddy: {} }
    }
  }
  const server = await spawnTestServer(t, { hosts })
  const check = async (): Promise<string> => (await server.run(['config', 'check'])).stdout
  assert.doesNotMatch(await check(), /set by command/)
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    await runs(admin, 'localhost', 'urn:balcony:admin#federation-policy', {
      policy: 'buddies',
      block: ['evil.example']
    })
    await runs(admin, 'localhost', NODES.policy, { policy: 'always' })
    const told = await check()
    assert.match(told, /in order.*\nIn the running server this holds in place of the file, set by command:\n/)
    assert.match(told, /\n {2}localhost: s2s_policy: buddies, 1 blocked \(admin@localhost, \d{4}-.*Z\)\n/)
    assert.match(told, /\n {2}localhost: server_buddy\.autoApprove: always \(admin@localhost, \d{4}-.*Z\)\n/)
    await runs(admin, 'localhost', 'urn:balcony:admin#federation-policy', { policy: 'file' })
    await runs(admin, 'localhost', NODES.policy, { policy: 'file' })
    assert.doesNotMatch(await check(), /set by command/)
  })
})

test('host purge deletes what is left of a host, when the config no longer has it, and nothing of others', async t => {
  const channels = { type: 'component', modules: { channels: {}, server_buddy: {} } }
  const hosts = { localhost: IM_HOST, 'old.example': IM_HOST, 'channels.localhost': channels }
  const server = await spawnTestServer(t, { hosts })
  const purge = (...args: string[]): ReturnType<typeof server.run> => server.run(['host', 'purge', ...args])
  const cast = { juliet: 'juliet@localhost/r', romeo: 'romeo@old.example/r' }
  await scenario(server, cast, async ({ juliet, romeo }) => {
    for (const player of [juliet, romeo])
      await player.request(
        `<iq type='set'><query xmlns='jabber:iq:roster'><item jid='tybalt@elsewhere.example'/></query></iq>`
      )
  })
  const inUse = await purge('old.example', '--yes')
  assert.equal(inUse.code, 1)
  assert.match(inUse.stderr, /old\.example is in the config: take it out/)

  const config = parse(fs.readFileSync(server.configFile, 'utf8')) as { hosts: Record<string, unknown> }
  delete config.hosts['old.example']
  server.writeConfig(config)
  const reload = await server.run(['config', 'reload'])
  assert.match(reload.stdout, /old\.example: its data is kept; balcony host purge old\.example deletes it/)
  const unsure = await purge('old.example')
  assert.equal(unsure.code, 1)
  assert.match(unsure.stdout, /^TABLE +ROWS\naccounts +1\n(.*\n)*rosters +1\n/)
  assert.match(unsure.stderr, /Nothing was deleted/)
  assert.match(
    (await purge('OLD.example', '--yes')).stdout,
    /old\.example|OLD\.example was purged: 1 account, \d+ further row/
  )
  assert.match((await purge('old.example', '--yes')).stderr, /Nothing is left of old\.example/)
  assert.match((await purge('a b', '--yes')).stderr, /a b is no domain/)
  // Not the others', and not while the server is down either
  await server.stop()
  assert.equal((await server.run(['user', 'list'])).stdout, 'juliet@localhost\n')
  assert.match((await purge('old.example', '--yes')).stderr, /Nothing is left of old\.example/)
})
