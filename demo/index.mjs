/*
 * `npm run demo`: starts a Balcony of its own on loopback, on ports that the system picks and in a temporary folder,
 * lets people live in it with a common client library, tells what happens, and cleans up.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { DemoServer } from './server.mjs'

const PEOPLE = ['admin', 'juliet', 'romeo', 'nurse', 'benvolio', 'mercutio', 'tybalt']
const LIMIT = 180_000

const server = new DemoServer()
try {
  console.log('\n  A server wakes in Verona …\n')
  await server.start()
  const passwords = await server.admits(PEOPLE)
  process.exitCode = await lives({ service: `xmpp://localhost:${server.port}`, passwords })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await server.end()
}

/** The acts in a process of their own: Node reads at its start which certificates it trusts. */
async function lives(stage) {
  const story = fileURLToPath(new URL('acts.mjs', import.meta.url))
  const child = spawn(process.execPath, [story], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: server.certificate },
    stdio: ['pipe', 'inherit', 'inherit'],
    timeout: LIMIT
  })
  child.stdin.end(JSON.stringify({ ...stage, config: server.config }))
  const [code] = await once(child, 'close')
  return code ?? 1
}
