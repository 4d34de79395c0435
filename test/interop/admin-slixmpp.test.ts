// time limit: 180 s
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { PASSWORD } from '../lib/wire'
import type { TestServer } from '../lib/server'
import { startWithCommands } from '../modules/mod_adhoc/commands'
import { adminServer } from './admin-server'
import { PYTHON, runs } from './child'

/** An administrator with slixmpp, whose own plug-ins for commands lead the dialogue. */

const skip =
  spawnSync(PYTHON, ['-c', 'import slixmpp']).status === 0
    ? (false as const)
    : "slixmpp is not installed (Debian's python3-slixmpp)"

async function lives(server: TestServer, phase: string): Promise<string> {
  const settings = { host: '127.0.0.1', port: server.ports.tcp, password: PASSWORD }
  const { code, stdout, all } = await runs([PYTHON, path.join(__dirname, 'admin.py'), phase], settings)
  assert.equal(code, 0, `${phase}:\n${all}`)
  return stdout
}

test('slixmpp: accounts by command (xep_0133)', { skip }, async t => {
  const server = await adminServer(t)
  assert.match(await lives(server, 'accounts'), /ok others see none and run none/)
  assert.deepEqual(server.errors(), [])
})

test('slixmpp: a server buddy, approved by the form in the message', { skip }, async t => {
  const server = await adminServer(t)
  assert.match(await lives(server, 'buddies'), /ok the form in the message approves/)
  assert.deepEqual(server.errors(), [])
})

test('slixmpp: a dialogue of several stages', { skip }, async t => {
  const server = await startWithCommands(t)
  await server.addUser('juliet@localhost', PASSWORD)
  assert.match(await lives(server, 'stages'), /ok three stages, back and forth/)
})
