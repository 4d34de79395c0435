// time limit: 300 s
import assert from 'node:assert/strict'
import test from 'node:test'
import { caller } from '../../../core/cli/caller'
import { TestClient } from '../../lib/client'
import { spawnTestServer } from '../../lib/spawn'
import { scenario } from '../../lib/wire'
import { ask } from './admin-commands'

test('an operator does the work of a day from the command line', async t => {
  const server = await spawnTestServer(t, {
    supervised: true,
    modules: { adhoc_admin: {}, announce: {}, audit: {}, server_buddy: {} }
  })
  const done = async (args: string[], input = ''): Promise<string> => {
    const { code, stdout, stderr } = await server.run(['admin', ...args], input)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    return stdout + stderr
  }
  const refused = async (args: string[], input = ''): Promise<string> => {
    const { code, stdout, stderr } = await server.run(['admin', ...args], input)
    assert.deepEqual([code, stdout], [1, ''])
    return stderr
  }

  await t.test('accounts: with a password from standard input, which then logs in', async () => {
    assert.equal(
      await done(['add-user', 'accountjid=nurse@localhost'], 'wherefore art thou\n'),
      'nurse@localhost was added\n'
    )
    const nurse = await TestClient.connect({ port: server.ports.tcp ?? 0, domain: 'localhost' })
    t.after(() => nurse.destroy())
    await nurse.login({ user: 'nurse', password: 'wherefore art thou' })
    assert.match(await done(['get-online-users-list', '--yes']), /:\n {2}nurse@localhost\n/)
    assert.match(
      await refused(['add-user', 'accountjid=nurse@localhost'], 'another one\n'),
      /nurse@localhost/
    )
    assert.match(
      await refused(['delete-user', 'accountjids=nobody@localhost']),
      /no account nobody@localhost/
    )
    const some = await server.run([
      'admin',
      'disable-user',
      'accountjids=nobody@localhost',
      'accountjids=nurse@localhost'
    ])
    assert.deepEqual([some.code, some.stdout], [0, ''], 'what was done to some is a warning')
    assert.equal(
      some.stderr,
      'nobody@localhost: there is no account nobody@localhost\nnurse@localhost was disabled\n'
    )
    assert.match(await done(['delete-user', 'accountjids=nurse@localhost']), /nurse@localhost was deleted/)
  })

  await t.test('sessions: announcements come, and a session ends', async () => {
    const cast = { juliet: { jid: 'juliet@localhost/balcony', presence: true } }
    await scenario(server, cast, async ({ juliet }) => {
      await done(['announce', 'announcement=A feast.', 'announcement=All come.'])
      await juliet.receives(`<message from='localhost'><body>A feast.\nAll come.</body></message>`)
      assert.equal(
        await done(['end-user-session', 'accountjids={juliet}'.replace('{juliet}', juliet.jid)]),
        `${juliet.jid} was disconnected\n`
      )
      await juliet.receives(
        `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
           <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
           <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>an administrator has ended this session</text></stream:error>`
      )
      await juliet.isClosed()
    })
  })

  await t.test('lists come in pages', async () => {
    for (let at = 10; at < 40; at++)
      await ask(server, 'user.add', { jid: `user${at}@localhost`, password: 'a password for tests' })
    const first = await server.run(['admin', 'get-registered-users-list', 'max_items=25', '--json'])
    const { form, notes } = JSON.parse(first.stdout) as {
      form: { fields: { registereduserjids: string[] } }
      notes: { text: string }[]
    }
    const jids = form.fields.registereduserjids
    assert.equal(jids.length, 25)
    assert.equal(first.stderr, `${notes[0]?.text}\n`)
    assert.match(first.stderr, /These are 25 of 31\./)
    const second = await done(['get-registered-users-list', 'max_items=25', `after=${jids.at(-1)}`])
    assert.match(second, /^The list of all users:\n( {2}user\d\d@localhost\n){6}$/)
  })

  await t.test('modules: also the one whose command it is', async () => {
    assert.match(
      await done(['module-reload', 'modules=adhoc_admin', 'modules=adhoc']),
      /adhoc_admin reloaded.*\nadhoc reloaded/
    )
    assert.match(await done(['modules-list']), /\nadhoc_admin +localhost +running +2\n/)
    assert.match(
      await done(['config-reload']),
      /The config was read again\.\nReport:\n {2}nothing has changed\n/
    )
  })

  await t.test('who did it is in the log and in the audit, with no password', async () => {
    const audit = await done(['audit', 'max_items=200'])
    const by = `local:${caller()}`.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    for (const line of [
      `${by} +add-user +nurse@localhost +done`,
      `${by} +add-user +nurse@localhost +conflict`,
      `${by} +delete-user +nurse@localhost +done`,
      `${by} +user\\.add +juliet@localhost +done`,
      `${by} +announce +`
    ])
      assert.match(audit, new RegExp(line))
    assert.match(await done(['audit', 'scope=server']), new RegExp(`${by} +module-reload +adhoc_admin +done`))
    assert.doesNotMatch(audit + server.output, /wherefore/)
    assert.match(
      server.output,
      new RegExp(`"by":"${by}","command":"delete-user","on":"nurse@localhost","result":"done"`)
    )
  })

  await t.test('a shutdown is planned, told of, and called off', async () => {
    assert.match(await done(['shutdown', 'delay=300']), /The shutdown is in 300 seconds/)
    assert.match(await done(['cancel-ending', '--help']), /This calls off the shutdown in \d+ seconds/)
    assert.match(await done(['cancel-ending', '--yes']), /is called off/)
    assert.match(await refused(['cancel-ending', '--yes']), /no restart and no shutdown is planned/)
  })
})
