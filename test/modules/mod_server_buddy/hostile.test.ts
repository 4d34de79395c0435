import assert from 'node:assert/strict'
import test from 'node:test'
import { el } from '../../../core/xml/element'
import { Abroad } from '../../lib/abroad'
import { startTestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'
import { agrees, NODES, rosterOf, runs, twoHosts } from './hosts'

test('XEP-0133 §6: nobody but administrators sees or runs the commands', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { mallory: 'mallory@localhost/x' }, async ({ mallory }) => {
    const items = await mallory.request(
      `<iq type='get' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>`
    )
    assert.ok(!items.toString().includes('server-buddy'))
    for (const node of Object.values(NODES)) {
      const answer = (await runs(mallory, 'localhost', node)).toString()
      assert.match(answer, /<forbidden/, node)
    }
  })
})

test('a user who subscribes to the host is no server, and changes no roster', async t => {
  const server = await startTestServer(t, twoHosts({ autoApprove: 'always' }))
  await scenario(
    server,
    { mallory: 'mallory@localhost/x', admin: 'admin@localhost/y' },
    async ({ mallory, admin }) => {
      await mallory.sends(`<presence to='channels.localhost' type='subscribe'/>`)
      await mallory.fence('channels.localhost')
      await agrees(admin, 'channels.localhost', {})
    }
  )
})

test('a spoofed `from` ends the stream and changes nothing (RFC 6120 §8.1.2.1)', async t => {
  const server = await startTestServer(t, twoHosts({ autoApprove: 'always' }))
  await scenario(
    server,
    { mallory: 'mallory@localhost/x', admin: 'admin@localhost/y' },
    async ({ mallory, admin }) => {
      await mallory.sends(`<presence from='evil.example' to='channels.localhost' type='subscribe'/>`)
      await mallory.isClosed()
      await agrees(admin, 'channels.localhost', {})
    }
  )
})

test('`subscribed` that nobody asked for changes nothing', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    server.server.api.route(presence('evil.example', 'localhost', 'subscribed'), {
      kind: 's2s',
      name: 'evil.example'
    })
    await admin.fence()
    await agrees(admin, 'localhost', {})
  })
})

test('only what was authenticated counts: a request in the name of another domain is nobody’s', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    server.server.api.route(presence('good.example', 'localhost', 'subscribe'), {
      kind: 's2s',
      name: 'evil.example'
    })
    await admin.fence()
    await agrees(admin, 'localhost', {})
  })
})

test('requests that wait are bounded', async t => {
  const server = await startTestServer(t, twoHosts({ maxPending: 3 }))
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    for (let i = 0; i < 10; i++) {
      const name = `peer${i}.example`
      server.server.api.route(presence(name, 'channels.localhost', 'subscribe'), { kind: 's2s', name })
    }
    await admin.fence('channels.localhost')
    await admin.fence('channels.localhost')
    assert.equal(Object.keys(await rosterOf(admin, 'channels.localhost')).length, 3)
  })
})

test('above `maxBuddies` the policy approves nobody new: an administrator is asked', async t => {
  const server = await startTestServer(t, twoHosts({ autoApprove: 'always', maxBuddies: 2 }))
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server, 'channels.localhost')
    for (const peer of ['a.example', 'b.example', 'c.example', 'a.example', 'c.example'])
      await abroad.says(`<presence from='${peer}' to='channels.localhost' type='subscribe'/>`)
    await agrees(admin, 'channels.localhost', {
      'a.example': 'from out',
      'b.example': 'from out',
      'c.example': 'none in'
    })
  })
})

test('another policy leaves the requests that wait as they are, and listed', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server, 'channels.localhost')
    const asks = (peer: string): Promise<void> =>
      abroad.says(`<presence from='${peer}' to='channels.localhost' type='subscribe'/>`)
    await asks('a.example')
    for (const policy of ['always', 'listed', 'never', 'ask', 'file']) {
      await runs(admin, 'channels.localhost', NODES.policy, { policy })
      await agrees(admin, 'channels.localhost', { 'a.example': 'none in' })
      abroad.hears()
      const form = String(await runs(admin, 'channels.localhost', NODES.policy))
      assert.match(form, /Requests that wait already stay as they are: 1\./)
      assert.match(
        form,
        policy === 'file'
          ? /The config file decides/
          : /Set by admin@localhost on .*the config file says: ask/
      )
    }
    assert.match(
      String(await runs(admin, 'channels.localhost', NODES.pending)),
      /<option label="a\.example, since /
    )
    // Asked again, it is dealt with by the policy of the day
    await runs(admin, 'channels.localhost', NODES.policy, { policy: 'never' })
    await asks('a.example')
    abroad.hears(`<presence to='a.example' type='unsubscribed'/>`)
    await agrees(admin, 'channels.localhost', {})
  })
})

test('a form that names ourselves, an account or nothing is shown again with the reason', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    for (const peerjid of [
      'localhost',
      'LOCALHOST',
      'juliet@capulet.example',
      'capulet.example/x',
      '',
      'a b'
    ]) {
      const answer = (await runs(admin, 'localhost', NODES.request, { peerjid })).toString()
      assert.match(answer, /status="executing"/, peerjid)
      assert.match(answer, /<note type="error">peerjid/, peerjid)
    }
    await agrees(admin, 'localhost', {})
  })
})

function presence(from: string, to: string, type: string) {
  return el('presence', { from, to, type })
}
