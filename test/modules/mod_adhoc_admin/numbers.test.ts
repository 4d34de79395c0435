import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf } from '../../../core/xml/element'
import type { TestServer } from '../../lib/server'
import { PASSWORD, scenario } from '../../lib/wire'
import {
  ADMIN,
  COMMANDS,
  execute,
  notesOf,
  resultOf,
  run,
  startAdministered,
  statusOf,
  submit
} from './helpers'

const CAST = { admin: 'admin@localhost/globe', home: 'juliet@localhost/home', away: 'juliet@localhost/away' }
const AFTER = '{urn:balcony:admin}after'

const COUNTS = [
  ['get-registered-users-num', 'registeredusersnum', 'The number of registered users'],
  ['get-disabled-users-num', 'disabledusersnum', 'The number of disabled users'],
  ['get-online-users-num', 'onlineusersnum', 'The number of online users'],
  ['get-active-users-num', 'activeusersnum', 'The number of active users'],
  ['get-idle-users-num', 'idleusersnum', 'The number of idle users']
] as const

const LISTS = [
  ['get-registered-users-list', 'Registered', 'registereduserjids', 'The list of all users'],
  ['get-disabled-users-list', 'Disabled', 'disableduserjids', 'The list of all disabled users'],
  ['get-online-users-list', 'Online', 'onlineuserjids', 'The list of all online users'],
  ['get-active-users', 'Active', 'activeuserjids', 'The list of active users'],
  // XEP-0133 §4.22, example 74
  ['get-idle-users', 'Idle', 'activeuserjids', 'The list of idle users']
] as const

/** As if the account had done nothing for that long. */
function rest(server: TestServer, jid: string, minutes: number): void {
  for (const session of server.server.clients.sessions())
    if (session.jid?.bare === jid || session.jid?.full === jid) session.active -= minutes * 60_000
}

// XEP-0133 §4.13, §4.14, §4.15, §4.16, §4.17
test('XEP-0133 §4.13 to §4.17: counts come at once', async t => {
  const server = await startAdministered(t)
  for (const jid of ['romeo@localhost', 'tybalt@localhost', 'paris@other'])
    await server.addUser(jid, PASSWORD)
  await server.server.accounts.setDisabled('tybalt', 'localhost', true)
  await server.server.accounts.setDisabled('paris', 'other', true)
  await scenario(server, CAST, async ({ admin }) => {
    rest(server, 'juliet@localhost', 11)
    // admin, juliet, romeo, tybalt, and the first operator
    const numbers = ['5', '1', '2', '1', '1']
    for (const [i, [command, field, label]] of COUNTS.entries()) {
      admin.unread.push(await execute(admin, `${ADMIN}#${command}`))
      await admin.receives(
        `<iq type='result'><command xmlns='${COMMANDS}' status='completed' sessionid='*' node='${ADMIN}#${command}'>
           <x xmlns='jabber:x:data' type='result'>
             <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
             <field label='${label}' var='${field}'><value>${numbers[i]}</value></field>
           </x></command></iq>`
      )
    }
  })
})

// XEP-0133 §4.16, §4.17
test('XEP-0133 §4.16, §4.17: idle is who does nothing on any resource, pings and questions apart', async t => {
  const server = await startAdministered(t, { idleMinutes: 30 })
  await scenario(server, CAST, async ({ admin, home }) => {
    const idle = async (): Promise<string[]> =>
      resultOf(await run(admin, `${ADMIN}#get-idle-users`, {}), 'activeuserjids')
    rest(server, 'juliet@localhost', 29)
    assert.deepEqual(await idle(), [])
    rest(server, 'juliet@localhost/home', 2)
    assert.deepEqual(await idle(), [], 'the other resource has done something')
    rest(server, 'juliet@localhost/away', 2)
    assert.deepEqual(await idle(), ['juliet@localhost'])
    assert.deepEqual(resultOf(await run(admin, `${ADMIN}#get-active-users`, {}), 'activeuserjids'), [
      'admin@localhost'
    ])
    await home.request(`<iq type='get' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await home.sends(`<iq type='result' id='a-ping-of-the-server' to='localhost'/>`)
    await home.fence()
    assert.deepEqual(await idle(), ['juliet@localhost'])
    await home.sends(`<presence><show>chat</show></presence>`)
    await home.fence()
    assert.deepEqual(await idle(), [])
  })
})

// XEP-0133 §4.18, §4.19, §4.20, §4.21, §4.22
test('XEP-0133 §4.18 to §4.22: the forms and the lists', async t => {
  const server = await startAdministered(t)
  for (const jid of ['tybalt@localhost', 'paris@other']) await server.addUser(jid, PASSWORD)
  await server.server.accounts.setDisabled('tybalt', 'localhost', true)
  await server.server.accounts.setDisabled('paris', 'other', true)
  const options = ['25', '50', '75', '100', '150', '200', 'None'].map(
    label => `<option label='${label}'><value>${label.toLowerCase()}</value></option>`
  )
  await scenario(server, CAST, async ({ admin }) => {
    rest(server, 'juliet@localhost', 11)
    const wanted = [
      ['op', 'tybalt', 'admin', 'juliet'],
      ['tybalt'],
      ['admin', 'juliet'],
      ['admin'],
      ['juliet']
    ]
    for (const [i, [command, what, field, label]] of LISTS.entries()) {
      const begun = await execute(admin, `${ADMIN}#${command}`)
      admin.unread.push(begun)
      await admin.receives(
        `<iq type='result'><command xmlns='${COMMANDS}' status='executing' sessionid='*' node='${ADMIN}#${command}'>
           <x xmlns='jabber:x:data' type='form'>
             <title>Requesting List of ${what} Users</title>
             <instructions>Fill out this form to request the ${what.toLowerCase()} users of this service.</instructions>
             <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
             <field label='Maximum number of items to show' type='list-single' var='max_items'>${options.join('')}</field>
             <field type='jid-single' var='${AFTER}'/>
           </x></command></iq>`
      )
      const answer = await submit(admin, begun, { max_items: '100' })
      const form = childOf(childOf(answer, 'command') as never, 'x') as never
      const shown = childrenOf(form, 'field').find(one => one.attrs.var === field)
      assert.equal(shown?.attrs.label, label)
      assert.equal(shown?.attrs.type, 'jid-multi')
      assert.deepEqual(
        resultOf(answer, field),
        wanted[i]?.map(user => `${user}@localhost`),
        command
      )
      assert.deepEqual(notesOf(answer), [])
    }
  })
})

test('XEP-0133 §4.18 to §4.22: as many as were asked for, no more than may be, page by page', async t => {
  const server = await startAdministered(t, { maxListed: 30 })
  for (let i = 0; i < 56; i++) {
    const name = `user${String(i).padStart(2, '0')}`
    await server.addUser(`${name}@localhost`, PASSWORD)
    await server.server.accounts.setDisabled(name, 'localhost', true)
  }
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    const node = `${ADMIN}#get-disabled-users-list`
    const list = async (fields: Record<string, string>): Promise<[number, string[]]> => {
      const answer = await run(admin, node, fields)
      return [resultOf(answer, 'disableduserjids').length, notesOf(answer)]
    }
    const thirty = 'warn: These are 30 of 56. The next page is what comes after user29@localhost.'
    assert.deepEqual(await list({ max_items: 'none' }), [30, [thirty]])
    assert.deepEqual(await list({}), [30, [thirty]])

    const all: string[] = []
    for (let pages = 1; ; pages++) {
      const after: Record<string, string> = all.length > 0 ? { [AFTER]: all.at(-1) as string } : {}
      const answer = await run(admin, node, { max_items: '25', ...after })
      all.push(...resultOf(answer, 'disableduserjids'))
      if (notesOf(answer).length > 0) continue
      assert.equal(pages, 3)
      break
    }
    assert.equal(new Set(all).size, 56)

    const online = `${ADMIN}#get-online-users-list`
    assert.deepEqual(resultOf(await run(admin, online, { [AFTER]: 'aaron@localhost' }), 'onlineuserjids'), [
      'admin@localhost'
    ])
    assert.deepEqual(resultOf(await run(admin, online, { [AFTER]: 'admin@localhost' }), 'onlineuserjids'), [])
  })
})

test('XEP-0133 §4.18 to §4.22, §5: lists that cannot be asked for', async t => {
  const server = await startAdministered(t)
  await scenario(server, { ...CAST, romeo: 'romeo@localhost' }, async ({ admin, romeo }) => {
    for (const [command] of [...LISTS, ...COUNTS]) {
      assert.equal(statusOf(await execute(romeo, `${ADMIN}#${command}`)), 'forbidden')
      assert.equal(
        statusOf(await execute(admin, `${ADMIN}#${command}`, 'channels.localhost')),
        'item-not-found'
      )
    }
    for (const [command] of LISTS) {
      const begun = await execute(admin, `${ADMIN}#${command}`)
      for (const [fields, why] of [
        [{ max_items: '7' }, /^error: max_items: must be one of 25, 50/],
        [{ max_items: ['25', '50'] }, /^error: max_items: one value is expected/],
        [{ [AFTER]: 'juliet@other' }, /^error: {urn:balcony:admin}after: .*is not on localhost/]
      ] as [Record<string, string | string[]>, RegExp][]) {
        const answer = await submit(admin, begun, fields)
        assert.equal(statusOf(answer), 'executing')
        assert.match(notesOf(answer)[0] ?? '', why)
      }
    }
    const gone = await run(admin, `${ADMIN}#get-registered-users-list`, { [AFTER]: 'nobody@localhost' })
    assert.equal(statusOf(gone), 'executing')
    assert.match(notesOf(gone)[0] ?? '', /there is no account nobody@localhost any more/)

    const begun = await execute(admin, `${ADMIN}#get-idle-users`)
    ;(server.server.config.hosts.get('localhost')?.admins as string[]).length = 0
    assert.equal(statusOf(await submit(admin, begun, {})), 'forbidden')
    assert.equal(statusOf(await execute(admin, `${ADMIN}#get-idle-users-num`)), 'forbidden')
  })
})
