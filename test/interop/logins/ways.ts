import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { PYTHON, runs } from '../child'
import type { Told } from '../child'
import { STORY_PASSWORDS, storyServer } from '../story-server'
import { TestCa, writeLeaf } from '../../lib/ca'
import type { TestServer } from '../../lib/server'

/** How a client reaches the server. */
export interface Way {
  tls: '1.2' | '1.3'
  transport: 'starttls' | 'direct'
}

export const WAYS: readonly Way[] = [
  { tls: '1.3', transport: 'starttls' },
  { tls: '1.2', transport: 'starttls' },
  { tls: '1.3', transport: 'direct' },
  { tls: '1.2', transport: 'direct' }
]

/** What a client reads as JSON on standard input. */
export interface LoginSettings extends Way {
  host: string
  port: number
  /** Where a client of the test's own reaches the server by STARTTLS. */
  plainPort: number
  /** PEM file; nobody else is trusted. */
  ca: string
  jid: string
  password: string
}

/** A client that is to log in, say something to itself and leave. */
export interface LoginClient {
  name: string
  /** Why it cannot run here, if so. */
  skip: string | false
  logsIn(settings: LoginSettings): Promise<Told>
}

export const JULIET = 'juliet@localhost/balcony'

/**
 * A server with every module of the default config, whose certificate is signed by an authority below the one that
 * clients trust; and the authority of a stranger.
 */
async function loginServer(t: TestContext): Promise<{ server: TestServer; ca: string; stranger: string }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-logins-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const root = await TestCa.make()
  const leaf = await (await root.intermediate()).issue({ dns: ['localhost'] })
  const tls = writeLeaf(folder, 'server', leaf)
  return {
    server: await storyServer(t, 'SQLite', { tls }),
    ca: root.write(folder),
    stranger: (await TestCa.make('A stranger')).write(folder, 'stranger.crt')
  }
}

function settings(server: TestServer, way: Way, ca: string): LoginSettings {
  return {
    ...way,
    host: '127.0.0.1',
    port: server.ports[way.transport === 'direct' ? 'tls' : 'tcp'] ?? 0,
    plainPort: server.ports.tcp ?? 0,
    ca,
    jid: JULIET,
    password: STORY_PASSWORDS['juliet@localhost'] ?? ''
  }
}

/** Tests of one client: every way, with the certificate verified, and a stranger's certificate refused. */
export function loginTests(client: LoginClient): void {
  test(`${client.name} logs in, is heard and leaves`, { skip: client.skip }, async t => {
    const { server, ca, stranger } = await loginServer(t)
    for (const way of WAYS)
      await t.test(`${way.transport}, TLS ${way.tls}`, async () => {
        const told = await client.logsIn(settings(server, way, ca))
        assert.equal(told.code, 0, told.all)
        assert.match(
          told.stdout,
          new RegExp(`ok logged in over TLSv${way.tls}\\nok heard\\nok left`),
          told.all
        )
      })
    await t.test('not where the certificate is of a CA it does not know', async () => {
      const told = await client.logsIn(settings(server, { tls: '1.3', transport: 'starttls' }, stranger))
      assert.notEqual(told.code, 0, told.all)
      assert.doesNotMatch(told.stdout, /logged in/)
    })
    assert.deepEqual(server.errors(), [])
  })
}

/** A client that is a script for Debian's Python and needs a library there. */
export function pythonClient(name: string, library: string, script: string): LoginClient {
  const there = spawnSync(PYTHON, ['-c', `import ${library}`]).status === 0
  return {
    name,
    skip: there ? false : `${name} is not installed (Debian's python3-${library})`,
    logsIn: way => runs([PYTHON, path.join(__dirname, script)], way)
  }
}
