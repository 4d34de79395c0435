import test from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { startTestServer } from '../lib/server'
import { SpawnedServer, spawnTestServer } from '../lib/spawn'
import { join, Player, scenario } from '../lib/wire'

test('wire: a conversation between two clients', async t => {
  const server = await startTestServer(t)
  await scenario(
    server,
    { juliet: 'juliet@localhost/balcony', romeo: { jid: 'romeo@localhost/garden', presence: true } },
    async ({ juliet, romeo }) => {
      await juliet.sends(
        `<message to='{romeo}' type='chat' id='m1'><body>Art thou not Romeo?</body></message>`
      )
      await romeo.receives(
        `<message from='juliet@localhost/balcony' to='{romeo}' type='chat' id='m1'><body>Art thou not Romeo?</body></message>`
      )
      await romeo.sends(`<iq type='get' to='localhost' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>`)
      await romeo.receives(`<iq type='result' from='localhost' to='{romeo}' id='p1' t:exact='yes'/>`)
      await juliet.receivesNothing()
    }
  )
})

for (const transport of ['tcp', 'tls', 'ws'] as const)
  test(`wire: login over ${transport}`, async t => {
    const server = await startTestServer(t)
    const juliet = await join(server, 'juliet', { jid: 'juliet@localhost/x', transport })
    t.after(() => juliet.destroy())
    assert.equal(juliet.jid, 'juliet@localhost/x')
    assert.equal(juliet.channel.encrypted, transport !== 'ws')
    await juliet.close()
    assert.ok(juliet.ended)
  })

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`wire: STARTTLS with ${version}`, async t => {
    const server = await startTestServer(t, { tls: 'required' })
    const tls = { minVersion: version, maxVersion: version }
    const juliet = await join(server, 'juliet', { jid: 'juliet@localhost', tls })
    t.after(() => juliet.destroy())
    assert.equal(juliet.channel.tlsVersion, version)
  })

for (const mechanism of ['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256'])
  test(`wire: login by ${mechanism}, and with a wrong password`, async t => {
    const server = await startTestServer(t)
    const juliet = await join(server, 'juliet', { jid: 'juliet@localhost', mechanism })
    t.after(() => juliet.destroy())
    const port = server.ports.tcp ?? 0
    const thief = await new Player({ port, domain: 'localhost', name: 'the thief' }).connect()
    t.after(() => thief.destroy())
    await assert.rejects(
      thief.login({ user: 'juliet', password: 'no idea', mechanism }),
      /the thief: expected SASL's success, got:[^]*<not-authorized/
    )
  })

test('wire: a server keeps its data over a restart', async t => {
  const server = await startTestServer(t)
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    await juliet.sends(
      `<iq type='set' id='r1'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost' name='Nurse'/></query></iq>`
    )
    await juliet.finds(`<iq type='result' id='r1'/>`)
  })
  await server.restart()
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    const roster = await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    assert.match(roster.toString(), /Nurse/)
  })
  assert.deepEqual(server.errors(), [])
})

test('wire: a server in a process of its own is killed and comes back with what it had', async t => {
  const server = await spawnTestServer(t)
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    await juliet.sends(
      `<iq type='set' id='r1'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost' name='Nurse'/></query></iq>`
    )
    await juliet.finds(`<iq type='result' id='r1'/>`)
    const { pid } = server
    assert.equal(await server.kill('SIGKILL'), 'SIGKILL')
    await juliet.isClosed()
    await server.start()
    assert.notEqual(server.pid, pid)
  })
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    const roster = await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    assert.match(roster.toString(), /Nurse/)
  })
  const listed = await server.run(['user', 'list'])
  assert.match(listed.stdout, /juliet/)
  assert.equal(listed.code, 0)
  assert.equal(await server.stop(), 0)
})

test('wire: a server that cannot start says why', async t => {
  const server = new SpawnedServer({ modules: { gossip: {} } })
  t.after(() => fs.rmSync(server.folder, { recursive: true, force: true }))
  await assert.rejects(server.start(), /the server ended at its start:[^]*gossip: unknown module/)
})
