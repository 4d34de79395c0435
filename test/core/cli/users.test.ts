// time limit: 300 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { stringify } from 'yaml'
import { TestClient } from '../../lib/client'
import { testConfig } from '../../lib/config'
import { SpawnedServer, spawnTestServer } from '../../lib/spawn'
import { scenario } from '../../lib/wire'

/** A server that has never run: a config in a folder. */
async function neverStarted(t: TestContext, config: Record<string, unknown> = {}): Promise<SpawnedServer> {
  const server = new SpawnedServer()
  t.after(() => fs.rmSync(server.folder, { recursive: true, force: true }))
  const data = path.join(server.folder, 'data')
  server.writeConfig(await testConfig({ config }, data, server.ports))
  return server
}

test('accounts are added, listed, changed and deleted while no server runs', async t => {
  const server = await neverStarted(t)
  const added = await server.run(['user', 'add', 'Juliet@localhost'], 'a password\n')
  assert.deepEqual([added.code, added.stdout], [0, 'Juliet@localhost was added.\n'])
  assert.deepEqual(await server.run(['user', 'list']), { code: 0, stdout: 'juliet@localhost\n', stderr: '' })

  const again = await server.run(['user', 'add', 'juliet@localhost'], 'a password\n')
  assert.deepEqual([again.code, again.stderr], [1, 'juliet@localhost exists already.\n'])
  const changed = await server.run(['user', 'password', 'juliet@localhost'], 'another password\n')
  assert.deepEqual([changed.code, changed.stdout], [0, 'juliet@localhost has a new password.\n'])
  const unsure = await server.run(['user', 'delete', 'juliet@localhost'])
  assert.equal(unsure.code, 1)
  assert.match(unsure.stderr, /Nothing was deleted.*--yes/)
  const deleted = await server.run(['user', 'delete', 'juliet@localhost', '--yes'])
  assert.deepEqual([deleted.code, deleted.stdout], [0, 'juliet@localhost was deleted.\n'])
  assert.deepEqual(await server.run(['user', 'list', 'localhost']), {
    code: 0,
    stdout: '',
    stderr: 'There is no account yet.\n'
  })
  for (const [command = '', ...more] of [['password'], ['delete', '--yes']]) {
    const nobody = await server.run(['user', command, 'juliet@localhost', ...more], 'a password\n')
    assert.deepEqual([nobody.code, nobody.stderr], [1, 'There is no account juliet@localhost.\n'])
  }
  assert.deepEqual(fs.readdirSync(path.join(server.folder, 'data')).sort(), [
    'balcony.crt',
    'balcony.key',
    'balcony.sqlite',
    'lock'
  ])
  for (const file of ['balcony.key', 'balcony.sqlite'])
    assert.equal(
      fs.statSync(path.join(server.folder, 'data', file)).mode & 0o077,
      0,
      `${file} is its owner's alone`
    )
})

test('addresses, hosts and passwords that cannot be', async t => {
  const server = await neverStarted(t)
  const fails = async (args: string[], input: string, message: RegExp): Promise<void> => {
    const { code, stderr } = await server.run(args, input)
    assert.deepEqual([code, message.test(stderr)], [1, true], stderr)
  }
  await fails(['user', 'add', 'localhost'], 'a password\n', /localhost is no account: name@host is expected/)
  await fails(['user', 'add', 'juliet@localhost/home'], 'a password\n', /is no account/)
  await fails(
    ['user', 'add', 'juliet@elsewhere'],
    'a password\n',
    /elsewhere is no host with accounts.*: localhost/
  )
  await fails(['user', 'list', 'elsewhere'], '', /elsewhere is no host with accounts/)
  await fails(['user', 'add', 'juliet@localhost'], '', /The password is empty/)
  await fails(['user', 'add', 'juliet@localhost'], `${'x'.repeat(2000)}\n`, /longer than 1024/)
  await fails(['user', 'add', 'juliet@localhost', '--data', '/dev/null'], 'a password\n', /\/dev\/null/)
  assert.equal((await server.run(['user', 'list'])).stdout, '')
})

test('what the first command makes is told by it, and only once', async t => {
  const server = await neverStarted(t, { operators: ['boss@localhost'] })
  const first = await server.run(['user', 'add', 'juliet@localhost'], 'a password\n')
  assert.match(first.stderr, /operator account was made: boss@localhost\n\s+password\s+\S{20}\n/)
  assert.match(first.stderr, /fingerprint\s+(?:[0-9A-F]{2}:){31}[0-9A-F]{2}/)
  const second = await server.run(['user', 'list'])
  assert.deepEqual([second.stdout, second.stderr], ['boss@localhost\njuliet@localhost\n', ''])
})

test('commands at the same time wait for each other', async t => {
  const server = await neverStarted(t)
  const names = ['juliet', 'romeo', 'nurse'].map(name => `${name}@localhost`)
  const added = await Promise.all(names.map(jid => server.run(['user', 'add', jid], 'a password\n')))
  assert.deepEqual(
    added.map(({ code, stderr }) => [code, stderr.includes('in use')]),
    names.map(() => [0, false])
  )
  const listed = (await server.run(['user', 'list'])).stdout.trim().split('\n')
  assert.deepEqual(listed.sort(), [...names].sort())
})

test('the same while the server runs, which does it itself', async t => {
  const running = await spawnTestServer(t)
  await scenario(running, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    assert.equal((await running.run(['user', 'list'])).stdout, 'juliet@localhost\n')
    const deleted = await running.run(['user', 'delete', 'juliet@localhost', '--yes'])
    assert.deepEqual([deleted.code, deleted.stdout], [0, 'juliet@localhost was deleted.\n'])
    await juliet.receives(
      `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
         <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    )
    await juliet.isClosed()
  })
  const { code, stderr } = await running.run(['user', 'delete', 'juliet@localhost'])
  assert.deepEqual([code, stderr], [1, 'There is no account juliet@localhost.\n'])
  await running.stop()
  assert.equal((await running.run(['user', 'add', 'romeo@localhost'], 'a password for tests\n')).code, 0)
  await running.start()
  const romeo = await TestClient.connect({ port: running.ports.tcp ?? 0, domain: 'localhost' })
  t.after(() => romeo.destroy())
  await romeo.login({ user: 'romeo', password: 'a password for tests' })
})

test('a config with faults is told with its lines, and nothing is opened', async t => {
  const server = await neverStarted(t)
  const config = await testConfig({}, path.join(server.folder, 'data'))
  fs.writeFileSync(server.configFile, `${stringify(config)}nonsense: 1\n`)
  const { code, stderr } = await server.run(['user', 'list'])
  assert.equal(code, 1)
  assert.match(stderr, /balcony\.yaml:\d+:1 {2}nonsense: unknown key/)
  assert.equal(fs.existsSync(path.join(server.folder, 'data')), false)
})
