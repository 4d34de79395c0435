import assert from 'node:assert/strict'
import test from 'node:test'
import { NS } from '../../core/xml/namespaces'
import { connected, TestComponent } from '../lib/component'
import { IM_HOST } from '../lib/config'
import { federation } from '../lib/federation'
import { startTestServer } from '../lib/server'
import { join } from '../lib/wire'

const SECRET = 'moves to the music'
const CHANNELS = 'channels.montague.example'
const ECHO = 'echo.montague.example'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const NODE = '/user/romeo@montague.example/posts'

/** Three servers: the people of two that federate, and the channels of one behind it. */
test('a component is reached from other servers, and reaches them', async t => {
  const component = { secret: SECRET, listen: [{ address: '127.0.0.1', port: 0 }] }
  const foreign = { type: 'component', modules: { component } }
  const servers = await federation(t, {
    'montague.example': { hosts: { 'montague.example': IM_HOST, [CHANNELS]: foreign, [ECHO]: foreign } },
    'capulet.example': {}
  })
  const { 'montague.example': home, 'capulet.example': far } = servers
  const port = home.server.components.listeners.ports()[0]?.port ?? 0
  const service = await startTestServer(t, {
    hosts: {
      [CHANNELS]: {
        type: 'component',
        modules: {
          channels: { accountDomains: ['montague.example'], topicDomains: [] },
          upstream: { port, secret: SECRET }
        }
      }
    },
    modules: { c2s: false, websocket: false },
    config: { http: { listen: [] } }
  })
  await connected(service, 1)
  const echo = await TestComponent.attach(t, port, ECHO, SECRET)
  const juliet = await join(far, 'juliet', { jid: 'juliet@capulet.example/balcony', presence: true })
  const romeo = await join(home, 'romeo', { jid: 'romeo@montague.example/garden' })
  t.after(() => {
    juliet.destroy()
    romeo.destroy()
  })

  juliet.send(`<message to='any@${ECHO}' id='1'><body>Art thou there?</body></message>`)
  await echo.receives(`<message from='${juliet.jid}' to='any@${ECHO}' id='1'/>`)
  echo.send(`<message from='any@${ECHO}' to='${juliet.jid}' id='2'><body>there</body></message>`)
  await juliet.receives(`<message from='any@${ECHO}' id='2'><body>there</body></message>`)
  const pong = await echo.request(
    `<iq type='get' from='${ECHO}' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>`
  )
  assert.equal(pong.attrs.type, 'result', String(pong))

  const registered = await romeo.request(
    `<iq type='set' to='${CHANNELS}'><query xmlns='jabber:iq:register'/></iq>`
  )
  assert.equal(registered.attrs.type, 'result', String(registered))
  const followed = await juliet.request(
    `<iq type='set' to='${CHANNELS}'><pubsub xmlns='${PUBSUB}'><subscribe node='${NODE}' jid='juliet@capulet.example'/></pubsub></iq>`
  )
  assert.equal(followed.attrs.type, 'result', String(followed))
  const posted = await romeo.request(
    `<iq type='set' to='${CHANNELS}'><pubsub xmlns='${PUBSUB}'><publish node='${NODE}'><item><entry xmlns='http://www.w3.org/2005/Atom'><content>But soft!</content></entry></item></publish></pubsub></iq>`
  )
  assert.equal(posted.attrs.type, 'result', String(posted))
  await juliet.finds(`<message from='${CHANNELS}' type='headline'><event xmlns='${PUBSUB}#event'/></message>`)
  // A personal channel is for the accounts of its own server
  const refused = await juliet.request(
    `<iq type='set' to='${CHANNELS}'><query xmlns='jabber:iq:register'/></iq>`
  )
  assert.equal(refused.attrs.type, 'error', String(refused))

  // Away, it is not there for other servers either
  await echo.close()
  const away = await juliet.request(`<iq type='get' to='${ECHO}'><ping xmlns='urn:xmpp:ping'/></iq>`)
  assert.match(String(away), new RegExp(`service-unavailable xmlns="${NS.STANZA_ERRORS}"`))
  for (const server of [home, far, service]) assert.deepEqual(server.errors(), [])
})
