import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { startTestServer } from '../lib/server'

const CLIENT = path.join(__dirname, 'host-meta.mjs')

test('@xmpp/client finds WebSocket by host-meta and logs in there, over TLS (XEP-0156)', async t => {
  const websocket = { path: '/talk', listen: [{ address: '127.0.0.1', port: 0, tls: true }] }
  const server = await startTestServer(t, { modules: { host_meta: {}, websocket } })
  await server.addUser('juliet@localhost', 'a password')
  const origin = `localhost:${server.ports.wss}`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [CLIENT, origin, 'localhost', 'juliet', 'a password'],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: path.join(server.folder, 'data', 'balcony.crt') } }
  )
  assert.match(stdout, new RegExp(`^ok wss://${origin}/talk`))
})
