import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { IM_HOST, type Options } from '../../lib/config'
import { Abroad } from '../../lib/abroad'
import { forEachDatabase, type DatabaseName } from '../../lib/databases'
import { startTestServer, type TestServer } from '../../lib/server'
import { PASSWORD, scenario, type Player } from '../../lib/wire'
import {
  ADMIN,
  execute,
  listed,
  notesOf,
  OWN,
  rowsOf,
  run,
  STANZAS,
  statusOf,
  submit
} from '../mod_adhoc_admin/helpers'

const AUDIT = `${OWN}#audit`
const CAST = { op: 'op@localhost/desk', admin: 'admin@localhost/hall', juliet: 'juliet@localhost/balcony' }

async function start(
  t: TestContext,
  database: DatabaseName = 'SQLite',
  audit: Options | false = {}
): Promise<TestServer> {
  const server = await startTestServer(t, {
    database,
    hosts: {
      localhost: { ...IM_HOST, admins: ['admin@localhost'] },
      other: { ...IM_HOST, admins: ['both@localhost'] }
    },
    modules: { adhoc_admin: {}, ...(audit === false ? {} : { audit }) },
    config: { operators: ['op@localhost'] }
  })
  await server.server.accounts.setPassword('op', 'localhost', PASSWORD)
  return server
}

/** What the command shows, as `who command target result`, newest first. */
async function audit(
  player: Player,
  fields: Record<string, string> = {},
  to = 'localhost'
): Promise<string[]> {
  return rowsOf(await run(player, AUDIT, fields, to)).map(({ actor, command, target, result }) =>
    [actor, command, target, result].filter(Boolean).join(' ')
  )
}

forEachDatabase(name => {
  test('done, failed, refused, denied: all is kept, newest first, and nothing of a password', async t => {
    const server = await start(t, name)
    await scenario(server, CAST, async ({ op, admin, juliet }) => {
      const secret = 'the-secret-of-romeo'
      const add = (jid: string, verify = secret): Promise<unknown> =>
        run(admin, `${ADMIN}#add-user`, { accountjid: jid, password: secret, 'password-verify': verify })
      await add('romeo@localhost')
      await add('romeo@localhost')
      await add('romeo@localhost', `${secret}!`)
      await add('romeo@elsewhere')
      await run(admin, `${ADMIN}#delete-user`, { accountjids: ['romeo@localhost', 'nobody@localhost'] })
      for (let i = 0; i < 5; i++)
        assert.equal(statusOf(await execute(juliet, `${ADMIN}#delete-user`)), 'forbidden')
      const by = CAST.admin
      assert.deepEqual(await audit(admin), [
        `${CAST.juliet} delete-user forbidden`,
        `${by} delete-user nobody@localhost item-not-found`,
        `${by} delete-user romeo@localhost done`,
        `${by} add-user refused`,
        `${by} add-user refused`,
        `${by} add-user romeo@localhost conflict`,
        `${by} add-user romeo@localhost done`
      ])
      const all = await run(op, AUDIT, { scope: 'all' })
      assert.ok(rowsOf(all).length >= 8)
      assert.equal(String(all).includes(secret), false)
      // Reading is an act, too
      assert.equal((await audit(op, { scope: 'host', max_items: '25' }))[0], `${CAST.op} audit done`)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('filters and pages', async t => {
    const server = await start(t, name)
    await scenario(server, CAST, async ({ op, admin }) => {
      const from = new Date(Date.now() - 60_000).toISOString()
      for (let i = 0; i < 26; i++)
        await run(admin, `${ADMIN}#end-user-session`, { accountjids: `u${i}@localhost` })
      await run(op, `${ADMIN}#end-user-session`, { accountjids: 'u3@localhost' })
      assert.equal((await audit(op, { target: 'u3@localhost' })).length, 2)
      assert.equal((await audit(op, { target: 'U3@LOCALHOST', actor: 'op@localhost' })).length, 1)
      assert.equal((await audit(op, { actor: CAST.op, command: 'end-user-session' })).length, 1)
      assert.equal((await audit(op, { actor: 'op@localhost/elsewhere' })).length, 0)
      const fields = { command: 'end-user-session', since: from, max_items: '25', result: 'undone' }
      const first = await run(op, AUDIT, fields)
      assert.equal(rowsOf(first).length, 25)
      const [, after = ''] = /behind (\d+-\d+)\./.exec(notesOf(first)[0] ?? '') ?? []
      const second = await run(op, AUDIT, { ...fields, after })
      assert.deepEqual(
        rowsOf(second).map(({ target }) => target),
        ['u1@localhost', 'u0@localhost']
      )
      assert.deepEqual(notesOf(await run(op, AUDIT, { until: from })), ['info: There is nothing that fits.'])
      for (const [wrong, note] of [
        [{ since: 'yesterday' }, 'error: since: must be a time like 2026-12-31T23:59:59Z'],
        [
          { since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' },
          'error: until: is before the other end'
        ],
        [{ after: 'x' }, 'error: after: is no place in this list']
      ] as const)
        assert.deepEqual(notesOf(await run(op, AUDIT, wrong)), [note])
    })
  })
})

test('who reads what: administrators their host, operators the server too, others nothing', async t => {
  const server = await start(t)
  await scenario(server, { ...CAST, both: 'both@localhost/x' }, async ({ op, admin, juliet, both }) => {
    await run(op, `${OWN}#module-reload`, { modules: 'ping' })
    await run(both, `${ADMIN}#end-user-session`, { accountjids: 'romeo@other' }, 'other')
    // What is said of the server as a whole is not for the administrators of a host
    assert.deepEqual(await audit(admin), [])
    assert.deepEqual(await audit(admin, { scope: 'server' }), [`${CAST.admin} audit done`])
    assert.deepEqual(await audit(both, { scope: 'all' }, 'other'), [
      'both@localhost/x end-user-session romeo@other item-not-found'
    ])
    assert.deepEqual(await audit(op, { scope: 'server' }), [`${CAST.op} module-reload ping done`])
    assert.ok((await audit(op, { scope: 'all' })).some(line => line.includes('romeo@other')))
    assert.equal((await listed(juliet, 'localhost')).includes(AUDIT), false)
    assert.equal(statusOf(await execute(juliet, AUDIT)), 'forbidden')
    assert.equal((await listed(admin, 'admin@localhost')).includes(AUDIT), true)
    // An operator's form, sent by who is none any more
    const begun = await execute(op, AUDIT)
    assert.match(String(begun), /var="scope"/)
    assert.doesNotMatch(String(await execute(admin, AUDIT)), /var="scope"/)
    assert.equal(statusOf(await submit(op, begun, { scope: 'nowhere' })), 'executing')
  })
})

test('denials: strangers are no rows, and the flood of an account is one that counts', async t => {
  const server = await start(t)
  await scenario(server, { ...CAST, stranger: 'mallory@other/x' }, async ({ op, juliet, stranger }) => {
    for (let i = 0; i < 30; i++) await execute(juliet, `${ADMIN}#delete-user`)
    for (let i = 0; i < 3; i++) await execute(stranger, `${ADMIN}#delete-user`)
    const abroad = new Abroad(server)
    for (const i of [1, 2]) {
      await abroad.says(
        `<iq type='set' id='s${i}' from='tybalt@capulet.lit/x' to='localhost'>
           <command xmlns='http://jabber.org/protocol/commands' node='${ADMIN}#delete-user'/></iq>`
      )
      await abroad.finds(
        `<iq type='error' id='s${i}'><error type='cancel'><forbidden xmlns='${STANZAS}'/></error></iq>`
      )
    }
    await server.server.manager.reload('audit')
    const rows = rowsOf(await run(op, AUDIT, { result: 'denied' }))
    assert.deepEqual(
      rows.map(({ actor, times = '' }) => [actor, times.split(',')[0]]).sort(),
      // An account of this server, of another host
      [
        [CAST.juliet, '30'],
        ['mallory@other/x', '3']
      ]
    )
    assert.equal(rows[0]?.detail, 'needs the role admin, has none')
  })
  // The log has the reason, and no more lines than it must
  const lines = server.log.filter(({ msg }) => msg?.startsWith('command refused'))
  assert.deepEqual(
    lines.slice(0, 3).map(({ from, has, needs }) => [from, has, needs]),
    [
      [CAST.juliet, 'member', 'admin'],
      ['mallory@other/x', 'none', 'admin'],
      ['tybalt@capulet.lit/x', 'none', 'admin']
    ]
  )
})

test('an administrator who only asks, or is refused, is counted; what changes something is a row each', async t => {
  const server = await start(t)
  await scenario(server, CAST, async ({ op, admin }) => {
    const wrong = { accountjid: 'x@localhost', password: 'a', 'password-verify': 'b' }
    const begun = await execute(admin, `${ADMIN}#add-user`)
    for (let i = 0; i < 60; i++) {
      await execute(admin, `${ADMIN}#get-online-users-num`)
      await submit(admin, begun, wrong)
    }
    for (let i = 0; i < 3; i++)
      await run(admin, `${ADMIN}#change-user-password`, {
        accountjid: 'juliet@localhost',
        password: PASSWORD
      })
    await server.server.manager.reload('audit')
    const rows = rowsOf(await run(op, AUDIT, { actor: 'admin@localhost', max_items: '200' }))
    const kinds = rows.map(({ command, target, result, times = '' }) =>
      [command, target, result, times.split(',')[0]].filter(Boolean).join(' ')
    )
    assert.deepEqual(kinds.slice(0, 5), [
      'change-user-password juliet@localhost done 1',
      'change-user-password juliet@localhost done 1',
      'change-user-password juliet@localhost done 1',
      'add-user refused 10',
      'get-online-users-num done 10'
    ])
    assert.equal(kinds.length, 105)
  })
})

test('the audit outlives the account and a restart; off, there are lines of the log', async t => {
  const server = await start(t)
  await scenario(server, CAST, async ({ op, juliet }) => {
    await execute(juliet, `${ADMIN}#delete-user`)
    await run(op, `${ADMIN}#delete-user`, { accountjids: 'juliet@localhost' })
  })
  await server.restart()
  await scenario(server, { op: CAST.op }, async ({ op }) => {
    assert.deepEqual(await audit(op), [
      `${CAST.op} delete-user juliet@localhost done`,
      `${CAST.juliet} delete-user forbidden`
    ])
    await server.server.manager.unload('audit')
    assert.equal(statusOf(await execute(op, AUDIT)), 'item-not-found')
    await run(op, `${ADMIN}#end-user-session`, { accountjids: 'romeo@localhost' })
    assert.ok(
      server.log.some(({ command, on }) => command === 'end-user-session' && on === 'romeo@localhost')
    )
    await server.server.manager.load('audit')
    assert.equal((await audit(op))[0], 'the server audit localhost stopped')
  })
})

test('without the module everything goes on, and the log file has it', async t => {
  const server = await start(t, 'SQLite', false)
  await scenario(server, CAST, async ({ admin }) => {
    await run(admin, `${ADMIN}#end-user-session`, { accountjids: 'romeo@localhost' })
    await run(admin, `${ADMIN}#add-user`, {
      accountjid: 'x@localhost',
      password: 'ab',
      'password-verify': 'cd'
    })
  })
  const lines = server.log.filter(({ msg }) => msg?.startsWith('administration'))
  assert.deepEqual(
    lines.map(({ by, command, result }) => [by, command, result]),
    [
      ['admin@localhost', 'end-user-session', 'item-not-found'],
      ['admin@localhost', 'add-user', 'refused']
    ]
  )
})
