import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { IM_HOST, type Options } from '../../lib/config'
import { forEachDatabase, type DatabaseName } from '../../lib/databases'
import { startTestServer, type TestServer } from '../../lib/server'
import { PYTHON, runs } from '../child'

/** Libraries that people use, on a pubsub host and on a channel host beside a host with accounts. */

export const PUBSUB_HOST = 'pubsub.localhost'
export const CHANNEL_HOST = 'channels.localhost'

/** Everybody who takes part, with their passwords. */
export const CAST: Readonly<Record<string, string>> = {
  'juliet@localhost': 'a password of juliet’s',
  'romeo@localhost': 'a password of romeo’s',
  'benvolio@localhost': 'a password of benvolio’s',
  'tybalt@localhost': 'a password of tybalt’s'
}

export async function nodeServer(
  t: TestContext,
  database: DatabaseName,
  pubsub: Options = {}
): Promise<TestServer> {
  const server = await startTestServer(t, {
    database,
    hosts: {
      localhost: IM_HOST,
      [PUBSUB_HOST]: { type: 'component', modules: { pubsub } },
      [CHANNEL_HOST]: { type: 'component', modules: { channels: {}, recent_items: {}, ratings: {} } }
    }
  })
  for (const [jid, password] of Object.entries(CAST)) await server.addUser(jid, password)
  return server
}

/** A part that a library plays: the script, the options of the pubsub host, and the last thing it says. */
export interface Part {
  name: string
  script: string
  pubsub?: Options
  ends: RegExp
}

/** How a script is run: in which program, and what it needs in its environment. */
export interface Library {
  name: string
  /** Why it cannot run here, if so. */
  skip: string | false
  command(script: string): readonly string[]
  env?(server: TestServer): NodeJS.ProcessEnv
  service?(server: TestServer): string
}

/** A library of Debian's Python. */
export function pythonLibrary(name: string): Library {
  const there = spawnSync(PYTHON, ['-c', `import ${name}`]).status === 0
  return {
    name,
    skip: there ? false : `${name} is not installed (Debian's python3-${name})`,
    command: script => [PYTHON, '-B', script]
  }
}

/** Seconds that a script has. */
const SECONDS = 100

/** One test for each part, on each database: the script ends well, and the server has nothing to complain of. */
export function playsParts(library: Library, parts: readonly Part[]): void {
  forEachDatabase(database => {
    for (const { name, script, pubsub, ends } of parts)
      test(`${library.name}: ${name}`, { skip: library.skip }, async t => {
        const server = await nodeServer(t, database, pubsub)
        const settings = {
          host: '127.0.0.1',
          port: server.ports.tcp,
          service: library.service?.(server),
          pubsub: PUBSUB_HOST,
          channels: CHANNEL_HOST,
          passwords: CAST,
          seconds: SECONDS
        }
        const command = library.command(path.join(__dirname, script))
        const { code, stdout, all } = await runs(command, settings, library.env?.(server))
        assert.equal(code, 0, all)
        assert.match(stdout, ends)
        assert.deepEqual(server.errors(), [])
      })
  })
}
