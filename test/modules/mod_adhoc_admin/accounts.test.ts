import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import Database from 'better-sqlite3'
import { scenario } from '../../lib/wire'
import {
  ADMIN,
  execute,
  listed,
  notesOf,
  OWN,
  run,
  startAdministered,
  statusOf,
  submit,
  COMMANDS
} from './helpers'

const PEOPLE = { admin: 'admin@localhost/globe' }

/** Whether the log holds an administrative act with these data. */
function acted(log: readonly Record<string, unknown>[], data: Record<string, unknown>): boolean {
  return log.some(line => Object.entries(data).every(([name, value]) => line[name] === value))
}

test('XEP-0133 §4.1: the form of add-user, as in example 2', async t => {
  const server = await startAdministered(t)
  await scenario(server, PEOPLE, async ({ admin }) => {
    admin.unread.push(await execute(admin, `${ADMIN}#add-user`))
    await admin.receives(
      `<iq type='result' from='localhost' to='{admin}'>
        <command xmlns='${COMMANDS}' node='${ADMIN}#add-user' sessionid='{s}' status='executing'>
          <x xmlns='jabber:x:data' type='form' t:exact='yes'>
            <title>Adding a User</title>
            <instructions>Fill out this form to add a user.</instructions>
            <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
            <field label='The Jabber ID for the account to be added' type='jid-single' var='accountjid'><required/></field>
            <field label='The password for this account' type='text-private' var='password'/>
            <field label='Retype password' type='text-private' var='password-verify'/>
            <field label='Email address' type='text-single' var='email'/>
            <field label='Given name' type='text-single' var='given_name'/>
            <field label='Family name' type='text-single' var='surname'/>
          </x></command></iq>`
    )
  })
})

test('XEP-0133 §4.2, §4.7: the forms, as in examples 6 and 22', async t => {
  const server = await startAdministered(t)
  const forms = [
    [
      'delete-user',
      'Deleting a User',
      'Fill out this form to delete a user.',
      `<field label='The Jabber ID(s) to delete' type='jid-multi' var='accountjids'><required/></field>`
    ],
    [
      'change-user-password',
      'Changing a User Password',
      'Fill out this form to change a user&apos;s password.',
      `<field label='The Jabber ID for this account' type='jid-single' var='accountjid'><required/></field>
       <field label='The password for this account' type='text-private' var='password'><required/></field>`
    ]
  ] as const
  await scenario(server, PEOPLE, async ({ admin }) => {
    for (const [command, title, instructions, fields] of forms) {
      const node = `${ADMIN}#${command}`
      admin.unread.push(await execute(admin, node))
      await admin.receives(
        `<iq type='result' from='localhost'><command xmlns='${COMMANDS}' node='${node}' sessionid='*' status='executing'>
          <x xmlns='jabber:x:data' type='form' t:exact='yes'>
            <title>${title}</title>
            <instructions>${instructions}</instructions>
            <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
            ${fields}
          </x></command></iq>`
      )
    }
  })
})

test('XEP-0133 §4.1: a user is added, can log in, and is not added twice', async t => {
  const server = await startAdministered(t)
  const fields = {
    accountjid: 'Juliet@localhost',
    password: 'R0m30 and more',
    'password-verify': 'R0m30 and more',
    email: 'juliet@capulet.com',
    given_name: 'Juliet',
    surname: ''
  }
  await scenario(server, PEOPLE, async ({ admin }) => {
    const added = await run(admin, `${ADMIN}#add-user`, fields)
    assert.equal(statusOf(added), 'completed')
    assert.deepEqual(notesOf(added), ['info: juliet@localhost was added'])
    assert.equal(await server.server.accounts.checkPassword('juliet', 'localhost', 'R0m30 and more'), true)
    const again = await run(admin, `${ADMIN}#add-user`, fields)
    assert.equal(statusOf(again), 'conflict')
  })
  assert.ok(
    acted(server.log, { by: 'admin@localhost', command: 'add-user', on: 'juliet@localhost', result: 'done' })
  )
  assert.ok(acted(server.log, { command: 'add-user', on: 'juliet@localhost', result: 'conflict' }))
  assert.equal(JSON.stringify(server.log).includes('R0m30'), false, 'no password is in the log')
})

test('what an administrator tells of a user is kept, and goes with the account', async t => {
  const server = await startAdministered(t)
  const file = new Database(path.join(server.server.dataFolder, 'balcony.sqlite'), { readonly: true })
  t.after(() => file.close())
  const kept = file
    .prepare("SELECT value FROM entries WHERE module = 'adhoc_admin' AND store = 'details'")
    .pluck()
  await scenario(server, PEOPLE, async ({ admin }) => {
    const fields = { accountjid: 'juliet@localhost', password: 'R0m30 and more', email: 'juliet@capulet.com' }
    await run(admin, `${ADMIN}#add-user`, fields)
    assert.deepEqual(kept.all(), ['{"email":"juliet@capulet.com"}'])
    await run(admin, `${ADMIN}#delete-user`, { accountjids: 'juliet@localhost' })
    assert.deepEqual(kept.all(), [])
  })
})

test('a form that cannot be taken is shown again with a note that names the field', async t => {
  const server = await startAdministered(t)
  await scenario(server, PEOPLE, async ({ admin }) => {
    const begun = await execute(admin, `${ADMIN}#add-user`)
    const tries: [Record<string, string | string[]>, RegExp][] = [
      [
        { accountjid: 'juliet@other', password: 'a password' },
        /^error: accountjid: .*juliet@other is not on localhost/
      ],
      [
        { accountjid: 'juliet@localhost/home', password: 'a password' },
        /^error: accountjid: .*names a resource/
      ],
      [{ accountjid: 'localhost', password: 'a password' }, /^error: accountjid: .*is no account/],
      [{ accountjid: 'a b@localhost', password: 'a password' }, /^error: accountjid: /],
      [{ accountjid: ['a@localhost', 'b@localhost'] }, /^error: accountjid: one value is expected/],
      [{ password: 'a password' }, /^error: accountjid: a value is required/],
      [{ accountjid: 'juliet@localhost' }, /^error: password: a password is needed/],
      [
        { accountjid: 'juliet@localhost', password: 'a password', 'password-verify': 'another' },
        /^error: password-verify: /
      ]
    ]
    for (const [fields, note] of tries) {
      const answer = await submit(admin, begun, fields)
      assert.equal(statusOf(answer), 'executing')
      assert.match(notesOf(answer)[0] ?? '', note)
      assert.equal(answer.toString().includes('a password<'), false, 'a password is not sent back')
    }
    assert.equal(await server.server.accounts.exists('juliet', 'localhost'), false)
    const taken = await submit(admin, begun, { accountjid: 'juliet@localhost', password: 'a password' })
    assert.equal(statusOf(taken), 'completed')
  })
})

test('XEP-0133 §4.2: several users are deleted, each is reported on, their sessions end', async t => {
  const server = await startAdministered(t)
  const cast = { ...PEOPLE, juliet: 'juliet@localhost/balcony', romeo: 'romeo@localhost' }
  await scenario(server, cast, async ({ admin, juliet, romeo }) => {
    const answer = await run(admin, `${ADMIN}#delete-user`, {
      accountjids: ['juliet@localhost', 'nobody@localhost', 'romeo@localhost']
    })
    assert.equal(statusOf(answer), 'completed')
    assert.deepEqual(notesOf(answer), [
      'warn: juliet@localhost was deleted\nnobody@localhost: there is no account nobody@localhost\nromeo@localhost was deleted'
    ])
    await juliet.isClosed()
    await romeo.isClosed()
    assert.equal(await server.server.accounts.exists('juliet', 'localhost'), false)

    const nobody = await run(admin, `${ADMIN}#delete-user`, {
      accountjids: ['nobody@localhost', 'none@localhost']
    })
    assert.equal(statusOf(nobody), 'item-not-found')
  })
})

test('nobody deletes their own account, one of another host, or one they did not name', async t => {
  const server = await startAdministered(t)
  await scenario(server, PEOPLE, async ({ admin }) => {
    const begun = await execute(admin, `${ADMIN}#delete-user`)
    for (const accountjids of [['admin@localhost'], ['juliet@localhost', 'romeo@other'], []]) {
      const answer = await submit(admin, begun, { accountjids })
      assert.equal(statusOf(answer), 'executing')
      assert.match(notesOf(answer)[0] ?? '', /^error: accountjids: /)
    }
    const many = Array.from({ length: 101 }, (_, i) => `user${i}@localhost`)
    assert.match(notesOf(await submit(admin, begun, { accountjids: many }))[0] ?? '', /more than 100 values/)
  })
  assert.equal(await server.server.accounts.exists('admin', 'localhost'), true)
})

test('XEP-0133 §4.7: a password is changed', async t => {
  const server = await startAdministered(t)
  await scenario(server, { ...PEOPLE, juliet: 'juliet@localhost' }, async ({ admin, juliet }) => {
    const node = `${ADMIN}#change-user-password`
    const answer = await run(admin, node, { accountjid: 'juliet@localhost', password: 'V3r0n4 too' })
    assert.equal(statusOf(answer), 'completed')
    assert.equal(await server.server.accounts.checkPassword('juliet', 'localhost', 'V3r0n4 too'), true)
    const nobody = await run(admin, node, { accountjid: 'nobody@localhost', password: 'V3r0n4 too' })
    assert.equal(statusOf(nobody), 'item-not-found')
    const unusable = await run(admin, node, { accountjid: 'juliet@localhost', password: 'x'.repeat(2000) })
    assert.equal(statusOf(unusable), 'not-acceptable')
    await juliet.receivesNothing()
  })
  assert.equal(JSON.stringify(server.log).includes('V3r0n4'), false)
  assert.deepEqual(server.errors(), [])
})

/** Of Balcony's own, what administrators of a host may run. */
const OF_ADMINS = [`${OWN}#s2s-list`, `${OWN}#s2s-close`]
/** The same on a host with accounts. */
const WITH_ACCOUNTS = [...OF_ADMINS, `${OWN}#sessions-list`]

test('XEP-0133 §6: commands are listed to those alone who may run them, and run by nobody else', async t => {
  const server = await startAdministered(t)
  const cast = { ...PEOPLE, op: 'op@localhost', juliet: 'juliet@localhost', both: 'both@localhost' }
  await scenario(server, cast, async ({ admin, op, juliet, both }) => {
    assert.deepEqual(await listed(juliet, 'localhost'), [])
    assert.deepEqual(await listed(both, 'localhost'), [], 'an administrator of another host is nobody here')
    const atHost = await listed(admin, 'localhost')
    assert.ok(atHost.includes(`${ADMIN}#add-user`))
    assert.deepEqual(
      atHost.filter(node => node.startsWith(OWN)),
      WITH_ACCOUNTS
    )
    assert.deepEqual(await listed(admin, 'admin@localhost'), atHost, 'also at the own account')
    const ofOperator = await listed(op, 'localhost')
    assert.ok(ofOperator.includes(`${OWN}#module-reload`) && ofOperator.includes(`${ADMIN}#add-user`))

    for (const node of ofOperator) assert.equal(statusOf(await execute(juliet, node)), 'forbidden')
    for (const node of ofOperator.filter(one => one.startsWith(OWN) && !WITH_ACCOUNTS.includes(one))) {
      assert.equal(statusOf(await execute(admin, node)), 'forbidden')
    }
    // XEP-0133 §4.6 was retracted
    assert.equal(statusOf(await execute(op, `${ADMIN}#get-user-password`)), 'item-not-found')
  })
  const denied = server.log.filter(line => line.level === 'warn' && line.node === `${ADMIN}#add-user`)
  assert.match(String(denied[0]?.from), /^juliet@localhost\//)
})

test('XEP-0133 §3: a component has no accounts', async t => {
  const server = await startAdministered(t)
  await scenario(server, { ...PEOPLE, op: 'op@localhost' }, async ({ admin, op }) => {
    assert.deepEqual(await listed(admin, 'channels.localhost'), OF_ADMINS)
    const nodes = await listed(op, 'channels.localhost')
    assert.ok(nodes.length > 0 && nodes.every(node => node.startsWith(OWN)))
    assert.equal(statusOf(await execute(op, `${ADMIN}#add-user`, 'channels.localhost')), 'item-not-found')
  })
})

test('nobody acts on an account that has more rights than their own', async t => {
  const server = await startAdministered(t)
  for (const jid of ['op@localhost', 'both@localhost']) await server.addUser(jid, 'a password for tests')
  await scenario(server, PEOPLE, async ({ admin }) => {
    for (const jid of ['op@localhost', 'both@localhost']) {
      const password = await run(admin, `${ADMIN}#change-user-password`, {
        accountjid: jid,
        password: 'taken over'
      })
      assert.equal(statusOf(password), 'forbidden')
      assert.equal(statusOf(await run(admin, `${ADMIN}#delete-user`, { accountjids: jid })), 'forbidden')
      assert.equal(statusOf(await run(admin, `${ADMIN}#end-user-session`, { accountjids: jid })), 'forbidden')
      assert.equal(
        await server.server.accounts.checkPassword(jid.split('@')[0] ?? '', 'localhost', 'taken over'),
        false
      )
    }
    // The config names the operator; the account is not there
    await server.server.accounts.remove('op', 'localhost')
    const made = await run(admin, `${ADMIN}#add-user`, { accountjid: 'op@localhost', password: 'taken over' })
    assert.equal(statusOf(made), 'forbidden')
  })
  assert.equal(await server.server.accounts.exists('op', 'localhost'), false)
  assert.ok(
    acted(server.log, { command: 'add-user', on: 'op@localhost', result: 'forbidden', by: 'admin@localhost' })
  )
})

test('somebody who lost the role in the middle of a dialogue does nothing more', async t => {
  const server = await startAdministered(t)
  await scenario(server, PEOPLE, async ({ admin }) => {
    const begun = await execute(admin, `${ADMIN}#add-user`)
    const { config } = server.server
    const admins = config.hosts.get('localhost')?.admins as string[]
    admins.length = 0
    const answer = await submit(admin, begun, { accountjid: 'juliet@localhost', password: 'a password' })
    assert.equal(statusOf(answer), 'forbidden')
  })
  assert.equal(await server.server.accounts.exists('juliet', 'localhost'), false)
})
