import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import test from 'node:test'
import { onMariadb } from '../lib/databases'
import { storyServer, STORY_PASSWORDS } from './story-server'

const PYTHON = '/usr/bin/python3' // Debian's slixmpp belongs to Debian's Python
const STORY = path.join(__dirname, 'story.py')

const found = spawnSync(PYTHON, ['-c', 'import slixmpp']).status === 0
const skip = found ? false : "slixmpp is not installed (Debian's python3-slixmpp)"

/** Lets slixmpp live a phase of the story; returns its lines. */
async function lives(phase: string, settings: object): Promise<string> {
  const child = spawn(PYTHON, [STORY, phase], { stdio: ['pipe', 'pipe', 'pipe'] })
  let told = ''
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  child.stdin.end(JSON.stringify(settings))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, `${phase}:\n${told}\n${complaint}`)
  return told
}

test('slixmpp lives through the story', { skip }, async t => {
  const server = await storyServer(t)
  const settings = { host: '127.0.0.1', ports: server.ports, passwords: STORY_PASSWORDS }
  await t.test('1: chat over TLS 1.3', async () => {
    assert.match(await lives('chat', { ...settings, tls: '1.3' }), /ok they chat/)
  })
  await t.test('1: chat over TLS 1.2, and TLS from the first byte', async () => {
    const fresh = await storyServer(t)
    const direct = { ...settings, ports: fresh.ports, tls: '1.2', transport: 'tls' }
    assert.match(await lives('chat', direct), /ok they chat/)
  })
  await t.test('2 and 3: a channel', async () => {
    assert.match(await lives('channels', settings), /ok romeo asks for recent items/)
  })
  await t.test('4: server buddies by command', async () => {
    assert.match(await lives('admin', settings), /server roster/)
  })
  await t.test('4: all of it survives a restart', async () => {
    await server.restart()
    assert.match(
      await lives('after-restart', { ...settings, ports: server.ports }),
      /ok the posts have survived/
    )
  })
})

onMariadb(() => {
  test('slixmpp lives through the story on MariaDB', { skip }, async t => {
    const server = await storyServer(t, 'MariaDB')
    const settings = () => ({
      host: '127.0.0.1',
      ports: server.ports,
      passwords: STORY_PASSWORDS,
      tls: '1.3'
    })
    for (const phase of ['chat', 'channels', 'admin']) assert.match(await lives(phase, settings()), /ok/)
    await server.restart()
    assert.match(await lives('after-restart', settings()), /ok the posts have survived/)
  })
})
