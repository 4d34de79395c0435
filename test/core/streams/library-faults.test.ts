import assert from 'node:assert'
import test from 'node:test'
import { el } from '../../../core/xml/element'
import { NS } from '../../../core/xml/namespaces'
import type { TestClient } from '../../lib/client'
import { endsWith, JULIET, rig } from './lib/rig'

/*
 * node-xmpp-server 2.2.7 creates our sessions. These are the faults that it is known for: streams that go through
 * it must not have them (docs/architecture.md).
 */

const plain = `<auth xmlns='${NS.SASL}' mechanism='PLAIN'>${Buffer.from('\0juliet\0r0m30myr0m30').toString('base64')}</auth>`

for (const transport of ['tcp', 'ws'] as const) {
  const start = async (t: test.TestContext, tls: 'required' | 'off' = 'off') =>
    rig(t, { webSocket: {}, settings: { tls: transport === 'ws' ? 'off' : tls } })

  test(`${transport}: an unknown SASL mechanism does not end the process`, async t => {
    const { connect } = await start(t)
    const juliet = await connect({ transport })
    await juliet.open()
    for (const mechanism of ['X-UNKNOWN', 'toString', '__proto__', '']) {
      juliet.write(`<auth xmlns='${NS.SASL}' mechanism='${mechanism}'/>`)
      await juliet.receives(`<failure xmlns='${NS.SASL}'><invalid-mechanism/></failure>`)
    }
    await juliet.authenticate(JULIET)
    await juliet.bind()
    await juliet.fence()
  })

  test(`${transport}: PLAIN is not taken before TLS`, async t => {
    const { connect, backend } = await start(t, 'required')
    const juliet = await connect({ transport })
    await juliet.open()
    juliet.write(plain)
    await juliet.receives(`<failure xmlns='${NS.SASL}'><encryption-required/></failure>`)
    assert.deepEqual(backend.told, [])
  })

  test(`${transport}: registration and other iqs are not answered before the login`, async t => {
    const { connect, backend } = await start(t)
    const juliet = await connect({ transport })
    await juliet.open()
    juliet.send(`<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>`)
    await endsWith(juliet, 'not-authorized')
    assert.deepEqual(backend.told, [])
  })

  test(`${transport}: the limit on the size of stanzas works`, async t => {
    const { login, backend } = await start(t)
    const juliet = await login('balcony', { transport })
    juliet.send(`<message><body>${'x'.repeat(300_000)}</body></message>`)
    await endsWith(juliet, 'policy-violation')
    assert.equal(backend.count('stanza'), 0)
  })

  test(`${transport}: XML that is none does not pass`, async t => {
    const { login, backend } = await start(t)
    const juliet = await login('balcony', { transport })
    juliet.write(`<message xmlns='jabber:client' id='a' id='b'>\u0001</message>`)
    await endsWith(juliet, 'not-well-formed')
    assert.equal(backend.count('stanza'), 0)
  })

  test(`${transport}: a stream identifier is used once`, async t => {
    const { connect } = await start(t)
    const ids: Array<string | undefined> = []
    for (let i = 0; i < 3; i++) {
      const juliet: TestClient = await connect({ transport })
      await juliet.open()
      ids.push(juliet.header?.id)
      await juliet.authenticate(JULIET)
      ids.push(juliet.header?.id)
    }
    assert.equal(new Set(ids).size, 6)
  })

  test(`${transport}: a stanza is serialised once`, async t => {
    const { login, backend } = await start(t)
    const juliet = await login('balcony', { transport })
    const session = backend.told.at(-1)?.session
    const message = el('message')
    let reads = 0
    Object.defineProperty(message.attrs, 'id', {
      enumerable: true,
      get: () => `read ${++reads} times`
    })
    session?.send(message)
    await juliet.receives(`<message id='read 1 times'/>`)
    assert.equal(reads, 1)
  })

  test(`${transport}: a bind does not touch what the stream is`, async t => {
    const { connect, backend } = await start(t)
    const juliet = await connect({ transport })
    await juliet.open()
    juliet.send(`<iq type='set' id='1'><bind xmlns='${NS.BIND}'><resource>x</resource></bind></iq>`)
    await endsWith(juliet, 'not-authorized')
    assert.deepEqual(backend.told, [])
  })
}

test('the library counts connections, and forgets them', async t => {
  const { listeners, login, connect } = await rig(t, { webSocket: {}, settings: { tls: 'off' } })
  const clients = [
    await login('a'),
    await login('b', { transport: 'ws' }),
    await connect({ transport: 'tls' })
  ]
  assert.equal(listeners.size, 3)
  for (const client of clients) client.destroy()
  while (listeners.size > 0) await new Promise(setImmediate)
  assert.deepEqual(listeners.streams(), [])
})
