// time limit: 300 s
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { TestCa } from '../lib/ca'
import { connected, failedBy } from '../lib/component'
import { TestDns } from '../lib/dns'
import { Ejabberd, ejabberdMissing, PORTS, Prosody, prosodyMissing } from '../lib/peers'
import type { Peer, PeerOptions } from '../lib/peers'
import { startTestServer, type TestServer } from '../lib/server'
import { scenario } from '../lib/wire'
import { PYTHON, runs } from './child'
import { STORY_PASSWORDS } from './story-server'

const CHANNELS = 'channels.localhost'
const TOPICS = 'topics.localhost'
const SECRET = 'moves to the music'

const slixmppMissing =
  spawnSync(PYTHON, ['-c', 'import slixmpp']).status === 0
    ? (false as const)
    : "slixmpp is not installed (Debian's python3-slixmpp)"

/** Lets slixmpp live a phase of the story; returns its lines. */
async function lives(phase: string, settings: object): Promise<string> {
  const { code, stdout, all } = await runs([PYTHON, path.join(__dirname, 'story.py'), phase], settings)
  assert.equal(code, 0, `${phase}:\n${all}`)
  return stdout
}

type Start = (t: TestContext, options: PeerOptions) => Promise<Peer>

const PEERS: [name: string, missing: string | false, start: Start][] = [
  ['Prosody', prosodyMissing, (t, options) => Prosody.start(t, options)],
  ['ejabberd', ejabberdMissing, (t, options) => Ejabberd.start(t, options)]
]

/** The other server, with the people of the story. */
async function home(t: TestContext, start: Start, globalRoutes = false): Promise<Peer> {
  const components = { [CHANNELS]: SECRET, [TOPICS]: SECRET }
  const dns = await TestDns.start(t)
  const ca = await TestCa.make()
  const peer = await start(t, { domain: 'localhost', dns, ca, components, globalRoutes })
  for (const [jid, password] of Object.entries(STORY_PASSWORDS)) await peer.addUser(jid, password)
  return peer
}

/** As config/component.example.yaml has it. */
function channels(t: TestContext, peer: Peer, secret = SECRET): Promise<TestServer> {
  const upstream = { server: peer.host, port: PORTS.component, secret, domains: [TOPICS], retrySeconds: 2 }
  return startTestServer(t, {
    hosts: {
      [CHANNELS]: {
        type: 'component',
        admins: ['admin@localhost'],
        modules: {
          channels: { accountDomains: ['localhost'], topicDomains: [TOPICS] },
          recent_items: {},
          ratings: {},
          server_buddy: {},
          upstream
        }
      }
    },
    modules: { c2s: false, websocket: false, adhoc_admin: {} },
    config: { http: { listen: [] } }
  })
}

for (const [name, missing, start] of PEERS) {
  test(`the story, with the channels behind ${name}`, { skip: missing || slixmppMissing }, async t => {
    const peer = await home(t, start, true)
    const server = await channels(t, peer)
    await connected(server, 2)
    const settings = { host: peer.host, ports: peer.ports, passwords: STORY_PASSWORDS, tls: '1.3' }
    await t.test('people chat', async () => {
      assert.match(await lives('chat', settings), /ok they chat/)
    })
    await t.test('a channel', async () => {
      assert.match(await lives('channels', settings), /ok romeo asks for recent items/)
    })
    await t.test('its administrator has an account there', async () => {
      assert.match(await lives('abroad', settings), /ok a policy is changed/)
    })
    await t.test('it survives a restart, and one of the other server', async () => {
      await server.restart()
      await connected(server, 2)
      assert.match(await lives('posts', settings), /ok the posts have survived/)
      await peer.stop()
      await connected(server, 0)
      await peer.start()
      await connected(server, 2)
      assert.match(await lives('posts', settings), /ok the posts have survived/)
    })
    assert.deepEqual(server.errors(), [])
  })

  test(`${name}: discovery, addresses, order, a wrong secret`, { skip: missing }, async t => {
    const peer = await home(t, start)
    const server = await channels(t, peer, 'not the secret')
    await failedBy(server, /not-authorized/)
    await server.stop()
    const right = await channels(t, peer)
    await connected(right, 2)
    const cast = {
      juliet: {
        jid: 'juliet@localhost/balcony',
        password: STORY_PASSWORDS['juliet@localhost'] ?? '',
        mechanism: 'PLAIN'
      }
    }
    await scenario(peer, cast, async ({ juliet }) => {
      const services = await juliet.request(
        `<iq type='get' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
      )
      assert.match(String(services), /channels\.localhost/)
      const info = await juliet.request(
        `<iq type='get' to='${CHANNELS}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
      )
      assert.match(String(info), /category="pubsub"/)
      const topics = await juliet.request(
        `<iq type='get' to='${TOPICS}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
      )
      assert.match(String(topics), /channels\.localhost/)
      const nobody = await juliet.request(
        `<iq type='get' to='x@${CHANNELS}/y'><ping xmlns='urn:xmpp:ping'/></iq>`
      )
      assert.equal(nobody.attrs.type, 'error')
      for (let i = 0; i < 200; i++)
        juliet.send(`<iq type='get' id='o${i}' to='${CHANNELS}'><ping xmlns='urn:xmpp:ping'/></iq>`)
      for (let i = 0; i < 200; i++) await juliet.receives(`<iq type='result' id='o${i}' from='${CHANNELS}'/>`)
    })
    assert.deepEqual(right.errors(), [])
  })
}
