import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childText } from '../../../core/xml/element'
import { join, scenario } from '../../lib/wire'
import { ADMIN, COMMANDS, execute, listed, notesOf, run, statusOf, submit } from '../mod_adhoc_admin/helpers'
import { CAST, message, says, startAnnouncing } from './helpers'

const NODES = ['announce', 'set-motd', 'edit-motd', 'delete-motd', 'set-welcome', 'delete-welcome'].map(
  name => `${ADMIN}#${name}`
)

test('XEP-0133 §3, §6: at the host and at the own account, listed to administrators alone', async t => {
  const server = await startAnnouncing(t)
  await scenario(server, CAST, async ({ admin, juliet }) => {
    for (const to of ['localhost', 'admin@localhost']) {
      const nodes = await listed(admin, to)
      for (const node of NODES) assert.ok(nodes.includes(node), `${node} at ${to}`)
    }
    for (const node of NODES) {
      assert.equal(statusOf(await execute(juliet, node)), 'forbidden')
      // Who administers one host says nothing on another
      assert.equal(statusOf(await execute(admin, node, 'other')), 'forbidden')
    }
    assert.deepEqual(
      (await listed(juliet, 'localhost')).filter(node => NODES.includes(node)),
      []
    )
  })
})

test('XEP-0133 §4.23: to every user who has a session, once to each resource that takes messages', async t => {
  const server = await startAnnouncing(t)
  await server.addUser('absent@localhost', 'a password for tests')
  const cast = {
    ...CAST,
    second: { jid: 'juliet@localhost/chamber', presence: true },
    // Nothing of hers takes messages for the account (RFC 6121 §8.5.2.1), and there she is (§8.5.3.1)
    robot: { jid: 'nurse@localhost/robot' },
    silent: { jid: 'romeo@localhost/silent' },
    stranger: { jid: 'iago@other/far', presence: true }
  }
  await scenario(server, cast, async ({ admin, juliet, second, robot, silent, stranger }) => {
    await robot.sends('<presence><priority>-1</priority></presence>')
    await robot.finds(`<presence from='nurse@localhost/robot' type='!'/>`)
    for (const player of [juliet, second]) await player.forgets()
    const answer = await says(admin, 'announce', ['Attention!', 'Please log off now.'])
    assert.equal(statusOf(answer), 'completed')
    // the administrator too
    assert.deepEqual(notesOf(answer), ['info: Sent to 4 users.'])
    const text = 'Attention!\nPlease log off now.'
    await juliet.receives(message('juliet@localhost', text))
    await second.receives(message('juliet@localhost', text))
    await robot.receives(message('nurse@localhost/robot', text))
    await silent.receives(message('romeo@localhost/silent', text))
    await admin.receives(message('admin@localhost/globe', text))
    await stranger.receivesNothing()
    for (const player of [juliet, second, robot, silent, admin]) await player.receivesNothing()
  })
  // Kept for nobody
  await scenario(server, { absent: { jid: 'absent@localhost', presence: true } }, async ({ absent }) => {
    await absent.receivesNothing()
  })
  const act = server.log.find(line => line.command === 'announce')
  assert.equal(`${act?.by} ${act?.on} ${act?.result}`, 'admin@localhost localhost done')
})

test('XEP-0133 §4.23, XEP-0334 §4.2: who goes away meanwhile does not find it at the next login', async t => {
  const server = await startAnnouncing(t)
  await scenario(server, CAST, async ({ admin, juliet }) => {
    await juliet.sends(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
    await juliet.receives(`<enabled xmlns='urn:xmpp:sm:3'/>`)
    juliet.destroy()
    await admin.fence()
    await says(admin, 'announce', 'now or never')
    await admin.finds(`<message><body>now or never</body></message>`)
  })
  // The stream is over and gives back what was not acknowledged
  await server.restart()
  await scenario(server, { juliet: CAST.juliet }, ({ juliet }) => juliet.receivesNothing())
})

test('XEP-0334 §4.2: who sends what is not to be kept does not learn who is there', async t => {
  const server = await startAnnouncing(t)
  await server.addUser('juliet@localhost', 'a password for tests')
  await scenario(
    server,
    { iago: 'iago@other' },
    async ({ iago }) => {
      for (const type of ['normal', 'chat'])
        await iago.sends(
          `<message to='juliet@localhost' type='${type}'><body>Hm</body><no-store xmlns='urn:xmpp:hints'/></message>`
        )
      await iago.receivesNothing()
    },
    { hosts: ['localhost'] }
  )
  await scenario(server, { juliet: CAST.juliet }, ({ juliet }) => juliet.receivesNothing())
})

test('XEP-0133 §4.23: the language is that of whoever wrote it; the subject can be changed', async t => {
  const server = await startAnnouncing(t, { announce: { announcementSubject: 'Bekanntmachung' } })
  await scenario(server, CAST, async ({ admin, juliet }) => {
    const begun = await admin.request(
      `<iq type='set' to='localhost' xml:lang='de'><command xmlns='${COMMANDS}' node='${ADMIN}#announce'/></iq>`
    )
    await submit(admin, begun, { announcement: 'Gleich ist Feierabend' })
    await juliet.receives(
      `<message from='localhost' to='juliet@localhost' type='normal' xml:lang='de' id='*' t:exact='yes'>
        <subject>Bekanntmachung</subject><body>Gleich ist Feierabend</body><no-store xmlns='urn:xmpp:hints'/></message>`
    )
  })
})

test('XEP-0133 §4.23: nothing, too much, and what XML has no place for', async t => {
  const server = await startAnnouncing(t, { announce: { maxLength: 100, announcementSubject: '' } })
  await scenario(server, CAST, async ({ admin, juliet }) => {
    const begun = await execute(admin, `${ADMIN}#announce`)
    for (const wrong of ['', ' ', ['', ' ', ''], 'x'.repeat(101)]) {
      const answer = await submit(admin, begun, { announcement: wrong })
      assert.equal(statusOf(answer), 'executing')
      assert.match(notesOf(answer)[0] ?? '', /^error: announcement: /)
    }
    assert.match(notesOf(await submit(admin, begun, {}))[0] ?? '', /^error: announcement: /)
    assert.equal(
      statusOf(await submit(admin, begun, { announcement: ['', '  a', '', ' b ', ''] })),
      'completed'
    )
    const received = await juliet.next('the announcement')
    assert.equal(childText(received, 'body'), '  a\n\n b')
    assert.equal(childOf(received, 'subject'), undefined)
    await juliet.receivesNothing()
  })
})

test('XEP-0133 §4.23: many are told in slices, each once', async t => {
  const server = await startAnnouncing(t)
  const host = server.server.domains.get('localhost')
  assert.ok(host)
  const admin = await join(server, 'admin', CAST.admin)
  t.after(() => admin.destroy())
  // Sessions that only count what is sent to them
  const got = new Map<string, number>()
  const real = host.sessions.get('admin', 'globe')
  for (let i = 0; i < 1000; i++) {
    const count = (): unknown => got.set(`u${i}`, (got.get(`u${i}`) ?? 0) + 1)
    const fake = { state: { priority: 0 }, send: count, close: () => undefined, hibernating: false }
    host.sessions.add(`u${i}`, 'r', fake as unknown as NonNullable<typeof real>)
  }
  const answer = await run(admin, `${ADMIN}#announce`, { announcement: 'all of you' })
  assert.deepEqual(notesOf(answer), ['info: Sent to 1001 users.'])
  assert.equal(got.size, 1000)
  assert.ok([...got.values()].every(times => times === 1))
  for (let i = 0; i < 1000; i++) {
    const fake = host.sessions.get(`u${i}`, 'r')
    if (fake) host.sessions.remove(`u${i}`, 'r', fake)
  }
})
