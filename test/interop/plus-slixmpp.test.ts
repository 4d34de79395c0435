import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { TestCa, writeLeaf } from '../lib/ca'
import { pythonClient, type Way } from './logins/ways'
import { storyServer, STORY_PASSWORDS } from './story-server'

const slixmpp = pythonClient('slixmpp', 'slixmpp', 'slixmpp_login.py')

/*
 * slixmpp 1.8 binds by tls-unique to whatever offers -PLUS, whatever is announced, and tries no other mechanism than
 * with the flag `y` afterwards. So it is what shows that -PLUS in the old list does clients no harm.
 */
test('slixmpp binds to TLS 1.2, and is not led to bind to TLS 1.3', { skip: slixmpp.skip }, async t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-plus-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const ca = await TestCa.make()
  const tls = writeLeaf(folder, 'server', await ca.issue({ dns: ['localhost'] }))
  const server = await storyServer(t, 'SQLite', { tls })
  for (const [version, mechanism] of [
    ['1.2', 'SCRAM-SHA-256-PLUS'],
    ['1.3', 'SCRAM-SHA-256']
  ] as Array<[Way['tls'], string]>) {
    const told = await slixmpp.logsIn({
      tls: version,
      transport: 'starttls',
      host: '127.0.0.1',
      port: server.ports.tcp ?? 0,
      plainPort: server.ports.tcp ?? 0,
      ca: ca.write(folder),
      jid: 'juliet@localhost/balcony',
      password: STORY_PASSWORDS['juliet@localhost'] ?? ''
    })
    assert.equal(told.code, 0, told.all)
    const text = await server.server.metrics.text()
    assert.match(text, new RegExp(`logins_total{mechanism="${mechanism}",profile="old"} 1`))
    assert.match(text, /login_failures_total 0/)
  }
})
