import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import test from 'node:test'
import { IM_HOST, type Options } from '../lib/config'
import { startTestServer } from '../lib/server'
import { PASSWORD } from '../lib/wire'
import { runs } from './child'

const SCRIPT = path.join(__dirname, 'logins/xmpp-client-resume.mjs')

interface Line {
  what: string
  jid: string
  names: string[]
  managed: boolean
  name: string
  ns: string
}

test('@xmpp/client binds and resumes with SASL2', async t => {
  const modules = { ...(IM_HOST.modules as Options), sasl2: {}, smacks: {} }
  const server = await startTestServer(t, { hosts: { localhost: { modules } } })
  await server.addUser('juliet@localhost', PASSWORD)
  const settings = {
    domain: 'localhost',
    port: server.ports.tls,
    username: 'juliet',
    password: PASSWORD,
    agent: randomUUID()
  }
  const ca = path.join(server.folder, 'data', 'balcony.crt')
  const told = await runs([process.execPath, SCRIPT], settings, { NODE_EXTRA_CA_CERTS: ca })
  assert.equal(told.code, 0, told.all)
  const lines = told.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Line)
  const of = (what: string): Line => {
    const line = lines.find(each => each.what === what)
    assert.ok(line, `${what}:\n${told.all}`)
    return line
  }
  const sent = lines.filter(({ what }) => what === 'sent').map(({ name }) => name)
  assert.deepEqual(sent.slice(0, 2), ['authenticate', 'response'])
  assert.ok(!sent.includes('auth') && !sent.includes('iq'), sent.join(' '))
  assert.deepEqual(of('children').names, ['additional-data', 'authorization-identifier', 'bound'])
  assert.match(of('bound').jid, /^juliet@localhost\/story\/[\w-]{12}$/)
  assert.ok(of('bound').managed)
  assert.deepEqual(of('resumed').names, ['additional-data', 'authorization-identifier', 'resumed'])
  assert.equal(of('resumed').jid, of('bound').jid)
  assert.ok(of('heard'))
  assert.equal(of('again').jid, of('bound').jid, 'XEP-0386 §3.2.1: the same client, the same resource')
  assert.deepEqual(server.errors(), [])
})
