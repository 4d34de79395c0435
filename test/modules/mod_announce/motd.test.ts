import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import Database from 'better-sqlite3'
import { childText } from '../../../core/xml/element'
import { forEachDatabase } from '../../lib/databases'
import type { TestServer } from '../../lib/server'
import { PASSWORD, scenario } from '../../lib/wire'
import { ADMIN, execute, notesOf, resultOf, statusOf, submit } from '../mod_adhoc_admin/helpers'
import { CAST, message, says, startAnnouncing } from './helpers'

const JULIET = 'juliet@localhost'

/** Marks of who has had the message of the day. */
function marks({ folder }: TestServer): string[] {
  const database = new Database(path.join(folder, 'data', 'balcony.sqlite'), { readonly: true })
  try {
    const rows = database
      .prepare(`select head from entries where module = 'announce' and store = 'motd_had' order by head`)
      .all() as { head: string }[]
    return rows.map(({ head }) => head)
  } finally {
    database.close()
  }
}

forEachDatabase(database => {
  test(`XEP-0133 §4.24: at once to who is online, once at the next session to all others (${database})`, async t => {
    const server = await startAnnouncing(t, { database })
    await server.addUser('romeo@localhost', PASSWORD)
    await scenario(server, CAST, async ({ admin, juliet }) => {
      const answer = await says(admin, 'set-motd', ['The grand re-opening', 'is tomorrow night.'])
      assert.equal(statusOf(answer), 'completed')
      assert.deepEqual(notesOf(answer), ['info: It is set. Sent at once: 1.'])
      const text = 'The grand re-opening\nis tomorrow night.'
      await juliet.receives(message(JULIET, text))
      await admin.receivesNothing()
      // Who can be sent messages only now gets it now, and once
      await admin.sends('<presence><priority>-1</priority></presence>')
      await admin.receives(`<presence/>`)
      await admin.receivesNothing()
      await admin.sends('<presence/>')
      await admin.receivesAll([`<presence/>`, message('admin@localhost', text)])
      await admin.sends('<presence><show>away</show></presence>')
      await admin.receives(`<presence/>`)
      await admin.receivesNothing()
    })
    await server.restart()
    const next = { juliet: CAST.juliet, romeo: { jid: 'romeo@localhost', presence: true } }
    await scenario(server, next, async ({ juliet, romeo }) => {
      await romeo.receives(message('romeo@localhost', 'The grand re-opening\nis tomorrow night.'))
      await juliet.receivesNothing()
    })
    await scenario(server, next, async ({ juliet, romeo }) => {
      await romeo.receivesNothing()
      await juliet.receivesNothing()
    })
    assert.deepEqual(server.errors(), [])
  })

  test(`XEP-0133 §4.24: sessions that begin together get it once (${database})`, async t => {
    const server = await startAnnouncing(t, { database })
    await scenario(server, { admin: CAST.admin }, ({ admin }) =>
      says(admin, 'set-motd', 'once').then(() => undefined)
    )
    const both = { one: 'romeo@localhost/one', two: 'romeo@localhost/two' }
    await scenario(server, both, async ({ one, two }) => {
      one.send('<presence/>')
      two.send('<presence/>')
      await one.finds(`<presence from='romeo@localhost/one'/>`)
      await two.finds(`<presence from='romeo@localhost/two'/>`)
      await one.fence()
      await two.fence()
      const ids = [...one.unread, ...two.unread]
        .filter(({ name }) => name === 'message')
        .map(({ attrs }) => attrs.id as string)
      // One message: to both where both were there when it was sent
      assert.ok(ids.length === 1 || ids.length === 2)
      for (const { unread } of [one, two])
        assert.ok(unread.filter(({ name }) => name === 'message').length <= 1)
    })
  })

  test(`XEP-0133 §4.25, §4.26: edited for those who have not had it, and deleted (${database})`, async t => {
    const server = await startAnnouncing(t, { database })
    await scenario(server, CAST, async ({ admin, juliet }) => {
      await says(admin, 'set-motd', ['--The Globe', 'Stuff'])
      await juliet.forgets()
      const begun = await execute(admin, `${ADMIN}#edit-motd`)
      assert.deepEqual(resultOf(begun, 'motd'), ['--The Globe', 'Stuff'])
      const edited = await submit(admin, begun, { motd: ['--The Globe', 'Staff'] })
      assert.deepEqual(notesOf(edited), ['info: It is changed, for those who have not had it.'])
      await juliet.receivesNothing()
    })
    const romeo = { romeo: { jid: 'romeo@localhost', presence: true } }
    await scenario(server, romeo, ({ romeo: he }) =>
      he.receives(message('romeo@localhost', '--The Globe\nStaff')).then(() => undefined)
    )
    await scenario(server, CAST, async ({ admin, juliet }) => {
      const remove = () => execute(admin, `${ADMIN}#delete-motd`)
      assert.deepEqual(notesOf(await remove()), ['info: It is deleted.'])
      assert.deepEqual(notesOf(await remove()), ['info: There was none.'])
      assert.deepEqual(resultOf(await execute(admin, `${ADMIN}#edit-motd`), 'motd'), [])
      await juliet.receivesNothing()
    })
    await server.restart()
    await scenario(server, { nurse: { jid: 'nurse@localhost', presence: true } }, ({ nurse }) =>
      nurse.receivesNothing()
    )
    // Another one goes to all again; to edit where there is none is to set
    await scenario(server, CAST, async ({ admin, juliet }) => {
      assert.deepEqual(notesOf(await says(admin, 'edit-motd', 'another')), [
        'info: There was none: it is set. Sent at once: 1.'
      ])
      await juliet.receives(message(JULIET, 'another'))
      await says(admin, 'set-motd', 'and another')
      await juliet.receives(message(JULIET, 'and another'))
    })
  })
})

test('XEP-0133 §4.24: what is kept of who has had it goes with the account, and with the message', async t => {
  const server = await startAnnouncing(t)
  const { accounts } = server.server
  await scenario(server, CAST, async ({ admin, juliet }) => {
    await says(admin, 'set-motd', 'first')
    await juliet.receives(message(JULIET, 'first'))
    assert.deepEqual(marks(server), ['juliet'])
    await accounts.remove('juliet', 'localhost')
    assert.deepEqual(marks(server), [])
  })
  await scenario(server, CAST, async ({ admin, juliet }) => {
    // The next account of that name is somebody else
    await juliet.receives(message(JULIET, 'first'))
    await says(admin, 'set-motd', 'second')
    await juliet.receives(message(JULIET, 'second'))
    assert.deepEqual(marks(server), ['juliet'])
    await execute(admin, `${ADMIN}#delete-motd`)
    for (let tries = 0; marks(server).length > 0; tries++) {
      assert.ok(tries < 1000, 'the marks are still there')
      await admin.fence()
    }
  })
})

test('XEP-0133 §4.24: it goes on when the module is reloaded, and when two administrators set one together', async t => {
  const server = await startAnnouncing(t)
  const cast = { ...CAST, op: 'admin@localhost/second' }
  await scenario(server, cast, async ({ admin, op, juliet }) => {
    await says(admin, 'set-motd', 'first')
    await juliet.receives(message(JULIET, 'first'))
    assert.ok((await server.server.manager.reload('announce')).ok)
    await scenario(server, { romeo: { jid: 'romeo@localhost', presence: true } }, ({ romeo }) =>
      romeo.receives(message('romeo@localhost', 'first')).then(() => undefined)
    )
    await Promise.all([says(admin, 'set-motd', 'one'), says(op, 'set-motd', 'two')])
    await juliet.fence()
    const bodies = juliet.unread.map(stanza => childText(stanza, 'body'))
    // Whichever was set last is the one that holds
    const holds = resultOf(await execute(admin, `${ADMIN}#edit-motd`), 'motd')
    assert.equal(bodies.at(-1), holds[0])
    assert.equal(new Set(bodies).size, bodies.length)
    await juliet.forgets()
    await juliet.sends('<presence type="unavailable"/>')
    await juliet.sends('<presence/>')
    await juliet.forgets()
  })
  await scenario(server, { juliet: CAST.juliet }, ({ juliet }) => juliet.receivesNothing())
  assert.deepEqual(server.errors(), [])
})
