import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { eventually, managedHost } from '../lib/smacks'
import { startTestServer } from '../lib/server'
import { PASSWORD } from '../lib/wire'
import { PYTHON, runs } from './child'

const missing = spawnSync(PYTHON, ['-c', 'import slixmpp']).status !== 0

test(
  'slixmpp loses its connection in the middle of a talk, resumes its stream, and nothing is lost or comes twice',
  { skip: missing && 'slixmpp is not installed (Debian: python3-slixmpp)' },
  async t => {
    const server = await startTestServer(t, managedHost())
    for (const user of ['juliet', 'romeo']) await server.addUser(`${user}@localhost`, PASSWORD)
    const { code, all } = await runs([PYTHON, path.join(__dirname, 'resumption.py')], {
      host: '127.0.0.1',
      port: server.ports.tcp,
      password: PASSWORD,
      juliet: 'juliet@localhost/balcony',
      romeo: 'romeo@localhost/garden'
    })
    assert.equal(code, 0, all)
    assert.match(all, /^ok resumed 5 times$/m)
    await eventually(() => server.server.clients.count === 0, 'the end of the sessions')
    assert.deepEqual(server.errors(), [])
  }
)
