import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { IM_HOST, testConfig } from '../../lib/config'
import { SpawnedServer } from '../../lib/spawn'

test('config check warns of who administers from the domain of another server', async t => {
  const server = new SpawnedServer()
  t.after(() => fs.rmSync(server.folder, { recursive: true, force: true }))
  const options = {
    config: { operators: ['boss@localhost', 'op@abroad.example'] },
    hosts: {
      localhost: { ...IM_HOST, admins: ['boss@localhost'] },
      'other.example': { ...IM_HOST, admins: ['boss@localhost', 'nurse@capulet.example'] }
    }
  }
  server.writeConfig(await testConfig(options, path.join(server.folder, 'data'), server.ports))
  const { code, stdout } = await server.run(['config', 'check'])
  assert.equal(code, 0)
  assert.deepEqual(
    stdout.split('\n').filter(line => line.includes('no account here')),
    [
      ['operators: op@abroad.example', 'abroad.example'],
      ['hosts.other.example.admins: nurse@capulet.example', 'capulet.example']
    ].map(
      ([who, domain]) =>
        `warning: ${who} has no account here: whoever runs ${domain}, or passes for it where other servers are believed, has these rights too`
    )
  )
})
