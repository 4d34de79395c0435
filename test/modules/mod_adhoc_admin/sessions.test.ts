import assert from 'node:assert/strict'
import test from 'node:test'
import { scenario } from '../../lib/wire'
import { ADMIN, COMMANDS, execute, notesOf, run, startAdministered, statusOf, submit } from './helpers'

const END = `${ADMIN}#end-user-session`
const CAST = { admin: 'admin@localhost/globe', home: 'juliet@localhost/home', away: 'juliet@localhost/away' }
const STREAM_ERROR = `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
  <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`

test('XEP-0133 §4.5: the form, as in example 18', async t => {
  const server = await startAdministered(t)
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    admin.unread.push(await execute(admin, END))
    await admin.receives(
      `<iq type='result' from='localhost'><command xmlns='${COMMANDS}' node='${END}' sessionid='*' status='executing'>
        <x xmlns='jabber:x:data' type='form' t:exact='yes'>
          <title>Ending a User Session</title>
          <instructions>Fill out this form to end a user&apos;s session.</instructions>
          <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
          <field label='The Jabber ID(s) for which to end sessions' type='jid-multi' var='accountjids'><required/></field>
        </x></command></iq>`
    )
  })
})

// XEP-0133 §4.5, §5
test('XEP-0133 §4.5, §5: sessions that are not ended', async t => {
  const server = await startAdministered(t)
  await scenario(server, { ...CAST, op: 'op@localhost' }, async ({ admin, home, op }) => {
    assert.equal(statusOf(await execute(home, END)), 'forbidden')
    assert.equal(statusOf(await execute(op, END, 'channels.localhost')), 'item-not-found')
    for (const nobody of ['nobody@localhost', 'juliet@localhost/nowhere'])
      assert.equal(statusOf(await run(admin, END, { accountjids: nobody })), 'item-not-found')
    assert.equal(statusOf(await run(admin, END, { accountjids: 'op@localhost' })), 'forbidden')
    const begun = await execute(admin, END)
    for (const wrong of ['juliet@other', 'localhost', '']) {
      const answer = await submit(admin, begun, { accountjids: wrong })
      assert.equal(statusOf(answer), 'executing')
      assert.match(notesOf(answer)[0] ?? '', /^error: accountjids: /)
    }
    ;(server.server.config.hosts.get('localhost')?.admins as string[]).length = 0
    assert.equal(statusOf(await submit(admin, begun, { accountjids: 'juliet@localhost' })), 'forbidden')
    await home.receivesNothing()
  })
})

test('XEP-0133 §4.5: a full JID ends that session, a bare one all; the user may come back', async t => {
  const server = await startAdministered(t)
  await scenario(server, CAST, async ({ admin, home, away }) => {
    const one = await run(admin, END, { accountjids: 'juliet@localhost/home' })
    assert.deepEqual(notesOf(one), ['info: juliet@localhost/home was disconnected'])
    await home.receives(STREAM_ERROR)
    await home.isClosed()
    await away.receivesNothing()

    const all = await run(admin, END, { accountjids: 'juliet@localhost' })
    assert.equal(statusOf(all), 'completed')
    await away.isClosed()
    assert.equal(statusOf(await run(admin, END, { accountjids: 'juliet@localhost' })), 'item-not-found')
  })
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => juliet.receivesNothing())
})

test('whoever ends their own sessions has the answer first', async t => {
  const server = await startAdministered(t)
  await scenario(
    server,
    { admin: 'admin@localhost/globe', second: 'admin@localhost/tavern' },
    async ({ admin, second }) => {
      const answer = await run(admin, END, { accountjids: 'admin@localhost' })
      assert.deepEqual(notesOf(answer), ['info: admin@localhost was disconnected, 2 sessions'])
      await admin.isClosed()
      await second.isClosed()
    }
  )
})
