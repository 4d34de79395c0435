import assert from 'node:assert/strict'
import test from 'node:test'
import { Abroad } from '../lib/abroad'
import { IM_HOST, testConfig, type Options, type TestServerOptions } from '../lib/config'
import { startTestServer, type TestServer } from '../lib/server'
import { scenario } from '../lib/wire'
import { NODES, runs } from '../modules/mod_server_buddy/hosts'

/** Channel hosts that share and accept only among buddies: their own, or those of another host of this server. */

const CHANNELS = 'channels.localhost'
const ITEMS = `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='/user/juliet@localhost/posts'/></pubsub>`

function channelServer(policy: Options, own: Options = {}): TestServerOptions {
  const admins = ['admin@localhost']
  return {
    hosts: {
      localhost: { admins, modules: { ...(IM_HOST.modules as object), server_buddy: {} } },
      [CHANNELS]: { type: 'component', admins, modules: { channels: {}, s2s_policy: policy, ...own } }
    }
  }
}

/** What a user of that domain gets who wants to read: `refused` by the policy, else an answer of the channels. */
async function reads(abroad: Abroad, domain: string): Promise<'refused' | 'answered'> {
  abroad.heard.length = 0
  await abroad.says(`<iq type='get' id='1' from='romeo@${domain}/x' to='${CHANNELS}'>${ITEMS}</iq>`)
  const answer = String(await abroad.finds(`<iq to='romeo@${domain}/x' id='1'/>`))
  return answer.includes('<policy-violation') ? 'refused' : 'answered'
}

async function becomes(server: TestServer, host: string, peer: string, types: string[]): Promise<void> {
  const abroad = new Abroad(server, host)
  for (const type of types) await abroad.says(`<presence from='${peer}' to='${host}' type='${type}'/>`)
}

test('`buddiesOf`: the channels are shared with the buddies of another host, as long as they are', async t => {
  const policy = { policy: 'buddies', buddiesOf: 'LOCALHOST' }
  const server = await startTestServer(t, channelServer(policy))
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server, CHANNELS)
    const { modules } = server.server.api
    assert.equal(await reads(abroad, 'peer.example'), 'refused')
    await runs(admin, 'localhost', NODES.request, { peerjid: 'peer.example' })
    assert.equal(await reads(abroad, 'peer.example'), 'refused')
    await becomes(server, 'localhost', 'peer.example', ['subscribed'])
    // One direction is not mutual: Prosody stays there
    assert.equal(await reads(abroad, 'peer.example'), 'refused')
    await becomes(server, 'localhost', 'peer.example', ['subscribe'])
    assert.equal(await reads(abroad, 'peer.example'), 'answered')
    assert.equal(await reads(abroad, 'stranger.example'), 'refused')
    assert.equal(await reads(abroad, 'sub.peer.example'), 'refused')

    for (const name of ['server_buddy', 's2s_policy']) {
      assert.equal((await modules.reload(name)).ok, true)
      assert.equal(await reads(abroad, 'peer.example'), 'answered', name)
    }
    assert.equal((await modules.unload('server_buddy', 'localhost')).ok, true)
    assert.equal(await reads(abroad, 'peer.example'), 'refused')
    assert.equal((await modules.load('server_buddy', 'localhost')).ok, true)
    assert.equal(await reads(abroad, 'peer.example'), 'answered')

    await runs(admin, 'localhost', NODES.remove, { peers: ['peer.example'], direction: 'from' })
    assert.equal(await reads(abroad, 'peer.example'), 'refused')
  })
  assert.deepEqual(server.errors(), [])
})

test('`buddiesOf`: follows the config; a host that is not there has no buddies', async t => {
  const options = (buddiesOf?: string): TestServerOptions =>
    channelServer(
      { policy: 'buddies', ...(buddiesOf === undefined ? {} : { buddiesOf }) },
      { server_buddy: { autoApprove: 'always' } }
    )
  const server = await startTestServer(t, options('localhost'))
  const configure = async (of?: string): Promise<void> => {
    server.writeConfig(await testConfig(options(of), `${server.folder}/data`))
    const { ok, lines } = await server.server.reloadConfig()
    assert.ok(ok, lines.join('\n'))
  }
  const abroad = new Abroad(server, CHANNELS)
  // A buddy of the channels' own: the other host's count
  await becomes(server, CHANNELS, 'own.example', ['subscribe', 'subscribed'])
  assert.equal(await reads(abroad, 'own.example'), 'refused')
  await configure()
  assert.equal(await reads(abroad, 'own.example'), 'answered')
  await configure('nowhere.localhost')
  assert.equal(await reads(abroad, 'own.example'), 'refused')
  assert.ok(server.log.some(({ msg }) => String(msg).startsWith('buddiesOf: this server has no such host')))
  await configure(CHANNELS)
  assert.equal(await reads(abroad, 'own.example'), 'answered')
})
