// time limit: 120 s
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import type { AcceptedComponent } from '../../lib/component'
import { ScriptedServer } from '../../lib/component'

const ROOT = path.resolve(__dirname, '../../..')
const PROGRAM = path.join(ROOT, 'bin/balcony.js')
const SECRET = 'moves to the music'

/** Runs the command line with the example of a server that is nothing but a component. */
function balcony(t: TestContext, port: number) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-component-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const example = fs.readFileSync(path.join(ROOT, 'config/component.example.yaml'), 'utf8')
  const config = path.join(folder, 'balcony.yaml')
  fs.writeFileSync(config, example.replace('port: 5347', `port: ${port}`).replace('../data', './data'))
  return (...args: string[]) => {
    const child = spawn(process.execPath, [PROGRAM, ...args, '--config', config], {
      env: { ...process.env, BALCONY_COMPONENT_SECRET: SECRET },
      // It ends when this channel does, so it does not outlive its test.
      stdio: ['ignore', 'pipe', 'pipe', args[0] === 'start' ? 'ipc' : 'ignore']
    })
    const said = { stdout: '', stderr: '' }
    child.stdout?.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
    return { child, said, closed: once(child, 'close') as Promise<[number | null]> }
  }
}

test('a config with nothing but a component runs without accounts and ports', async t => {
  const upstream = await ScriptedServer.listen(t)
  const run = balcony(t, upstream.port)
  const started = run('start', '--no-supervise')
  t.after(() => started.child.kill('SIGKILL'))
  const peers: AcceptedComponent[] = []
  const names: string[] = []
  for (const id of ['one', 'two']) {
    const peer = await upstream.next()
    names.push(await peer.takes(SECRET, id))
    peers.push(peer)
  }
  assert.deepEqual(names.sort(), ['channels.example.org', 'topics.example.org'])
  const [channels] = peers.filter(peer => peer.header?.to === 'channels.example.org')
  channels?.send(
    `<iq type='get' id='p' from='admin@example.org/desk' to='channels.example.org'><ping xmlns='urn:xmpp:ping'/></iq>`
  )
  await channels?.receives(`<iq type='result' id='p' from='channels.example.org'/>`)

  const status = run('status')
  await status.closed
  assert.equal(status.said.stderr, '')
  assert.match(
    status.said.stdout,
    new RegExp(`component +channels\\.example\\.org at 127\\.0\\.0\\.1:${upstream.port} connected for`)
  )
  assert.doesNotMatch(status.said.stdout, /listening/)

  started.child.kill('SIGTERM')
  await channels?.hearsEnd()
  for (const peer of peers) peer.destroy()
  const [code] = await started.closed
  assert.equal(code, 0)
  const { stderr } = started.said
  assert.match(stderr, /runs here for the first time/)
  assert.match(stderr, new RegExp(`channels\\.example\\.org at 127\\.0\\.0\\.1:${upstream.port}`))
  assert.match(stderr, /npx balcony status/)
  assert.doesNotMatch(stderr, /operator|user add|Connect a client|It listens/)
  const levels = started.said.stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => (JSON.parse(line) as { level: string }).level)
  assert.deepEqual(
    levels.filter(level => level !== 'info'),
    []
  )
})
