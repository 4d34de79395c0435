import assert from 'node:assert/strict'
import test from 'node:test'
import { scenario } from '../../lib/wire'
import { ADMIN, COMMANDS, execute, notesOf, resultOf, run, startAdministered, statusOf } from './helpers'

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

test('XEP-0133 §4.13, §4.15: counts come at once', async t => {
  const server = await startAdministered(t)
  await server.addUser('romeo@localhost', 'a password for tests')
  await scenario(server, CAST, async ({ admin }) => {
    admin.unread.push(await execute(admin, `${ADMIN}#get-online-users-num`))
    await admin.receives(
      `<iq type='result'><command xmlns='${COMMANDS}' status='completed' sessionid='*'>
         <x xmlns='jabber:x:data' type='result'>
           <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
           <field label='The number of online users' var='onlineusersnum'><value>2</value></field>
         </x></command></iq>`
    )
    const registered = await execute(admin, `${ADMIN}#get-registered-users-num`)
    assert.deepEqual(
      resultOf(registered, 'registeredusersnum'),
      ['4'],
      'admin, juliet, romeo, and the first operator'
    )
  })
})

test('XEP-0133 §4.18, §4.20: lists, as many as were asked for and no more than may be', async t => {
  const server = await startAdministered(t, { maxListed: 30 })
  for (let i = 0; i < 32; i++)
    await server.addUser(`user${String(i).padStart(2, '0')}@localhost`, 'a password for tests')
  await scenario(server, CAST, async ({ admin }) => {
    const online = await run(admin, `${ADMIN}#get-online-users-list`, { max_items: 'none' })
    assert.deepEqual(resultOf(online, 'onlineuserjids'), ['admin@localhost', 'juliet@localhost'])
    assert.deepEqual(notesOf(online), [])

    const list = async (max: string | undefined): Promise<[number, string[]]> => {
      const answer = await run(
        admin,
        `${ADMIN}#get-registered-users-list`,
        max === undefined ? {} : { max_items: max }
      )
      return [resultOf(answer, 'registereduserjids').length, notesOf(answer)]
    }
    assert.deepEqual(await list('25'), [25, ['warn: These are 25 of 35.']])
    assert.deepEqual(await list('none'), [30, ['warn: These are 30 of 35.']])
    assert.deepEqual(await list(undefined), [30, ['warn: These are 30 of 35.']])

    const odd = await run(admin, `${ADMIN}#get-registered-users-list`, { max_items: '7' })
    assert.equal(statusOf(odd), 'executing')
    assert.match(notesOf(odd)[0] ?? '', /^error: max_items: must be one of 25, 50/)
  })
})
