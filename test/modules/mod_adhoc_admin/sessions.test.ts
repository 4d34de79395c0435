import assert from 'node:assert/strict'
import test from 'node:test'
import { scenario } from '../../lib/wire'
import { ADMIN, notesOf, run, startAdministered, statusOf } from './helpers'

const END = `${ADMIN}#end-user-session`
const CAST = { admin: 'admin@localhost/globe', home: 'juliet@localhost/home', away: 'juliet@localhost/away' }
const STREAM_ERROR = `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
  <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`

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
