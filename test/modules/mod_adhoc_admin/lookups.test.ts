import assert from 'node:assert/strict'
import test from 'node:test'
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

const PEOPLE = { admin: 'admin@localhost/globe' }
const ROSTER = `${ADMIN}#get-user-roster`
const LAST = `${ADMIN}#get-user-lastlogin`
const STATS = `${ADMIN}#user-stats`
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

function put(item: string): string {
  return `<iq type='set'><query xmlns='jabber:iq:roster'>${item}</query></iq>`
}

async function lose(server: TestServer): Promise<void> {
  const report = await server.server.api.modules.reload('adhoc_admin')
  assert.equal(report.ok, true, report.message)
}

// XEP-0133 §4.8, §4.9, §4.10
test('XEP-0133 §4.8 to §4.10: the forms, as in examples 26, 30 and 34', async t => {
  const server = await startAdministered(t)
  const forms = [
    [
      ROSTER,
      'Getting a User&apos;s Roster',
      'Fill out this form to get a user&apos;s roster.',
      `label='The Jabber ID(s) for which to retrieve the roster' type='jid-multi' var='accountjids'`
    ],
    [
      LAST,
      'Getting a User&apos;s Last Login Time',
      'Fill out this form to get a user&apos;s last login time.',
      `label='The Jabber ID(s) for which to retrieve the last login time' type='jid-multi' var='accountjids'`
    ],
    [
      STATS,
      'Get User Statistics',
      'Fill out this form to gather user statistics.',
      `label='The Jabber ID for statistics' type='jid-single' var='accountjid'`
    ]
  ] as const
  await scenario(server, PEOPLE, async ({ admin }) => {
    for (const [node, title, instructions, field] of forms) {
      admin.unread.push(await execute(admin, node))
      await admin.receives(
        `<iq type='result' from='localhost'><command xmlns='${COMMANDS}' node='${node}' sessionid='*' status='executing'>
          <x xmlns='jabber:x:data' type='form' t:exact='yes'>
            <title>${title}</title>
            <instructions>${instructions}</instructions>
            <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
            <field ${field}><required/></field>
          </x></command></iq>`
      )
    }
  })
})

// XEP-0133 §4.8
test('XEP-0133 §4.8: a roster is inside the form, as in example 28', async t => {
  const server = await startAdministered(t)
  const cast = { ...PEOPLE, juliet: 'juliet@localhost', romeo: 'romeo@localhost' }
  await scenario(server, cast, async ({ admin, juliet, romeo }) => {
    await juliet.request(put(`<item jid='romeo@example.net' name='Romeo'><group>Friends</group></item>`))
    await juliet.request(put(`<item jid='mercutio@example.org' name='Mercutio'/>`))
    await romeo.request(put(`<item jid='benvolio@example.org'/>`))
    admin.unread.push(await run(admin, ROSTER, { accountjids: 'juliet@localhost' }))
    await admin.receives(
      `<iq type='result'><command xmlns='${COMMANDS}' node='${ROSTER}' sessionid='*' status='completed'>
        <x xmlns='jabber:x:data' type='result'>
          <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
          <field var='accountjids'><value>juliet@localhost</value></field>
          <query xmlns='jabber:iq:roster'>
            <item jid='romeo@example.net' name='Romeo' subscription='none'><group>Friends</group></item>
            <item jid='mercutio@example.org' name='Mercutio' subscription='none'/>
          </query>
        </x></command></iq>`
    )
    const several = ['romeo@localhost', 'nobody@localhost', 'juliet@localhost']
    admin.unread.push(await run(admin, ROSTER, { accountjids: several }))
    await admin.receives(
      `<iq type='result'><command xmlns='${COMMANDS}' node='${ROSTER}' sessionid='*' status='completed'>
        <x xmlns='jabber:x:data' type='result'>
          <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
          <field var='accountjids'><value>romeo@localhost</value><value>juliet@localhost</value></field>
          <query xmlns='jabber:iq:roster'><item jid='benvolio@example.org' subscription='none'/></query>
          <query xmlns='jabber:iq:roster'><item jid='romeo@example.net'/><item jid='mercutio@example.org'/></query>
        </x>
        <note type='warn'/></command></iq>`
    )
  })
})

// XEP-0133 §4.8
test('XEP-0133 §4.8: many rosters are as much as one answer holds, one comes whatever its size', async t => {
  const server = await startAdministered(t, { maxContacts: 2 })
  const cast = { ...PEOPLE, juliet: 'juliet@localhost', romeo: 'romeo@localhost', nurse: 'nurse@localhost' }
  await scenario(server, cast, async ({ admin, juliet, romeo }) => {
    for (const name of ['one', 'two', 'three']) await juliet.request(put(`<item jid='${name}@example.net'/>`))
    await romeo.request(put(`<item jid='one@example.net'/>`))
    const answer = await run(admin, ROSTER, {
      accountjids: ['romeo@localhost', 'juliet@localhost', 'nurse@localhost']
    })
    assert.deepEqual(resultOf(answer, 'accountjids'), ['romeo@localhost', 'nurse@localhost'])
    assert.match(
      notesOf(answer)[0] ?? '',
      /^warn: .*\njuliet@localhost: has too many contacts for this answer/
    )
    const alone = await run(admin, ROSTER, { accountjids: 'juliet@localhost' })
    assert.deepEqual(resultOf(alone, 'accountjids'), ['juliet@localhost'])
    assert.deepEqual(notesOf(alone), [])
  })
})

// XEP-0133 §4.9
test('XEP-0133 §4.9: the last login is kept, as a DateTime of XEP-0082', async t => {
  const server = await startAdministered(t)
  await server.addUser('romeo@localhost', PASSWORD)
  const before = Math.floor(Date.now() / 1000) * 1000
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => juliet.receivesNothing())
  await scenario(server, PEOPLE, async ({ admin }) => {
    const ask = async (...accountjids: string[]): Promise<string[]> =>
      resultOf(await run(admin, LAST, { accountjids }), 'lastlogin')
    const [time = ''] = await ask('juliet@localhost')
    assert.match(time, DATE_TIME)
    assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now())
    await lose(server)
    assert.deepEqual(await ask('juliet@localhost'), [time], 'kept in the database')

    const answer = await run(admin, LAST, { accountjids: ['romeo@localhost', 'juliet@localhost'] })
    assert.deepEqual(resultOf(answer, 'accountjids'), ['romeo@localhost', 'juliet@localhost'])
    assert.deepEqual(resultOf(answer, 'lastlogin'), ['', time])
    assert.deepEqual(notesOf(answer), ['info: No login is known of: romeo@localhost'])

    // Of an account that was made anew under the name nothing is known
    await server.server.accounts.remove('juliet', 'localhost')
    await server.addUser('juliet@localhost', PASSWORD)
    assert.deepEqual(await ask('juliet@localhost'), [''])
  })
})

// XEP-0133 §4.10
test('XEP-0133 §4.10: statistics of who is online and who is not', async t => {
  const server = await startAdministered(t)
  await server.addUser('romeo@localhost', PASSWORD)
  const cast = { ...PEOPLE, home: 'juliet@localhost/home', work: 'juliet@localhost/work' }
  await scenario(server, cast, async ({ admin, home }) => {
    await home.request(put(`<item jid='romeo@example.net'/>`))
    const answer = await run(admin, STATS, { accountjid: 'juliet@localhost' })
    assert.equal(statusOf(answer), 'completed')
    assert.deepEqual(resultOf(answer, 'FORM_TYPE'), [ADMIN])
    assert.deepEqual(resultOf(answer, 'ipaddresses'), ['127.0.0.1'])
    assert.deepEqual(resultOf(answer, 'rostersize'), ['1'])
    assert.deepEqual(resultOf(answer, 'onlineresources').sort(), ['home', 'work'])
    assert.ok(Number(resultOf(answer, 'stanzaspersecond')[0]) > 0)
    const [logins] = resultOf(answer, 'loginsperminute')
    assert.equal(logins, '0.033', 'two in an hour')
    await lose(server)
    const later = await run(admin, STATS, { accountjid: 'juliet@localhost' })
    assert.deepEqual(resultOf(later, 'loginsperminute'), [logins], 'over a reload')

    const offline = await run(admin, STATS, { accountjid: 'romeo@localhost' })
    assert.equal(statusOf(offline), 'completed')
    assert.deepEqual(resultOf(offline, 'onlineresources'), [])
    assert.deepEqual(resultOf(offline, 'rostersize'), ['0'])
    assert.deepEqual(resultOf(offline, 'stanzaspersecond'), ['0'])
    assert.deepEqual(resultOf(offline, 'loginsperminute'), ['0'])
  })
})

// XEP-0133 §4.8, §4.9, §4.10, §5, §6
test('XEP-0133 §4.8 to §4.10, §5: what is not looked up', async t => {
  const server = await startAdministered(t)
  for (const jid of ['op@localhost', 'juliet@localhost']) await server.addUser(jid, PASSWORD)
  await scenario(server, { ...PEOPLE, romeo: 'romeo@localhost' }, async ({ admin, romeo }) => {
    for (const [node, field] of [
      [ROSTER, 'accountjids'],
      [LAST, 'accountjids'],
      [STATS, 'accountjid']
    ] as const) {
      assert.equal(statusOf(await execute(romeo, node)), 'forbidden')
      assert.equal(statusOf(await execute(admin, node, 'channels.localhost')), 'item-not-found')
      assert.equal(statusOf(await run(admin, node, { [field]: 'nobody@localhost' })), 'item-not-found')
      assert.equal(statusOf(await run(admin, node, { [field]: 'op@localhost' })), 'forbidden')
      const begun = await execute(admin, node)
      for (const [wrong, why] of [
        ['juliet@other', /is not on localhost/],
        ['juliet@localhost/home', /names a resource/],
        ['', /a value is required/]
      ] as const) {
        const answer = await submit(admin, begun, { [field]: wrong })
        assert.equal(statusOf(answer), 'executing')
        assert.match(notesOf(answer)[0] ?? '', new RegExp(`^error: ${field}: .*${why.source}`))
      }
    }
    // XEP-0133 §4.10: that is the anchor, not the node
    assert.equal(statusOf(await execute(admin, `${ADMIN}#get-user-stats`)), 'item-not-found')

    const dialogues = [await execute(admin, ROSTER), await execute(admin, LAST)]
    ;(server.server.config.hosts.get('localhost')?.admins as string[]).length = 0
    for (const begun of dialogues)
      assert.equal(statusOf(await submit(admin, begun, { accountjids: 'juliet@localhost' })), 'forbidden')
  })
})

// XEP-0133 §5
test('XEP-0133 §4.8, §4.10, §5: without rosters there are none to look up', async t => {
  const server = await startAdministered(t)
  await server.addUser('juliet@localhost', PASSWORD)
  await scenario(server, PEOPLE, async ({ admin }) => {
    await server.server.api.modules.unload('presence', 'localhost')
    const report = await server.server.api.modules.unload('roster', 'localhost')
    assert.equal(report.ok, true, report.message)
    const roster = await run(admin, ROSTER, { accountjids: 'juliet@localhost' })
    assert.equal(statusOf(roster), 'feature-not-implemented')
    const stats = await run(admin, STATS, { accountjid: 'juliet@localhost' })
    assert.equal(statusOf(stats), 'completed')
    assert.deepEqual(resultOf(stats, 'rostersize'), [])
  })
})
