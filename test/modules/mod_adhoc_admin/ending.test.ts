// time limit: 200 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import test, { type TestContext } from 'node:test'
import { childOf, childrenOf } from '../../../core/xml/element'
import { IM_HOST } from '../../lib/config'
import { TestClient } from '../../lib/client'
import { spawnTestServer } from '../../lib/spawn'
import { startTestServer, type TestServer } from '../../lib/server'
import { PASSWORD, scenario } from '../../lib/wire'
import {
  ADMIN,
  COMMANDS,
  execute,
  fieldValues,
  listed,
  notesOf,
  OWN,
  resultOf,
  run,
  statusOf,
  submit
} from './helpers'

const RESTART = `${ADMIN}#restart`
const SHUTDOWN = `${ADMIN}#shutdown`
const CANCEL = `${OWN}#cancel-ending`
const CAST = { op: 'op@localhost/globe', juliet: { jid: 'juliet@localhost', presence: true } }
const SYSTEM_SHUTDOWN = `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
  <system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`

async function start(t: TestContext, restartedBy?: string): Promise<TestServer> {
  // Read when the server starts
  if (restartedBy === undefined) delete process.env.BALCONY_RESTARTED_BY
  else process.env.BALCONY_RESTARTED_BY = restartedBy
  const server = await startTestServer(t, {
    hosts: {
      localhost: { ...IM_HOST, admins: ['admin@localhost'] },
      other: IM_HOST,
      'channels.localhost': { type: 'component' }
    },
    modules: { adhoc_admin: {} },
    config: { operators: ['op@localhost'] }
  })
  await server.server.accounts.setPassword('op', 'localhost', PASSWORD)
  return server
}

const planned = ({ server }: TestServer) => server.ending.planned

test('XEP-0133 §4.30, §4.31: for operators alone, on hosts with accounts', async t => {
  const server = await start(t, 'a test')
  const cast = { ...CAST, admin: 'admin@localhost' }
  await scenario(server, cast, async ({ op, admin, juliet }) => {
    for (const node of [RESTART, SHUTDOWN, CANCEL]) {
      for (const player of [admin, juliet]) {
        assert.equal(statusOf(await execute(player, node)), 'forbidden')
        assert.ok(!(await listed(player, 'localhost')).includes(node))
      }
      for (const to of ['localhost', 'other', 'op@localhost'])
        assert.ok((await listed(op, to)).includes(node))
      // A component answers for itself (§3)
      assert.equal(statusOf(await execute(op, node, 'channels.localhost')), 'item-not-found')
    }
  })
  assert.equal(planned(server), undefined)
})

test('XEP-0133 §4.31: completed first, then all users of all hosts are told', async t => {
  const server = await start(t)
  const cast = { ...CAST, nurse: { jid: 'nurse@other', presence: true } }
  await scenario(server, cast, async ({ op, juliet, nurse }) => {
    const begun = await execute(op, SHUTDOWN)
    const { sessionid } = (childOf(begun, 'command') ?? begun).attrs
    await op.sends(
      `<iq type='set' to='localhost' id='now'><command xmlns='${COMMANDS}' node='${SHUTDOWN}' sessionid='${sessionid}'>
        <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${ADMIN}</value></field>
          <field var='delay'><value>120</value></field>
          <field var='announcement'><value>In 2 minutes!</value><value>Log off.</value></field></x></command></iq>`
    )
    await op.receives(`<iq type='result' id='now'><command xmlns='${COMMANDS}' status='completed'/></iq>`)
    const said = (from: string, to: string): string =>
      `<message from='${from}' to='${to}' type='normal'><body>In 2 minutes!\nLog off.</body></message>`
    await op.receives(said('localhost', 'op@localhost/globe'))
    await juliet.receives(said('localhost', 'juliet@localhost'))
    await nurse.receives(said('other', 'nurse@other'))
    const { kind, by, at } = planned(server) ?? {}
    assert.deepEqual({ kind, by }, { kind: 'shutdown', by: 'op@localhost' })
    assert.ok(Math.abs((at ?? 0) - Date.now() - 120_000) < 30_000)
    for (const player of [op, juliet, nurse]) await player.receivesNothing()
  })
  const act = server.log.find(line => line.command === 'shutdown')
  assert.deepEqual(
    { by: act?.by, on: act?.on, result: act?.result, detail: act?.detail },
    { by: 'op@localhost', on: 'server', result: 'done', detail: 'in 120 s' }
  )
})

test('XEP-0133 §4.31: without a delay it is the shortest, without an announcement nobody is told', async t => {
  const server = await start(t)
  await scenario(server, CAST, async ({ op, juliet }) => {
    const begun = await execute(op, SHUTDOWN)
    for (const delay of ['0', '31', '-30', 'soon', '300000']) {
      assert.match(notesOf(await submit(op, begun, { delay }))[0] ?? '', /^error: delay: /)
    }
    assert.match(notesOf(await submit(op, begun, { delay: ['30', '60'] }))[0] ?? '', /^error: delay: /)
    assert.deepEqual(notesOf(await submit(op, begun, {})), ['info: The shutdown is in 30 seconds.'])
    await op.receivesNothing()
    await juliet.receivesNothing()
  })
})

test('a second one replaces the first when the form has said so, and is a conflict when it has not', async t => {
  const server = await start(t, 'a test')
  const cast = { ...CAST, again: 'op@localhost/tavern' }
  await scenario(server, cast, async ({ op, again }) => {
    const early = await execute(again, SHUTDOWN, 'other')
    await run(op, RESTART, { delay: '300' })
    const first = planned(server)
    // The form of the other one was shown before
    assert.equal(statusOf(await submit(again, early, { delay: '30' })), 'conflict')
    assert.equal(planned(server), first)

    const begun = await execute(again, SHUTDOWN, 'other')
    const form = childOf(childOf(begun, 'command') ?? begun, 'x')
    const texts = childrenOf(form ?? begun, 'instructions').map(one => one.getText())
    assert.match(
      texts[1] ?? '',
      /takes the place of the restart in \d+ seconds that op@localhost has asked for/
    )
    const replaces = resultOf(begun, `{${OWN}}replaces`)
    assert.deepEqual(replaces, [first?.id])
    const answer = await submit(again, begun, { delay: '240', [`{${OWN}}replaces`]: replaces })
    assert.match(notesOf(answer)[0] ?? '', /^info: The shutdown is in 240 seconds, in place of the restart/)
    assert.equal(planned(server)?.kind, 'shutdown')
  })
})

test('it is called off, by another operator too, and all are told', async t => {
  const server = await start(t)
  await scenario(server, CAST, async ({ op, juliet }) => {
    assert.equal(statusOf(await execute(op, CANCEL)), 'item-not-found')
    await run(op, SHUTDOWN, { delay: '60' })
    const begun = await execute(op, CANCEL, 'other')
    const id = fieldValues(childOf(begun, 'command') ?? begun, 'planned')
    const answer = await submit(op, begun, { planned: id, announcement: 'False alarm.' })
    assert.match(notesOf(answer)[0] ?? '', /^info: The shutdown in \d+ seconds .* is called off\.$/)
    assert.equal(planned(server), undefined)
    await juliet.receives(`<message from='localhost'><body>False alarm.</body></message>`)

    // Another one has been asked for in the meantime
    await run(op, SHUTDOWN, { delay: '60' })
    const late = await execute(op, CANCEL)
    const old = fieldValues(childOf(late, 'command') ?? late, 'planned')
    server.server.ending.plan({ kind: 'shutdown', seconds: 90, by: 'another@localhost' })
    assert.equal(statusOf(await submit(op, late, { planned: old })), 'conflict')
    assert.equal(planned(server)?.by, 'another@localhost')
  })
})

test('it outlives the module that was asked for it', async t => {
  const server = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    await run(op, SHUTDOWN, { delay: '60' })
    await run(op, `${OWN}#module-reload`, { modules: 'adhoc_admin' })
    assert.equal(planned(server)?.kind, 'shutdown')
    assert.equal(statusOf(await execute(op, CANCEL)), 'executing')
  })
})

test('XEP-0133 §5: internal-server-error where nothing would start it again, or its config has faults', async t => {
  const alone = await start(t)
  await scenario(alone, { op: CAST.op }, async ({ op }) => {
    const answer = await execute(op, RESTART)
    assert.equal(statusOf(answer), 'internal-server-error')
    assert.match(String(answer), /nothing would start this server again/)
    assert.throws(() => alone.server.ending.plan({ kind: 'restart', seconds: 30, by: 'x' }), {
      code: 'ERR_NO_RESTART'
    })
  })
  const act = alone.log.find(line => line.command === 'restart')
  assert.equal(act?.result, 'failed')

  const watched = await start(t, 'a test')
  await scenario(watched, { op: CAST.op }, async ({ op }) => {
    const begun = await execute(op, RESTART)
    fs.appendFileSync(watched.configFile, '\nnonsense: 1\n')
    const answer = await submit(op, begun, { delay: '30' })
    assert.equal(statusOf(answer), 'internal-server-error')
    assert.match(String(answer), /nonsense/)
    assert.equal(planned(watched), undefined)
  })
})

for (const kind of ['shutdown', 'restart'] as const) {
  test(`XEP-0133 §4.30, §4.31: ${kind}: streams end with system-shutdown, whatever module is there by then`, async t => {
    const server = await start(t, 'a test')
    await scenario(server, CAST, async ({ op, juliet }) => {
      server.server.ending.plan({ kind, seconds: 0.05, by: 'op@localhost' })
      for (const player of [op, juliet]) {
        await player.receives(SYSTEM_SHUTDOWN)
        await player.isClosed()
      }
      assert.equal(server.server.restarting, kind === 'restart')
      assert.throws(() => server.server.ending.plan({ kind, seconds: 30, by: 'x' }), { code: 'ERR_STOPPING' })
    })
    assert.ok(server.log.some(({ msg }) => msg === `stopping: ${kind} by op@localhost`))
  })
}

test('XEP-0133 §4.30: no restart when the config has faults by then', async t => {
  const server = await start(t, 'a test')
  await scenario(server, CAST, async ({ op, juliet }) => {
    fs.appendFileSync(server.configFile, '\nnonsense: 1\n')
    server.server.ending.plan({ kind: 'restart', seconds: 0.01, by: 'op@localhost' })
    for (let tries = 0; server.errors().length === 0; tries++) {
      assert.ok(tries < 10_000)
      await juliet.fence()
    }
    assert.match(server.errors()[0]?.msg ?? '', /no restart by op@localhost.*\n.*nonsense/)
    assert.equal(planned(server), undefined)
    assert.equal(statusOf(await execute(op, SHUTDOWN)), 'executing')
  })
})

test('XEP-0133 §4.30: what `npm start` runs is started again', { timeout: 180_000 }, async t => {
  delete process.env.BALCONY_RESTARTED_BY
  const server = await spawnTestServer(t, {
    supervised: true,
    hosts: { localhost: IM_HOST },
    modules: { adhoc_admin: {} },
    config: { operators: ['op@localhost'] }
  })
  await server.run(['user', 'password', 'op@localhost'], `${PASSWORD}\n`)
  const parent = server.pid
  const where = { port: server.ports.tcp as number, domain: 'localhost', name: 'op' }
  // It is half a minute at least
  const op = await TestClient.connect({ ...where, timeout: 90_000 })
  t.after(() => op.destroy())
  await op.login({ user: 'op', password: PASSWORD })
  assert.equal(statusOf(await run(op, RESTART, { delay: '30', announcement: 'Soon.' })), 'completed')
  await op.receives(`<message from='localhost'><body>Soon.</body></message>`)
  await op.receives(SYSTEM_SHUTDOWN)
  await op.isClosed()
  await server.isUp()
  assert.equal(server.pid, parent)
  assert.match(server.output, /restart by op@localhost/)
  assert.doesNotMatch(server.output, /ended with code/)
  const again = await TestClient.connect(where)
  t.after(() => again.destroy())
  await again.login({ user: 'op', password: PASSWORD })
  // Nothing is left of it
  assert.equal(statusOf(await execute(again, CANCEL)), 'item-not-found')
})
