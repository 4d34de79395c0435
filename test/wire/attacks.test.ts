import assert from 'node:assert/strict'
import test from 'node:test'
import { IM_HOST, type Options } from '../lib/config'
import { startTestServer } from '../lib/server'
import { NS } from '../../core/xml/namespaces'
import { TestClient } from '../lib/client'
import { ScramClient } from '../lib/scram-client'
import { join, PASSWORD, scenario } from '../lib/wire'

/* What somebody tries who means harm. */

const ROSTER = 'jabber:iq:roster'
const REGISTER = 'jabber:iq:register'
const withRegister = {
  localhost: { modules: { ...(IM_HOST.modules as Options), register: { requireTls: false } } }
}

test('RFC 7395 §3.3: text that looks like a declaration takes no namespace from a stanza', async t => {
  const server = await startTestServer(t)
  await scenario(
    server,
    { juliet: 'juliet@localhost', romeo: { jid: 'romeo@localhost', transport: 'ws', presence: true } },
    async ({ juliet, romeo }) => {
      await juliet.sends(`<message to='{romeo}' id=" xmlns='jabber:server'"><body>hail</body></message>`)
      await romeo.receives(`<message id=" xmlns='jabber:server'"><body>hail</body></message>`)
    }
  )
})

test('a stream that is authenticated ends with its account, also before it is bound', async t => {
  const server = await startTestServer(t)
  await server.addUser('mallory@localhost', PASSWORD)
  const port = server.ports.tcp as number
  const early = await TestClient.connect({ port, domain: 'localhost' })
  t.after(() => early.destroy())
  await early.open()
  await early.startTls()
  await early.authenticate({ user: 'mallory', password: PASSWORD })
  await server.server.accounts.remove('mallory', 'localhost')
  await server.server.accounts.create('mallory', 'localhost', 'of somebody else')
  await assert.rejects(early.bind('ghost'))
  assert.equal(server.server.domains.get('localhost')?.sessions.of('mallory').size, 0)
})

test('an exchange that began before an account was removed does not open the next of that name', async t => {
  const server = await startTestServer(t)
  await server.addUser('mallory@localhost', PASSWORD)
  const port = server.ports.tcp as number
  const early = await TestClient.connect({ port, domain: 'localhost' })
  t.after(() => early.destroy())
  await early.open()
  await early.startTls()
  const run = new ScramClient({ user: 'mallory', password: PASSWORD })
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  early.write(`<auth xmlns='${NS.SASL}' mechanism='SCRAM-SHA-256'>${base64(run.first())}</auth>`)
  const challenge = Buffer.from((await early.next()).getText(), 'base64').toString()
  await server.server.accounts.remove('mallory', 'localhost')
  await server.server.accounts.create('mallory', 'localhost', 'of somebody else')
  early.write(`<response xmlns='${NS.SASL}'>${base64(run.final(challenge))}</response>`)
  await early.next()
  await early.open()
  await assert.rejects(early.bind(), /not-allowed/)
  assert.equal(server.server.domains.get('localhost')?.sessions.of('mallory').size, 0)
})

test('XEP-0077 §3.2: what was sent behind the removal of an account leaves nothing to the next owner', async t => {
  const server = await startTestServer(t, { hosts: withRegister })
  const mallory = await join(server, 'mallory', { jid: 'mallory@localhost' })
  t.after(() => mallory.destroy())
  mallory.write(
    `<iq type='set' id='r'><query xmlns='${REGISTER}'><remove/></query></iq>` +
      `<iq type='set' id='s'><query xmlns='${ROSTER}'><item jid='eve@localhost' name='left behind'/></query></iq>` +
      `<presence to='eve@localhost' type='subscribed'/><presence/>`
  )
  await mallory.isClosed()
  await server.server.accounts.create('mallory', 'localhost', PASSWORD)
  const next = await join(server, 'next', { jid: 'mallory@localhost' })
  t.after(() => next.destroy())
  const roster = await next.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
  assert.deepEqual(roster.getChild('query')?.getChildren('item'), [])
})
