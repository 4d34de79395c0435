import assert from 'node:assert/strict'
import test from 'node:test'
import { PASSWORD, scenario } from '../../lib/wire'
import { ADMIN, COMMANDS, execute, notesOf, run, startAdministered, statusOf, submit } from './helpers'

const EDIT = `${ADMIN}#edit-admin`
const COUNT = `${ADMIN}#get-registered-users-num`
const CAST = { op: 'op@localhost', juliet: 'juliet@localhost' }

function form(...jids: string[]): string {
  return `<iq type='result' from='localhost'><command xmlns='${COMMANDS}' node='${EDIT}' sessionid='*' status='executing'>
    <x xmlns='jabber:x:data' type='form' t:exact='yes'>
      <title>Editing the Admin List</title>
      <instructions>Fill out this form to edit the list of entities who have administrative privileges.</instructions>
      <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
      <field label='The admin list' type='jid-multi' var='adminjids'>
        ${jids.map(jid => `<value>${jid}</value>`).join('')}
      </field>
    </x></command></iq>`
}

// XEP-0133 §4.29
test('XEP-0133 §4.29: administrators by command, over a reload, and not any more', async t => {
  const server = await startAdministered(t)
  await scenario(server, CAST, async ({ op, juliet }) => {
    const begun = await execute(op, EDIT)
    op.unread.push(begun)
    await op.receives(form('admin@localhost'))
    assert.equal(statusOf(await execute(juliet, COUNT)), 'forbidden')
    const both = ['admin@localhost', 'juliet@localhost']
    const answer = await submit(op, begun, { adminjids: both })
    assert.equal(statusOf(answer), 'completed')
    assert.deepEqual(notesOf(answer), ['info: juliet@localhost administers the host'])
    assert.equal(statusOf(await execute(juliet, COUNT)), 'completed')
    // XEP-0133 §3: of that host alone, and not of the server
    assert.equal(statusOf(await execute(juliet, COUNT, 'other')), 'forbidden')
    assert.equal(statusOf(await execute(juliet, EDIT)), 'forbidden')

    const report = await server.server.api.modules.reload('adhoc_admin')
    assert.equal(report.ok, true, report.message)
    assert.equal(statusOf(await execute(juliet, COUNT)), 'completed')
    const again = await execute(op, EDIT)
    op.unread.push(again)
    await op.receives(form(...both))
    // XEP-0004 §3.5: what is left out stays
    assert.equal(statusOf(await submit(op, again, {})), 'completed')
    assert.equal(statusOf(await execute(juliet, COUNT)), 'completed')

    const dialogue = await execute(juliet, `${ADMIN}#delete-user`)
    assert.equal(statusOf(await run(op, EDIT, { adminjids: 'admin@localhost' })), 'completed')
    assert.equal(statusOf(await submit(juliet, dialogue, { accountjids: 'admin@localhost' })), 'forbidden')
    assert.equal(statusOf(await execute(juliet, COUNT)), 'forbidden')
  })
  const acts = server.log
    .filter(line => line.command === 'edit-admin')
    .map(({ by, on, detail }) => ({ by, on, detail }))
  assert.deepEqual(acts, [
    { by: 'op@localhost', on: 'juliet@localhost', detail: 'administers the host' },
    { by: 'op@localhost', on: 'juliet@localhost', detail: 'does not administer the host any more' }
  ])
})

// XEP-0133 §4.29
test('XEP-0133 §4.29: the role goes with the account', async t => {
  const server = await startAdministered(t)
  await scenario(server, CAST, async ({ op, juliet }) => {
    await run(op, EDIT, { adminjids: ['admin@localhost', 'juliet@localhost'] })
    assert.equal(
      statusOf(await run(op, `${ADMIN}#delete-user`, { accountjids: 'juliet@localhost' })),
      'completed'
    )
    await juliet.isClosed()
    op.unread.push(await execute(op, EDIT))
    await op.receives(form('admin@localhost'))
  })
  await scenario(server, { juliet: CAST.juliet }, async ({ juliet }) => {
    assert.equal(statusOf(await execute(juliet, COUNT)), 'forbidden')
  })
})

// XEP-0133 §4.29, §5
test('XEP-0133 §4.29, §5: what no list of administrators can be', async t => {
  const server = await startAdministered(t)
  await server.addUser('admin@localhost', PASSWORD)
  await scenario(server, { ...CAST, admin: 'admin@localhost' }, async ({ op, admin }) => {
    assert.equal(statusOf(await execute(admin, EDIT)), 'forbidden')
    assert.equal(statusOf(await execute(op, EDIT, 'channels.localhost')), 'item-not-found')
    const begun = await execute(op, EDIT)
    for (const [adminjids, why] of [
      [['juliet@localhost'], /the config file names admin@localhost/],
      [['admin@localhost', 'nobody@localhost'], /there is no account nobody@localhost/],
      [['admin@localhost', 'juliet@channels.localhost'], /there is no account/],
      [['admin@localhost', 'juliet@localhost/balcony'], /names a resource/],
      [['admin@localhost', 'localhost'], /is no account/],
      [['admin@localhost', ...Array.from({ length: 101 }, (_, i) => `user${i}@example.org`)], /more than 100/]
    ] as const) {
      const answer = await submit(op, begun, { adminjids })
      assert.equal(statusOf(answer), 'executing')
      assert.match(notesOf(answer)[0] ?? '', new RegExp(`^error: adminjids: .*${why.source}`))
    }
    // As in example 97: also of another domain
    const edited = await submit(op, begun, { adminjids: ['admin@localhost', 'chris@marlowe.lit'] })
    assert.equal(statusOf(edited), 'completed')
    assert.deepEqual(notesOf(edited), ['info: chris@marlowe.lit administers the host'])
    const late = await execute(op, EDIT)
    server.server.config.server.operators.length = 0
    assert.equal(statusOf(await submit(op, late, { adminjids: ['admin@localhost'] })), 'forbidden')
  })
})
