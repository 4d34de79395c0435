import assert from 'node:assert/strict'
import test from 'node:test'
import { TestClient, conditionOf } from '../../lib/client'
import { authenticate2 } from '../../lib/sasl2'
import { startTestServer, type TestServer } from '../../lib/server'
import { cut, enable, managedHost, reconnect, refused, SM } from '../../lib/smacks'
import { PASSWORD, scenario } from '../../lib/wire'
import { ADMIN, COMMANDS, execute, notesOf, run, startAdministered, statusOf, submit } from './helpers'

const PEOPLE = { admin: 'admin@localhost/globe' }
const DISABLE = `${ADMIN}#disable-user`
const REENABLE = `${ADMIN}#reenable-user`
const BIND = `<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`
const POLICY = `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
  <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`

async function begin(server: TestServer): Promise<TestClient> {
  const client = await new TestClient({ port: server.ports.tcp as number, domain: 'localhost' }).connect()
  await client.open()
  return client
}

async function mayLogIn(server: TestServer, user: string, mechanism: string): Promise<string> {
  const client = await begin(server)
  try {
    await client.authenticate({ user, password: PASSWORD, mechanism })
    await client.bind()
    return 'yes'
  } catch (error) {
    return (error as Error).message
  } finally {
    client.destroy()
  }
}

test('XEP-0133 §4.3, §4.4: the forms, as in examples 10 and 14', async t => {
  const server = await startAdministered(t)
  const forms = [
    [DISABLE, 'Disabling a User', 'Fill out this form to disable a user.', 'The Jabber ID(s) to disable'],
    [REENABLE, 'Re-Enable a User', 'Fill out this form to re-enable a user.', 'The Jabber ID(s) to re-enable']
  ] as const
  await scenario(server, PEOPLE, async ({ admin }) => {
    for (const [node, title, instructions, label] of forms) {
      admin.unread.push(await execute(admin, node))
      await admin.receives(
        `<iq type='result' from='localhost'><command xmlns='${COMMANDS}' node='${node}' sessionid='*' status='executing'>
          <x xmlns='jabber:x:data' type='form' t:exact='yes'>
            <title>${title}</title>
            <instructions>${instructions}</instructions>
            <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
            <field label='${label}' type='jid-multi' var='accountjids'><required/></field>
          </x></command></iq>`
      )
    }
  })
})

test('XEP-0133 §4.3, §4.4: sessions end, nobody logs in, nothing is lost, and back', async t => {
  const server = await startAdministered(t)
  const cast = { ...PEOPLE, home: 'juliet@localhost/home', away: 'juliet@localhost/away' }
  await scenario(server, cast, async ({ admin, home, away }) => {
    await home.request(
      `<iq type='set'><query xmlns='jabber:iq:roster'><item jid='romeo@example.net' name='Romeo'/></query></iq>`
    )
    const disabled = await run(admin, DISABLE, { accountjids: 'juliet@localhost' })
    assert.equal(statusOf(disabled), 'completed')
    assert.deepEqual(notesOf(disabled), ['info: juliet@localhost was disabled'])
    for (const session of [home, away]) {
      await session.finds(POLICY)
      await session.isClosed()
    }
    for (const mechanism of ['SCRAM-SHA-1', 'SCRAM-SHA-256'])
      assert.match(await mayLogIn(server, 'juliet', mechanism), /account-disabled/, mechanism)
    assert.equal(await server.server.accounts.exists('juliet', 'localhost'), true)
    assert.deepEqual(notesOf(await run(admin, DISABLE, { accountjids: 'juliet@localhost' })), [
      'info: juliet@localhost was disabled already'
    ])

    const enabled = await run(admin, REENABLE, { accountjids: 'juliet@localhost' })
    assert.equal(statusOf(enabled), 'completed')
    assert.deepEqual(notesOf(enabled), ['info: juliet@localhost may log in again'])
    assert.deepEqual(notesOf(await run(admin, REENABLE, { accountjids: 'juliet@localhost' })), [
      'info: juliet@localhost was not disabled'
    ])
  })
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    const roster = await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    assert.match(roster.toString(), /jid="romeo@example.net"/)
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0133 §4.3: who had logged in when the account was disabled binds no resource', async t => {
  const server = await startAdministered(t)
  await server.addUser('juliet@localhost', PASSWORD)
  const juliet = await begin(server)
  t.after(() => juliet.destroy())
  await juliet.authenticate({ user: 'juliet', password: PASSWORD })
  await scenario(server, PEOPLE, async ({ admin }) => {
    await run(admin, DISABLE, { accountjids: 'juliet@localhost' })
    assert.equal(conditionOf(await juliet.request(BIND)), 'not-allowed')
    // Not by that login, also when the next may
    await run(admin, REENABLE, { accountjids: 'juliet@localhost' })
    assert.equal(conditionOf(await juliet.request(BIND)), 'not-allowed')
  })
  assert.equal(await mayLogIn(server, 'juliet', 'SCRAM-SHA-1'), 'yes')
})

test('XEP-0133 §4.3, §4.4, §5: what cannot be disabled or enabled', async t => {
  const server = await startAdministered(t)
  for (const jid of ['op@localhost', 'juliet@localhost']) await server.addUser(jid, PASSWORD)
  await scenario(server, { ...PEOPLE, romeo: 'romeo@localhost' }, async ({ admin, romeo }) => {
    for (const node of [DISABLE, REENABLE]) {
      assert.equal(statusOf(await execute(romeo, node)), 'forbidden')
      assert.equal(statusOf(await execute(admin, node, 'channels.localhost')), 'item-not-found')
      assert.equal(statusOf(await run(admin, node, { accountjids: 'nobody@localhost' })), 'item-not-found')
      assert.equal(statusOf(await run(admin, node, { accountjids: 'op@localhost' })), 'forbidden')
      const begun = await execute(admin, node)
      for (const [wrong, why] of [
        ['juliet@other', /^error: accountjids: .*is not on localhost/],
        ['juliet@localhost/home', /^error: accountjids: .*names a resource/],
        ['localhost', /^error: accountjids: .*is no account/]
      ] as const) {
        const answer = await submit(admin, begun, { accountjids: ['romeo@localhost', wrong] })
        assert.equal(statusOf(answer), 'executing')
        assert.match(notesOf(answer)[0] ?? '', why)
      }
    }
    const own = await run(admin, DISABLE, { accountjids: 'admin@localhost' })
    assert.equal(statusOf(own), 'executing')
    assert.match(notesOf(own)[0] ?? '', /another administrator/)

    const begun = await execute(admin, DISABLE)
    ;(server.server.config.hosts.get('localhost')?.admins as string[]).length = 0
    assert.equal(statusOf(await submit(admin, begun, { accountjids: 'juliet@localhost' })), 'forbidden')
    await romeo.receivesNothing()
  })
  assert.equal(await mayLogIn(server, 'juliet', 'SCRAM-SHA-1'), 'yes')
  assert.equal(await mayLogIn(server, 'op', 'SCRAM-SHA-1'), 'yes')
})

// XEP-0133 §4.3
test('XEP-0133 §4.3: a session without a connection ends too, and nobody logs in by SASL2', async t => {
  const { localhost } = managedHost({}, { sasl2: { outsideTls: true }, adhoc: {}, adhoc_admin: {} }).hosts
  const server = await startTestServer(t, {
    hosts: { localhost: { ...localhost, admins: ['admin@localhost'] } }
  })
  const cast = { ...PEOPLE, juliet: 'juliet@localhost/balcony' }
  await scenario(server, cast, async ({ admin, juliet }) => {
    const previd = await enable(juliet)
    await cut(server, juliet)
    const again = await reconnect(server, 'juliet')
    t.after(() => again.destroy())
    const answer = await run(admin, DISABLE, { accountjids: 'juliet@localhost' })
    assert.deepEqual(notesOf(answer), ['info: juliet@localhost was disabled'])
    assert.equal(server.server.clients.count, 1, 'only the administrator is there')
    const { condition } = await refused(again, `<resume xmlns='${SM}' previd='${previd}' h='0'/>`)
    assert.equal(condition, 'item-not-found')
  })
  const late = await begin(server)
  t.after(() => late.destroy())
  await assert.rejects(authenticate2(late, { user: 'juliet', password: PASSWORD }), /account-disabled/)
})
