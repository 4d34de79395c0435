import assert from 'node:assert/strict'
import test from 'node:test'
import type { StanzaEvent } from '../../../core/routing/event'
import { Abroad } from '../../lib/abroad'
import { startTestServer, type TestServer } from '../../lib/server'
import { scenario, type Player } from '../../lib/wire'
import { NODES, runs, twoHosts } from './hosts'

/** Presence of servers (XEP-0267 §1 by RFC 6121 §4), as peers and administrators see it. */

const says = (abroad: Abroad, peer: string, type = ''): Promise<void> =>
  abroad.says(`<presence from='${peer}' to='localhost'${type && ` type='${type}'`}/>`)

async function shown(admin: Player, peer: string): Promise<string | undefined> {
  const list = String(await runs(admin, 'localhost', NODES.list))
  const row = [...list.matchAll(/<item>.*?<\/item>/gs)]
    .map(([text]) => text)
    .find(text => text.includes(peer))
  return row && /<field var="presence">(?:<value>(.*?)<\/value>|<value\/>)/.exec(row)?.[1]
}

/** What the module tells of itself on the host. */
function told(server: TestServer): unknown[] {
  const host = server.server.domains.get('localhost')
  assert.ok(host)
  const heard: unknown[] = []
  const owner = { module: 'test', host: 'localhost', begin: () => undefined, end: () => undefined }
  host.hooks.add(
    'server_buddy/presence',
    (event: { domain: string; online: boolean }) => void heard.push([event.domain, event.online]),
    owner
  )
  host.hooks.add(
    'server_buddy/changed',
    (event: { domain: string; after?: { subscription: string } }) =>
      void heard.push([event.domain, event.after?.subscription]),
    owner
  )
  return heard
}

async function buddies(admin: Player, abroad: Abroad, peer: string): Promise<void> {
  await runs(admin, 'localhost', NODES.request, { peerjid: peer })
  await says(abroad, peer, 'subscribed')
  await says(abroad, peer, 'subscribe')
  abroad.heard.length = 0
}

test('a peer is shown online and away, since when; it outlives a swap and ends with the subscription', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server)
    const heard = told(server)
    await buddies(admin, abroad, 'peer.example')
    assert.equal(await shown(admin, 'peer.example'), 'not known')
    await says(abroad, 'peer.example')
    await says(abroad, 'peer.example')
    assert.match((await shown(admin, 'peer.example')) ?? '', /^online since \d{4}-/)
    assert.equal((await server.server.api.modules.reload('server_buddy')).ok, true)
    assert.match((await shown(admin, 'peer.example')) ?? '', /^online since \d{4}-/)
    await says(abroad, 'peer.example', 'unavailable')
    assert.match((await shown(admin, 'peer.example')) ?? '', /^away since \d{4}-/)
    // What cannot be brought to it says the same
    await says(abroad, 'peer.example')
    await abroad.says(
      `<presence from='peer.example' to='localhost' type='error'><error type='wait'>` +
        `<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`,
      'local',
      'localhost'
    )
    assert.match((await shown(admin, 'peer.example')) ?? '', /^away since \d{4}-/)
    await says(abroad, 'peer.example', 'unsubscribed')
    assert.equal(await shown(admin, 'peer.example'), undefined)
    // Of others nothing is kept
    await says(abroad, 'stranger.example')
    await says(abroad, 'peer.example')
    assert.deepEqual(heard, [
      ['peer.example', 'none'],
      ['peer.example', 'to'],
      // Asks in return, and is approved
      ['peer.example', 'to'],
      ['peer.example', 'both'],
      ['peer.example', true],
      ['peer.example', false],
      ['peer.example', true],
      ['peer.example', false],
      ['peer.example', 'from']
    ])
    abroad.hears()
  })
  assert.deepEqual(server.errors(), [])
})

test('RFC 6121 §4.3.2: a probe is answered to those who may know; who waits for a decision hears nothing', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server)
    await buddies(admin, abroad, 'peer.example')
    await says(abroad, 'peer.example', 'probe')
    abroad.hears(`<presence from='localhost' to='peer.example' type='!'/>`)
    await says(abroad, 'stranger.example', 'probe')
    abroad.hears(`<presence from='localhost' to='stranger.example' type='unsubscribed'/>`)
    await says(abroad, 'asks.example', 'subscribe')
    await says(abroad, 'asks.example', 'probe')
    abroad.hears()
    await runs(admin, 'localhost', NODES.request, { peerjid: 'asked.example' })
    await says(abroad, 'asked.example', 'subscribed')
    abroad.heard.length = 0
    await says(abroad, 'asked.example', 'probe')
    abroad.hears(`<presence from='localhost' to='asked.example' type='unsubscribed'/>`)
  })
})

test('presence of users and resources passes on, whatever it says', async t => {
  const server = await startTestServer(t, twoHosts({ autoApprove: 'always' }))
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server)
    const passed: string[] = []
    const host = server.server.domains.get('localhost')
    const owner = { module: 'test', host: 'localhost', begin: () => undefined, end: () => undefined }
    host?.hooks.add('presence/host', (event: StanzaEvent) => void passed.push(event.from.full), owner, {
      priority: -500
    })
    await buddies(admin, abroad, 'peer.example')
    for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'probe', 'unavailable', ''])
      for (const from of ['romeo@peer.example', 'peer.example/r'])
        await abroad.says(`<presence from='${from}' to='localhost'${type && ` type='${type}'`}/>`)
    assert.equal(passed.length, 14)
    assert.equal(await shown(admin, 'peer.example'), 'not known')
    assert.match(String(await runs(admin, 'localhost', NODES.list)), /<value>both<\/value>/)
  })
})
