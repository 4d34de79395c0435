import assert from 'node:assert/strict'
import test from 'node:test'
import { scenario } from '../../lib/wire'
import { execute, notesOf, OWN, rowsOf, run, startAdministered, statusOf, submit } from './helpers'

const LIST = `${OWN}#sessions-list`
const CAST = {
  admin: 'admin@localhost/globe',
  home: { jid: 'juliet@localhost/home', presence: true },
  away: { jid: 'juliet@localhost/away', transport: 'tls' },
  nurse: { jid: 'nurse@localhost/web', transport: 'ws' },
  stranger: 'romeo@other'
} as const

test('sessions are listed with address, time, TLS and stream management, those of the host alone', async t => {
  const server = await startAdministered(t)
  await server.server.manager.load('smacks', 'localhost')
  await scenario(server, CAST, async ({ admin, home, away, nurse }) => {
    assert.equal(statusOf(await execute(nurse, LIST)), 'forbidden')
    await home.sends(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
    await home.finds(`<enabled xmlns='urn:xmpp:sm:3'/>`)
    await away.fence()
    await nurse.fence()
    const rows = rowsOf(await run(admin, LIST, {}))
    assert.deepEqual(
      rows.map(row => `${row.jid} | ${row.ip} | ${row.security} | ${row.presence} | ${row.management}`),
      [
        'admin@localhost/globe | 127.0.0.1 | TCP, TLS | not available | no',
        'juliet@localhost/away | 127.0.0.1 | TCP, direct TLS | not available | no',
        'juliet@localhost/home | 127.0.0.1 | TCP, TLS | available, 0 | yes',
        'nurse@localhost/web | 127.0.0.1 | WebSocket, no TLS | not available | no'
      ]
    )
    for (const { since, idle } of rows) {
      assert.ok(Math.abs(Date.parse(since ?? '') - Date.now()) < 60_000)
      assert.match(idle ?? '', /^\d+$/)
    }
    home.destroy()
    const state = async (): Promise<string | undefined> =>
      rowsOf(await run(admin, LIST, { account: 'juliet@localhost' })).find(
        row => row.jid === 'juliet@localhost/home'
      )?.management
    const until = Date.now() + 20_000
    while ((await state()) === 'yes') assert.ok(Date.now() < until)
    assert.equal(await state(), 'without a connection, may come back')
  })
})

test('sessions come in pages, and of one account', async t => {
  const server = await startAdministered(t, { maxListed: 25 })
  const many = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [
      `p${i}`,
      `${i < 15 ? 'juliet' : 'nurse'}@localhost/r${String(i).padStart(2, '0')}`
    ])
  )
  await scenario(server, { admin: 'admin@localhost/globe', ...many }, async players => {
    const admin = players.admin
    assert.ok(admin)
    const first = await run(admin, LIST, { max_items: '25' })
    const jids = rowsOf(first).map(row => row.jid)
    assert.equal(jids.length, 25)
    assert.equal(jids[24], 'nurse@localhost/r23')
    assert.deepEqual(notesOf(first), [
      'warn: There are more. The next page is what comes after nurse@localhost/r23.'
    ])
    const second = await run(admin, LIST, { max_items: 'none', after: jids[24] })
    assert.deepEqual(
      rowsOf(second).map(row => row.jid),
      [24, 25, 26, 27, 28, 29].map(i => `nurse@localhost/r${i}`)
    )
    assert.deepEqual(notesOf(second), [])
    assert.deepEqual(
      rowsOf(await run(admin, LIST, { account: 'admin@localhost' })).map(row => row.jid),
      ['admin@localhost/globe']
    )
    assert.deepEqual(rowsOf(await run(admin, LIST, { account: 'nobody@localhost' })), [])
    const begun = await execute(admin, LIST)
    const wrong = [
      ['account', 'romeo@other'],
      ['after', 'localhost'],
      ['max_items', '7']
    ] as const
    for (const [field, value] of wrong)
      assert.equal(statusOf(await submit(admin, begun, { [field]: value })), 'executing')
  })
})
