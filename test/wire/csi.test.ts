import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf } from '../../core/xml/element'
import { cut, enable, managedHost, reconnect, resume, SM } from '../lib/smacks'
import { startTestServer } from '../lib/server'
import { join, scenario, type Player } from '../lib/wire'

/*
 * XEP-0352: clients that nobody looks at.
 */

const CSI = 'urn:xmpp:csi:0'
const JULIET = 'juliet@localhost/balcony'
const ROMEO = 'romeo@localhost/garden'
const ACTIVE = `<active xmlns='${CSI}'/>`
const INACTIVE = `<inactive xmlns='${CSI}'/>`
const STATES = 'http://jabber.org/protocol/chatstates'

const withCsi = (csi: Record<string, unknown> = {}) => managedHost({}, { csi })

const state = (name: string, more = '') =>
  `<message to='${JULIET}' type='chat'><${name} xmlns='${STATES}'/>${more}</message>`
const chat = (body: string) => `<message to='${JULIET}' type='chat'><body>${body}</body></message>`
const news = (node: string) =>
  `<message to='${JULIET}' type='headline'>` +
  `<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='${node}'/></event></message>`

/** Waits until the server knows, and has sent what it sends for it. */
async function says(client: Player, state: string): Promise<void> {
  client.write(state)
  await client.fence()
  client.unread.length = 0
}

test('XEP-0352 §4.1: offered after authentication, where the module is', async t => {
  const server = await startTestServer(t, withCsi())
  await join(server, 'juliet', { jid: JULIET })
  const client = await reconnect(server, 'juliet')
  assert.ok(client.features && childOf(client.features, 'csi', CSI))
  client.destroy()
})

test('without the module an indication changes nothing: it may have been unloaded since it was offered', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await says(juliet, INACTIVE)
    await romeo.sends(news('a'))
    await juliet.receives(`<message type='headline'/>`)
    juliet.write(`<frozen xmlns='${CSI}'/>`)
    await juliet.isClosed()
  })
})

test('§3.2: presence waits, the last of each sender; requests do not', async t => {
  const server = await startTestServer(t, withCsi())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    juliet.write(INACTIVE)
    await juliet.fence()
    for (const show of ['away', 'dnd', 'xa'])
      await romeo.sends(`<presence to='${JULIET}'><show>${show}</show></presence>`)
    await romeo.fence()
    // An answer is sent and takes with it what waits, so this is looked at only once
    assert.deepEqual(juliet.unread, [])
    juliet.write(ACTIVE)
    await juliet.receives(`<presence from='${ROMEO}'><show>xa</show></presence>`)
    await juliet.receivesNothing()
  })
})

test('§5: what is sent takes with it what waits, in order', async t => {
  const server = await startTestServer(t, withCsi())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await says(juliet, INACTIVE)
    await romeo.sends(`<presence to='${JULIET}'><show>away</show></presence>`)
    await romeo.sends(state('composing'))
    await romeo.sends(news('a'))
    await romeo.sends(news('b'))
    await romeo.sends(state('paused', '<thread>t</thread>'))
    await romeo.sends(`<presence to='${JULIET}' type='unavailable'/>`)
    await romeo.sends(chat('hear me'))
    await juliet.receives(
      `<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='a'/></event></message>`
    )
    await juliet.receives(
      `<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='b'/></event></message>`
    )
    await juliet.receives(`<message><paused xmlns='${STATES}'/></message>`)
    await juliet.receives(`<presence type='unavailable' from='${ROMEO}'/>`)
    await juliet.receives('<message><body>hear me</body></message>')
    // It is inactive still
    await romeo.sends(news('c'))
    await romeo.fence()
    assert.deepEqual(juliet.unread, [])
    juliet.write(ACTIVE)
    await juliet.receives(
      `<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='c'/></event></message>`
    )
    await romeo.sends(news('d'))
    await juliet.receives(
      `<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='d'/></event></message>`
    )
  })
})

test('§5.1: an indication takes effect before what is sent behind it', async t => {
  const server = await startTestServer(t, withCsi())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await says(juliet, INACTIVE)
    await romeo.sends(news('a'))
    await romeo.fence()
    juliet.write(`${ACTIVE}<iq type='get' to='localhost' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await juliet.receives(`<message type='headline'/>`)
    await juliet.receives(`<iq id='p' type='result'/>`)
  })
})

test('what cannot wait: bodies, receipts, what is encrypted, errors, subscriptions, iqs', async t => {
  const server = await startTestServer(t, withCsi())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await says(juliet, INACTIVE)
    for (const stanza of [
      chat('body'),
      `<message to='${JULIET}' type='chat'><received xmlns='urn:xmpp:receipts' id='x'/></message>`,
      `<message to='${JULIET}' type='chat'><encrypted xmlns='urn:xmpp:omemo:2'/></message>`,
      state('active', '<body>both</body>'),
      `<message to='${JULIET}' type='error'><error type='cancel'/></message>`,
      `<message to='${JULIET}' type='headline'><body>news for people</body></message>`,
      `<presence to='${JULIET}' type='error'/>`,
      `<iq to='${JULIET}' type='result' id='r'/>`
    ]) {
      await romeo.sends(stanza)
      await juliet.next(stanza)
    }
    await romeo.sends(`<presence to='juliet@localhost' type='subscribe'/>`)
    await romeo.fence()
  })
})

test('what waits has a bound: then all of it is sent', async t => {
  const server = await startTestServer(t, withCsi({ stanzas: 3 }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await says(juliet, INACTIVE)
    await romeo.sends(news('a'))
    await romeo.sends(news('b'))
    await romeo.fence()
    assert.deepEqual(juliet.unread, [])
    await romeo.sends(news('c'))
    for (let n = 0; n < 3; n++) await juliet.receives(`<message type='headline'/>`)
    await romeo.sends(news(`big-${'x'.repeat(2000)}`))
    await romeo.fence()
    assert.deepEqual(juliet.unread, [])
  })
})

test('an operator decides', async t => {
  const server = await startTestServer(t, withCsi({ presence: 'now', chatStates: 'never', events: 'now' }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await says(juliet, INACTIVE)
    await romeo.sends(state('composing'))
    await romeo.sends(news('a'))
    await juliet.receives(`<message type='headline'/>`)
    await romeo.sends(`<presence to='${JULIET}'/>`)
    await juliet.receives('<presence/>')
    juliet.write(ACTIVE)
    await juliet.receivesNothing()
  })
})

test('XEP-0198: what waits is not sent and not counted; with the session it survives, and then is sent', async t => {
  const server = await startTestServer(t, withCsi())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    juliet.write(INACTIVE)
    const id = await enable(juliet)
    await romeo.sends(`<presence to='${JULIET}'><show>away</show></presence>`)
    await romeo.fence()
    await cut(server, juliet)
    await romeo.sends(`<presence to='${JULIET}'><show>xa</show></presence>`)
    await romeo.fence()
    const again = await reconnect(server, 'juliet')
    await resume(again, id, 0)
    await again.receives(`<presence from='${ROMEO}'><show>xa</show></presence>`)
    await again.receives(`<r xmlns='${SM}'/>`)
    again.write(`<a xmlns='${SM}' h='1'/>`)
    // §5.2: active again
    await romeo.sends(news('a'))
    await again.receives(`<message type='headline'/>`)
    again.destroy()
  })
})

test('the module is reloaded and unloaded: nothing that waits is lost', async t => {
  const server = await startTestServer(t, withCsi())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await says(juliet, INACTIVE)
    await romeo.sends(news('a'))
    await romeo.fence()
    const { modules } = server.server.api
    assert.equal((await modules.reload('csi')).ok, true)
    await romeo.sends(news('b'))
    await romeo.fence()
    assert.deepEqual(juliet.unread, [])
    assert.equal((await modules.unload('csi')).ok, true)
    await romeo.sends(news('c'))
    for (const node of ['a', 'b', 'c'])
      await juliet.receives(
        `<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='${node}'/></event></message>`
      )
  })
})
