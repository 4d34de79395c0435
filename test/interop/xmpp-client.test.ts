import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import test from 'node:test'
import { onMariadb } from '../lib/databases'
import { storyServer, STORY_PASSWORDS } from './story-server'
import type { TestServer } from '../lib/server'

const STORY = path.join(__dirname, 'story.mjs')

/** Lets @xmpp/client live a phase of the story; returns its lines. It trusts the certificate that the server made. */
async function lives(
  server: TestServer,
  phase: string,
  service: string,
  flags: string[] = []
): Promise<string> {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: path.join(server.folder, 'data', 'balcony.crt') }
  const child = spawn(process.execPath, [...flags, STORY, phase], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let told = ''
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  child.stdin.end(JSON.stringify({ service, passwords: STORY_PASSWORDS }))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, `${phase}:\n${told}\n${complaint}`)
  return told
}

test('@xmpp/client lives through the story', async t => {
  const server = await storyServer(t)
  const startTls = (): string => `xmpp://localhost:${server.ports.tcp}`
  await t.test('1: chat, STARTTLS with TLS 1.3', async () => {
    assert.match(await lives(server, 'chat', startTls(), ['--tls-min-v1.3']), /ok they chat/)
  })
  await t.test('1: chat, STARTTLS with TLS 1.2', async () => {
    const fresh = await storyServer(t)
    assert.match(
      await lives(fresh, 'chat', `xmpp://localhost:${fresh.ports.tcp}`, ['--tls-max-v1.2']),
      /ok they chat/
    )
  })
  await t.test('1: chat, TLS from the first byte', async () => {
    const fresh = await storyServer(t)
    assert.match(await lives(fresh, 'chat', `xmpps://localhost:${fresh.ports.tls}`), /ok they chat/)
  })
  await t.test('1: chat, over WebSocket', async () => {
    const fresh = await storyServer(t)
    const service = `ws://localhost:${fresh.ports.ws}/xmpp-websocket`
    assert.match(await lives(fresh, 'chat', service), /ok they chat/)
  })
  await t.test('2 and 3: a channel', async () => {
    assert.match(await lives(server, 'channels', startTls()), /ok romeo asks for recent items/)
  })
  await t.test('4: server buddies by command', async () => {
    assert.match(await lives(server, 'admin', startTls()), /server roster/)
  })
  await t.test('4: all of it survives a restart', async () => {
    await server.restart()
    assert.match(await lives(server, 'after-restart', startTls()), /ok the posts have survived/)
  })
})

onMariadb(() => {
  test('@xmpp/client lives through the story on MariaDB', async t => {
    const server = await storyServer(t, 'MariaDB')
    const service = (): string => `xmpp://localhost:${server.ports.tcp}`
    for (const phase of ['chat', 'channels', 'admin'])
      assert.match(await lives(server, phase, service()), /ok/)
    await server.restart()
    assert.match(await lives(server, 'after-restart', service()), /ok the posts have survived/)
  })
})
