import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { connected } from '../lib/component'
import { IM_HOST, testConfig } from '../lib/config'
import { startTestServer, type TestServer } from '../lib/server'
import { scenario, type Player } from '../lib/wire'

const CHANNELS = 'channels.localhost'
const TOPICS = 'topics.localhost'
const SECRET = 'moves to the music'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const NODE = '/user/juliet@localhost/posts'

function homeHosts(port = 0) {
  const component = {
    type: 'component',
    modules: {
      component: { secret: SECRET, listen: [{ address: '127.0.0.1', port }], queue: { seconds: 30 } }
    }
  }
  return { localhost: IM_HOST, [CHANNELS]: component, [TOPICS]: component }
}

/** A Balcony with people, which knows the channels as external components. */
function home(t: TestContext): Promise<TestServer> {
  return startTestServer(t, { hosts: homeHosts() })
}

/** A Balcony with channels and nothing else, attached to it. */
function service(t: TestContext, { server }: TestServer): Promise<TestServer> {
  return startTestServer(t, {
    hosts: {
      [CHANNELS]: {
        type: 'component',
        admins: ['juliet@localhost'],
        modules: {
          channels: { accountDomains: ['localhost'], topicDomains: [TOPICS] },
          recent_items: {},
          ratings: {},
          upstream: { port: server.components.listeners.ports()[0]?.port, secret: SECRET, domains: [TOPICS] }
        }
      }
    },
    modules: { c2s: false, websocket: false },
    config: { http: { listen: [] } }
  })
}

const publish = (body: string): string =>
  `<iq type='set' to='${CHANNELS}'><pubsub xmlns='${PUBSUB}'><publish node='${NODE}'><item><entry xmlns='http://www.w3.org/2005/Atom'><content>${body}</content></entry></item></publish></pubsub></iq>`

/** What the posts in the channel say, the newest first. */
async function bodies(player: Player): Promise<string[]> {
  const answer = await player.request(ITEMS)
  assert.equal(answer.attrs.type, 'result', String(answer))
  return [...String(answer).matchAll(/<content[^>]*>([^<]*)</g)].map(([, body = '']) => body)
}

const ITEMS = `<iq type='get' to='${CHANNELS}'><pubsub xmlns='${PUBSUB}'><items node='${NODE}'/></pubsub></iq>`

test('channels behind another Balcony: people notice nothing of where they are', async t => {
  const people = await home(t)
  const channels = await service(t, people)
  const cast = {
    juliet: { jid: 'juliet@localhost/balcony', presence: true },
    romeo: { jid: 'romeo@localhost/garden', presence: true }
  }
  await scenario(people, cast, async ({ juliet, romeo }) => {
    const services = await juliet.request(
      `<iq type='get' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
    )
    assert.match(String(services), new RegExp(CHANNELS))
    const registered = await juliet.request(
      `<iq type='set' to='${CHANNELS}'><query xmlns='jabber:iq:register'/></iq>`
    )
    assert.equal(registered.attrs.type, 'result', String(registered))
    const followed = await romeo.request(
      `<iq type='set' to='${CHANNELS}'><pubsub xmlns='${PUBSUB}'><subscribe node='${NODE}' jid='romeo@localhost'/></pubsub></iq>`
    )
    assert.equal(followed.attrs.type, 'result', String(followed))
    const posted = await juliet.request(publish('O Romeo, Romeo!'))
    assert.equal(posted.attrs.type, 'result', String(posted))
    await romeo.finds(
      `<message from='${CHANNELS}' type='headline'><event xmlns='${PUBSUB}#event'><items node='${NODE}'/></event></message>`
    )
    // Nobody speaks for somebody else
    const forged = await romeo.request(publish('I am Juliet'))
    assert.equal(forged.attrs.type, 'error', String(forged))

    // A topic channel, whose domain has a connection of its own
    const info = await juliet.request(
      `<iq type='get' to='${TOPICS}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
    )
    assert.match(String(info), new RegExp(CHANNELS))

    // The administrator of the channel host has an account elsewhere
    const commands = await juliet.request(
      `<iq type='get' to='${CHANNELS}'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>`
    )
    assert.equal(commands.attrs.type, 'result')

    // The service is started again: what was asked meanwhile waits for it
    await channels.stop()
    juliet.send(publish('Deny thy father').replace('<iq', `<iq id='meanwhile'`))
    await juliet.fence()
    await channels.start()
    await juliet.finds(`<iq type='result' id='meanwhile' from='${CHANNELS}'/>`)
    await romeo.finds(`<message from='${CHANNELS}' type='headline'/>`)
    assert.deepEqual(await bodies(juliet), ['Deny thy father', 'O Romeo, Romeo!'])
  })
  assert.deepEqual([...people.errors(), ...channels.errors()], [])
})

test('the home is started again: the service comes back by itself', async t => {
  const people = await home(t)
  const channels = await service(t, people)
  const before = people.server.components.listeners.ports()[0]?.port
  await scenario(people, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    await juliet.request(`<iq type='set' to='${CHANNELS}'><query xmlns='jabber:iq:register'/></iq>`)
    const posted = await juliet.request(publish('O Romeo, Romeo!'))
    assert.equal(posted.attrs.type, 'result', String(posted))
  })
  await connected(channels, 2)
  await people.stop()
  people.writeConfig(await testConfig({ hosts: homeHosts(before) }, `${people.folder}/data`))
  await people.start()
  await scenario(people, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    // It waits until the service is there
    assert.deepEqual(await bodies(juliet), ['O Romeo, Romeo!'])
  })
  await connected(channels, 2)
  assert.deepEqual([...people.errors(), ...channels.errors()], [])
})
