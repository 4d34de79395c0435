// time limit: 300 s
import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { spawn } from 'node:child_process'
import test, { type TestContext } from 'node:test'
import { parse } from 'yaml'
import { TestClient } from '../../lib/client'
import { SpawnedServer, spawnTestServer } from '../../lib/spawn'
import { scenario } from '../../lib/wire'

const SYSTEM_SHUTDOWN = streamError('system-shutdown')

function streamError(condition: string): string {
  return `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
    <${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
}

/** Waits until what a server wrote matches. */
async function says(server: SpawnedServer, pattern: RegExp): Promise<void> {
  const until = Date.now() + 30_000
  while (!pattern.test(server.output)) {
    if (Date.now() > until) throw new Error(`${pattern} did not come:\n${server.output}`)
    await new Promise(again => setTimeout(again, 20))
  }
}

/** The process id of the server behind the parent. */
async function serverPid(server: SpawnedServer): Promise<number> {
  const { stdout, stderr } = await server.run(['status'])
  const found = /process (\d+),/.exec(stdout)
  if (!found) throw new Error(`no status: ${stderr}`)
  return Number(found[1])
}

/** A folder with a module whose code nobody catches when a file appears there. */
function faultyModule(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-faulty-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  fs.mkdirSync(path.join(folder, 'mod_faulty'))
  fs.writeFileSync(
    path.join(folder, 'mod_faulty', 'index.ts'),
    `import fs from 'node:fs'
import { defineModule, z } from '#core'
export default defineModule({
  name: 'faulty', description: 'Fails where nobody catches it', on: ['server'],
  config: z.object({ how: z.enum(['throw', 'reject']).describe('How it fails.') }),
  setup (ctx) {
    const timer = setInterval(() => {
      if (!fs.existsSync('${folder}/now')) return
      fs.rmSync('${folder}/now')
      if (ctx.config.how === 'throw') throw new Error('nobody catches this')
      void Promise.reject(new Error('nobody catches this'))
    }, 10)
    ctx.defer(() => clearInterval(timer))
  }
})
`
  )
  return folder
}

test('SIGTERM and SIGINT end the server in good order: streams are told, exit code 0', async t => {
  const server = await spawnTestServer(t)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
      const ended = server.kill(signal)
      await juliet.receives(SYSTEM_SHUTDOWN)
      await juliet.isClosed()
      assert.equal(await ended, 0)
    })
    assert.equal(fs.existsSync(path.join(server.folder, 'data', 'control.sock')), false)
    await server.start()
  }
})

test('SIGHUP reads the config again, whether it is good or bad', async t => {
  const server = await spawnTestServer(t)
  const config = parse(fs.readFileSync(server.configFile, 'utf8')) as { modules: Record<string, unknown> }
  config.modules.adhoc = { sessionMinutes: 30 }
  server.writeConfig(config)
  process.kill(server.pid, 'SIGHUP')
  await says(server, /config reloaded/)
  server.writeConfig({ ...config, nonsense: 1 })
  process.kill(server.pid, 'SIGHUP')
  await says(server, /config reload refused.*nonsense/)
  assert.equal(await serverPid(server), server.pid)
})

test('a second server on the same data folder is refused, and the first one is not disturbed', async t => {
  const server = await spawnTestServer(t)
  for (const more of [[], ['--no-supervise']]) {
    const second = await server.run(['start', ...more])
    assert.equal(second.code, 1)
    assert.match(
      second.stderr,
      new RegExp(`data folder .* is in use by 'balcony start' \\(process ${server.pid}\\)`)
    )
  }
  assert.equal(await serverPid(server), server.pid)
})

test('kill -9: the next start finds its data, and takes the control socket over', async t => {
  const server = await spawnTestServer(t)
  await server.addUser('juliet@localhost', 'a password for tests')
  assert.equal(await server.kill('SIGKILL'), 'SIGKILL')
  assert.ok(
    fs.existsSync(path.join(server.folder, 'data', 'control.sock')),
    'what a killed server leaves behind'
  )
  assert.equal((await server.run(['user', 'list'])).stdout, 'juliet@localhost\n', 'without a server')
  await server.start()
  assert.equal(await serverPid(server), server.pid)
  assert.equal((await server.run(['user', 'list'])).stdout, 'juliet@localhost\n', 'with one')
})

test('the parent starts a killed server again, passes signals on, and ends with it', async t => {
  const server = await spawnTestServer(t, { supervised: true })
  const first = await serverPid(server)
  assert.notEqual(first, server.pid)
  process.kill(first, 'SIGKILL')
  await says(server, /was ended by SIGKILL; it is started again in 0\.5 s/)
  await server.isUp()
  const second = await serverPid(server)
  assert.notEqual(second, first)
  process.kill(server.pid, 'SIGHUP')
  await says(server, /config reloaded: nothing has changed/)
  assert.equal(await server.stop(), 0)
  assert.throws(() => process.kill(second, 0), { code: 'ESRCH' })
})

test('a server whose parent is gone ends in good order', async t => {
  const server = await spawnTestServer(t, { supervised: true })
  const pid = await serverPid(server)
  await server.kill('SIGKILL')
  await says(server, /its parent has ended[^]*stopped/)
  const until = Date.now() + 30_000
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      break
    }
    assert.ok(Date.now() < until, 'the server still runs')
    await new Promise(again => setTimeout(again, 20))
  }
})

for (const how of ['throw', 'reject'])
  test(`a fault that nobody catches (${how}): logged, streams are told, exit code 70, started again`, async t => {
    const folder = faultyModule(t)
    const options = { modules: { faulty: { how } }, config: { moduleFolders: [folder] } }
    const server = await spawnTestServer(t, { ...options, supervised: true })
    await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
      fs.writeFileSync(path.join(folder, 'now'), '')
      await juliet.receives(streamError('internal-server-error'))
      await juliet.isClosed()
    })
    await says(server, /ended with code 70; it is started again/)
    assert.match(server.output, /"level":"fatal".*nobody catches this/)
    await server.isUp()
    assert.equal(await server.stop(), 0)
  })

test('a server that cannot start is not started again', async t => {
  const server = new SpawnedServer({ supervised: true })
  t.after(() => fs.rmSync(server.folder, { recursive: true, force: true }))
  server.writeConfig({ data: 'data', hosts: { localhost: {} }, nonsense: 1 })
  const { code, stderr } = await server.run(['start'])
  assert.equal(code, 1)
  assert.match(stderr, /nonsense: unknown key/)
  assert.doesNotMatch(stderr, /again/)
})

test('the first start tells what it made, later ones do not', async t => {
  const server = await spawnTestServer(t, { config: { operators: ['boss@localhost'] } })
  await says(server, /What to do next/)
  const password =
    /operator account was made: boss@localhost\n\s+password\s+(\S{20})\n/.exec(server.output)?.[1] ?? ''
  assert.match(
    server.output,
    new RegExp(`It listens for\n\\s+clients \\(STARTTLS\\) on 127\\.0\\.0\\.1:${server.ports.tcp}`)
  )
  const boss = await TestClient.connect({ port: server.ports.tcp ?? 0, domain: 'localhost' })
  t.after(() => boss.destroy())
  await boss.login({ user: 'boss', password })
  await server.stop()
  server.output = ''
  await server.start()
  assert.doesNotMatch(server.output, /was made/)
})

test('a server that is still starting can be ended', async t => {
  const server = new SpawnedServer()
  t.after(() => fs.rmSync(server.folder, { recursive: true, force: true }))
  server.writeConfig({ data: 'data', hosts: { localhost: {} } })
  const program = path.resolve(__dirname, '../../../bin/balcony.js')
  for (const more of [[], ['--no-supervise']]) {
    const child = spawn(process.execPath, [program, 'start', ...more, '--config', server.configFile], {
      stdio: 'ignore'
    })
    await once(child, 'spawn')
    child.kill('SIGTERM')
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    // Before it could say what it does with the signal, or after
    assert.ok(code === 0 || signal === 'SIGTERM', `code ${code}, signal ${signal}`)
  }
})
