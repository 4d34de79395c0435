import assert from 'node:assert/strict'
import test from 'node:test'
import { forEachDatabase } from '../../lib/databases'
import { spawnTestServer } from '../../lib/spawn'
import { IM_HOST } from '../../lib/config'
import { TestClient } from '../../lib/client'
import { PASSWORD, scenario } from '../../lib/wire'
import { ADMIN, execute, notesOf, resultOf, run, statusOf, submit } from '../mod_adhoc_admin/helpers'
import { CAST, message, says, startAnnouncing } from './helpers'

const NURSE = { nurse: { jid: 'nurse@localhost', presence: true } }

forEachDatabase(database => {
  test(`XEP-0133 §4.27, §4.28: to new accounts at their first login, once (${database})`, async t => {
    const server = await startAnnouncing(t, { database })
    await server.addUser('old@localhost', PASSWORD)
    const old = { old: { jid: 'old@localhost', presence: true } }
    await scenario(server, old, ({ old: they }) => they.receivesNothing())
    await scenario(server, CAST, async ({ admin, juliet }) => {
      const begun = await execute(admin, `${ADMIN}#set-welcome`)
      assert.deepEqual(resultOf(begun, 'welcome'), [])
      assert.equal(
        statusOf(await submit(admin, begun, { welcome: ['Welcome', 'to localhost'] })),
        'completed'
      )
      assert.deepEqual(resultOf(await execute(admin, `${ADMIN}#set-welcome`), 'welcome'), [
        'Welcome',
        'to localhost'
      ])
      await juliet.receivesNothing()
      // By the command add-user
      await run(admin, `${ADMIN}#add-user`, {
        accountjid: 'nurse@localhost',
        password: PASSWORD,
        'password-verify': PASSWORD
      })
    })
    await server.restart()
    await scenario(server, NURSE, async ({ nurse }) => {
      await nurse.receives(message('nurse@localhost', 'Welcome\nto localhost'))
      await nurse.receivesNothing()
    })
    await scenario(server, { ...NURSE, ...old }, async ({ nurse, old: they }) => {
      await nurse.receivesNothing()
      await they.receivesNothing()
    })
    await server.addUser('late@localhost', PASSWORD)
    await scenario(server, CAST, async ({ admin }) => {
      const remove = () => execute(admin, `${ADMIN}#delete-welcome`)
      assert.deepEqual(notesOf(await remove()), ['info: It is deleted.'])
      assert.deepEqual(notesOf(await remove()), ['info: There was none.'])
    })
    const late = { late: { jid: 'late@localhost', presence: true } }
    await scenario(server, late, ({ late: they }) => they.receivesNothing())
    await scenario(server, CAST, ({ admin }) => says(admin, 'set-welcome', 'again').then(() => undefined))
    // Their first login was before
    await scenario(server, late, ({ late: they }) => they.receivesNothing())
    assert.deepEqual(server.errors(), [])
  })
})

test('XEP-0133 §4.27: welcome first, then the message of the day; sessions that begin together get one', async t => {
  const server = await startAnnouncing(t)
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    await says(admin, 'set-motd', 'of the day')
    await says(admin, 'set-welcome', 'hail')
  })
  await scenario(server, { one: 'romeo@localhost/one', two: 'romeo@localhost/two' }, async ({ one, two }) => {
    one.send('<presence/>')
    two.send('<presence><priority>-1</priority></presence>')
    await one.finds(message('romeo@localhost', 'hail'))
    await one.finds(message('romeo@localhost', 'of the day'))
    await two.finds(`<presence from='romeo@localhost/two'/>`)
    await two.sends('<presence/>')
    await one.fence()
    await two.fence()
    const messages = [...one.unread, ...two.unread].filter(({ name }) => name === 'message')
    assert.deepEqual(messages, [])
  })
})

test('XEP-0133 §4.27: an account that a client or the command line makes is new too', async t => {
  const server = await spawnTestServer(t, {
    hosts: { localhost: { ...IM_HOST, admins: ['admin@localhost'] } },
    modules: { adhoc_admin: {}, announce: {}, register: {} }
  })
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    await says(admin, 'set-welcome', 'hail')
    const stranger = await TestClient.connect({
      port: server.ports.tcp as number,
      domain: 'localhost',
      name: 'fresh'
    })
    t.after(() => stranger.destroy())
    await stranger.open()
    await stranger.startTls()
    const registered = await stranger.request(
      `<iq type='set'><query xmlns='jabber:iq:register'><username>fresh</username>
         <password>${PASSWORD}</password></query></iq>`
    )
    assert.equal(registered.attrs.type, 'result')
    await server.addUser('other@localhost', PASSWORD)
  })
  // While nothing runs
  await server.stop()
  await server.addUser('offline@localhost', PASSWORD)
  await server.start()
  // All of them are there: none is made by logging in
  const made = { ports: server.ports, addUser: () => Promise.resolve() }
  for (const name of ['offline', 'other', 'fresh']) {
    const cast = { they: { jid: `${name}@localhost`, presence: true } }
    await scenario(made, cast, ({ they }) =>
      they.receives(message(`${name}@localhost`, 'hail')).then(() => undefined)
    )
  }
})
