import assert from 'node:assert/strict'
import test from 'node:test'
import { Abroad } from '../../lib/abroad'
import { startTestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'
import { agrees, NODES, runs, twoHosts } from './hosts'

/** Server buddies on other servers: what comes with real federation. */

const HOST = `from='localhost' to='peer.example'`
const PEER = `from='peer.example' to='localhost'`

test('presence at the start, a probe to whom we know, and a farewell before the streams end', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    let abroad = new Abroad(server)
    await runs(admin, 'localhost', NODES.request, { peerjid: 'peer.example' })
    await abroad.finds(`<presence ${HOST} type='subscribe'/>`)
    await abroad.says(`<presence ${PEER} type='subscribed'/>`)
    await abroad.says(`<presence ${PEER} type='subscribe'/>`)
    await agrees(admin, 'localhost', { 'peer.example': 'both' })
    abroad.hears(`<presence ${HOST} type='subscribed'/>`, `<presence ${HOST} type='!'/>`)

    // What the module offers is there again when it has been swapped
    assert.equal((await server.server.api.modules.reload('server_buddy')).ok, true)
    assert.deepEqual(
      server.server.domains.get('localhost')?.items.list('server-buddy'),
      [{ domain: 'peer.example', to: true, from: true, asked: false, asks: false }],
      'for other modules'
    )
    abroad.hears()

    await server.stop()
    abroad.hears(`<presence ${HOST} type='unavailable'/>`)
    await server.start()
    abroad = new Abroad(server)
    // Told once more when it is loaded again while the server runs, as at the start
    assert.equal((await server.server.api.modules.unload('server_buddy', 'localhost')).ok, true)
    abroad.hears(`<presence ${HOST} type='unavailable'/>`)
    assert.deepEqual(server.server.domains.get('localhost')?.items.list('server-buddy'), [])
    assert.equal((await server.server.api.modules.load('server_buddy', 'localhost')).ok, true)
    await abroad.finds(`<presence ${HOST} type='!'/>`)
    await abroad.finds(`<presence ${HOST} type='probe'/>`)
  })
  assert.deepEqual(server.errors(), [])
})

test('a request that bounces stays listed with its reason, and is not sent again by itself', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server)
    const bounce = (condition: string, type: string): string =>
      `<presence ${PEER} type='error'><error type='${type}'>` +
      `<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    await runs(admin, 'localhost', NODES.request, { peerjid: 'peer.example' })
    await abroad.finds(`<presence ${HOST} type='subscribe'/>`)
    // As core answers where it could not deliver
    await abroad.says(bounce('remote-server-timeout', 'wait'), 'local', 'localhost')
    await agrees(admin, 'localhost', { 'peer.example': 'none out' })
    assert.match(String(await runs(admin, 'localhost', NODES.list)), /problem: remote-server-timeout/)
    // As the peer answers
    await abroad.says(bounce('policy-violation', 'modify'))
    assert.match(String(await runs(admin, 'localhost', NODES.list)), /problem: policy-violation/)
    // As somebody else would like to
    await abroad.says(bounce('gone', 'cancel'), 's2s', 'evil.example')
    assert.match(String(await runs(admin, 'localhost', NODES.list)), /problem: policy-violation/)
    abroad.hears()

    await runs(admin, 'localhost', NODES.request, { peerjid: 'peer.example' })
    await abroad.finds(`<presence ${HOST} type='subscribe'/>`)
    assert.doesNotMatch(String(await runs(admin, 'localhost', NODES.list)), /problem/)
  })
})

test('a request counts only where core authenticated its domain: s2s, upstream, hosts of this server', async t => {
  const server = await startTestServer(t, twoHosts({ autoApprove: 'always' }))
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server, 'channels.localhost')
    const asks = (from: string): string =>
      `<presence from='${from}' to='channels.localhost' type='subscribe'/>`
    await abroad.says(asks('a.example'), 'component', 'b.example')
    await abroad.says(asks('b.example'), 's2s', 'a.example')
    await abroad.says(asks('user@c.example'), 's2s', 'c.example')
    await abroad.says(asks('d.example/resource'), 's2s', 'd.example')
    await agrees(admin, 'channels.localhost', {})
    await abroad.says(asks('e.example'), 's2s')
    await abroad.says(asks('f.example'), 'upstream', 'channels.localhost')
    await abroad.says(asks('g.example'), 'component')
    await agrees(admin, 'channels.localhost', {
      'e.example': 'from out',
      'f.example': 'from out',
      'g.example': 'from out'
    })
  })
})
