import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, type Element } from '../../../core/xml/element'
import { forEachDatabase } from '../../lib/databases'
import { startTestServer } from '../../lib/server'
import { scenario, type Player } from '../../lib/wire'
import { agrees, NODES, runs, twoHosts } from './hosts'

const FEATURE = 'urn:xmpp:server-presence'

forEachDatabase(database => {
  test(`XEP-0267: two hosts become buddies, and still are after a restart (${database})`, async t => {
    const server = await startTestServer(t, { ...twoHosts(), database })
    await scenario(server, { admin: 'admin@localhost/globe' }, async ({ admin }) => {
      await admin.sends('<presence/>')
      await admin.forgets()

      // §2, example 6
      const form = (await runs(admin, 'localhost', NODES.request)).toString()
      assert.match(form, /status="executing"/)
      assert.match(form, /<title>Subscribing to a Peer Server<\/title>/)
      assert.match(
        form,
        /<field var="peerjid" type="jid-single" label="The domain name of the peer server"><required\/>/
      )

      const done = await runs(admin, 'localhost', NODES.request, { peerjid: 'channels.localhost' })
      assert.match(done.toString(), /status="completed"/)
      // The administrators of the asked host are told.
      await admin.finds(`<message from='channels.localhost' type='normal'><body/></message>`)
      await agrees(admin, 'localhost', { 'channels.localhost': 'none out' })
      await agrees(admin, 'channels.localhost', { localhost: 'none in' })

      const approved = await runs(admin, 'channels.localhost', NODES.pending, {
        peers: ['localhost'],
        decision: 'approve',
        note: 'we know them'
      })
      assert.match(approved.toString(), /localhost was approved/)
      await admin.fence()
      // §1: the peer subscribes in return, and the originator approves that by itself.
      await agrees(admin, 'localhost', { 'channels.localhost': 'both' })
      await agrees(admin, 'channels.localhost', { localhost: 'both' })

      const policy = await runs(admin, 'channels.localhost', NODES.policy, { policy: 'always' })
      assert.match(policy.toString(), /The policy is: always/)
      const acts = server.log.filter(({ msg }) => msg === 'administration')
      assert.deepEqual(
        acts.map(({ by, command, on, result }) => [by, command, on, result]),
        [
          ['admin@localhost', 'server-buddy', 'channels.localhost', 'done'],
          ['admin@localhost', 'server-buddy-approve', 'localhost', 'done'],
          ['admin@localhost', 'server-buddy-policy', 'channels.localhost', 'done']
        ]
      )
    })

    await server.restart()
    await scenario(server, { admin: 'admin@localhost/globe' }, async ({ admin }) => {
      await agrees(admin, 'localhost', { 'channels.localhost': 'both' })
      await agrees(admin, 'channels.localhost', { localhost: 'both' })
      const policy = (await runs(admin, 'channels.localhost', NODES.policy)).toString()
      assert.match(policy, /<value>always<\/value>/)
    })
    assert.deepEqual(server.errors(), [])
  })
})

test('§1: with the policy "always" a request is approved, and returned', async t => {
  const server = await startTestServer(t, twoHosts({ autoApprove: 'always' }))
  await scenario(server, { admin: 'admin@localhost/globe' }, async ({ admin }) => {
    await runs(admin, 'localhost', NODES.request, { peerjid: 'channels.localhost' })
    await admin.fence()
    await agrees(admin, 'localhost', { 'channels.localhost': 'both' })
  })
})

test('§1: with the policy "never" a request is refused, and the asker says so', async t => {
  const server = await startTestServer(t, twoHosts({ autoApprove: 'never' }))
  await scenario(server, { admin: 'admin@localhost/globe' }, async ({ admin }) => {
    await runs(admin, 'localhost', NODES.request, { peerjid: 'channels.localhost' })
    await admin.fence()
    await agrees(admin, 'channels.localhost', {})
    await agrees(admin, 'localhost', { 'channels.localhost': 'none' })
    const list = (await runs(admin, 'localhost', NODES.list)).toString()
    assert.match(list, /refused by the peer/)
  })
})

test('"listed" approves the domains that are listed and asks about others', async t => {
  const server = await startTestServer(
    t,
    twoHosts({ autoApprove: 'listed', approve: ['*.example', 'LOCALHOST'] })
  )
  await scenario(server, { admin: 'admin@localhost/globe' }, async ({ admin }) => {
    await runs(admin, 'localhost', NODES.request, { peerjid: 'channels.localhost' })
    await admin.fence()
    await agrees(admin, 'channels.localhost', { localhost: 'both' })
  })
})

test('a request to a server that cannot be reached stays in the list, with the reason', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/globe' }, async ({ admin }) => {
    await runs(admin, 'localhost', NODES.request, { peerjid: 'nowhere.example' })
    await admin.fence()
    await agrees(admin, 'localhost', { 'nowhere.example': 'none out' })
    assert.match((await runs(admin, 'localhost', NODES.list)).toString(), /remote-server-not-found/)
  })
})

test('where several are decided on, each is reported; who is gone meanwhile is told', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/globe', nurse: 'admin@localhost/n' }, async players => {
    const { admin, nurse } = players
    await runs(admin, 'localhost', NODES.request, { peerjid: 'channels.localhost' })
    await agrees(admin, 'channels.localhost', { localhost: 'none in' })
    // Both have the form before them
    const [first, second] = await Promise.all(
      [admin, nurse].map(player => runs(player, 'channels.localhost', NODES.pending))
    )
    const decisions: [Player, Element | undefined, string][] = [
      [admin, first, 'approve'],
      [nurse, second, 'refuse']
    ]
    const answers = await Promise.all(
      decisions.map(([player, form, decision]) => submits(player, form as Element, decision))
    )
    const done = answers.filter(answer => />localhost was (?:approved|refused)/.test(answer))
    const late = answers.filter(answer => /item-not-found/.test(answer))
    assert.deepEqual([done.length, late.length], [1, 1], answers.join('\n'))
  })
})

function submits(player: Player, form: Element, decision: string): Promise<string> {
  const { node, sessionid } = (childOf(form, 'command') as Element).attrs
  const field = (name: string, value: string): string =>
    `<field var='${name}'><value>${value}</value></field>`
  return player
    .request(
      `<iq type='set' to='channels.localhost'><command xmlns='http://jabber.org/protocol/commands' node='${node}' sessionid='${sessionid}'>` +
        `<x xmlns='jabber:x:data' type='submit'>${field('FORM_TYPE', 'urn:balcony:admin')}` +
        `${field('peers', 'localhost')}${field('decision', decision)}</x></command></iq>`
    )
    .then(String)
}

test('refusing and removing reach the other side', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/globe' }, async ({ admin }) => {
    await runs(admin, 'localhost', NODES.request, { peerjid: 'channels.localhost' })
    await runs(admin, 'channels.localhost', NODES.pending, { peers: ['localhost'], decision: 'refuse' })
    await admin.fence()
    await agrees(admin, 'channels.localhost', {})
    await agrees(admin, 'localhost', { 'channels.localhost': 'none' })

    await runs(admin, 'localhost', NODES.request, { peerjid: 'channels.localhost' })
    await runs(admin, 'channels.localhost', NODES.pending, { peers: ['localhost'], decision: 'approve' })
    await admin.fence()
    await agrees(admin, 'localhost', { 'channels.localhost': 'both' })
    await runs(admin, 'localhost', NODES.remove, { peers: ['channels.localhost'] })
    await admin.fence()
    await agrees(admin, 'localhost', {})
    await agrees(admin, 'channels.localhost', {})
  })
})

test('§3: the feature is there exactly as long as the module is', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/globe' }, async ({ admin }) => {
    const info = async (): Promise<string> =>
      (
        await admin.request(
          `<iq type='get' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
        )
      ).toString()
    assert.ok((await info()).includes(FEATURE))
    assert.equal((await server.server.api.modules.unload('server_buddy', 'localhost')).ok, true)
    assert.ok(!(await info()).includes(FEATURE))
  })
})
