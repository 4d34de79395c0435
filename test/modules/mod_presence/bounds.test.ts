import assert from 'node:assert/strict'
import test from 'node:test'
import { el } from '../../../core/xml/element'
import definition from '../../../modules/mod_presence'
import { startTestServer } from '../../lib/server'
import { join, PASSWORD, scenario } from '../../lib/wire'

test('RFC 6121 §3.1.3: long requests do not stand in the way of a login', async t => {
  const server = await startTestServer(t)
  await server.addUser('juliet@localhost', PASSWORD)
  const long = el('status', null, 'x'.repeat(200_000))
  const from = (i: number): string => `stranger${i}@elsewhere.example`
  for (let i = 0; i < 60; i++) {
    const request = el('presence', { from: from(i), to: 'juliet@localhost', type: 'subscribe' }, long)
    server.server.api.route(request, { kind: 's2s', name: 'elsewhere.example' })
  }
  // A later write of another client is committed after these
  await scenario(server, { nurse: 'nurse@localhost' }, async ({ nurse }) => {
    await nurse.request(
      `<iq type='set'><query xmlns='jabber:iq:roster'><item jid='a@localhost'/></query></iq>`
    )
  })
  const juliet = await join(server, 'juliet', { jid: 'juliet@localhost', presence: true })
  t.after(() => juliet.destroy())
  for (let i = 0; i < 60; i++) {
    const request = await juliet.receives(`<presence type='subscribe' to='juliet@localhost'/>`)
    assert.equal(request.children.length, 0)
  }
})

test('RFC 6121 §8.5.3.1: without the module nothing passes that it looks after', () => {
  for (const event of ['iq/full', 'pre-presence', 'presence/broadcast', 'presence/bare', 'presence/full']) {
    assert.ok(
      definition.guards?.some(guarded => guarded === event),
      event
    )
  }
})

const withBounds = (presence: object) => ({
  hosts: { localhost: { modules: { saslauth: {}, roster: {}, message: {}, presence } } }
})

test('XEP-0205 §4.9: what is broadcast beyond the rate of an account waits, and nothing behind it is lost', async t => {
  const server = await startTestServer(t, withBounds({ presencesPerMinute: 600 }))
  await scenario(
    server,
    { juliet: { jid: 'juliet@localhost', presence: true }, phone: 'juliet@localhost/phone' },
    async ({ juliet, phone }) => {
      const text = Array.from({ length: 610 }, (_, i) => `<presence id='${i}'/>`).join('')
      phone.write(`${text}<message to='${juliet.jid}' id='behind'/>`)
      for (let i = 0; i < 610; i++) await juliet.receives(`<presence from='${phone.jid}' id='${i}'/>`)
      await juliet.receives(`<message id='behind'/>`)
      await juliet.fence()
    }
  )
  assert.match(await server.server.metrics.text(), /balcony_presence_waits_total [1-9]/)
  assert.deepEqual(server.errors(), [])
})

test('XEP-0205 §4.8: an account may ask so many within an hour, and so many that have not answered', async t => {
  const server = await startTestServer(t, withBounds({ subscribesPerHour: 5, maxAsked: 3 }))
  await scenario(server, { mallory: 'mallory@localhost/x' }, async ({ mallory }) => {
    const refused = (id: string): string =>
      `<presence type='error' id='${id}'><error type='wait'>
        <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    for (const name of ['a', 'b', 'c']) mallory.write(`<presence type='subscribe' to='${name}@localhost'/>`)
    mallory.write(`<presence type='subscribe' to='d@localhost' id='4'/>`)
    await mallory.finds(refused('4'))
    // Whoever was asked already may be asked again
    mallory.write(`<presence type='subscribe' to='a@localhost' id='5'/>`)
    mallory.write(`<presence type='subscribe' to='a@localhost' id='6'/>`)
    await mallory.finds(refused('6'))
    mallory.write(`<presence type='unsubscribe' to='a@localhost'/>`)
    await mallory.fence()
  })
  assert.match(await server.server.metrics.text(), /balcony_subscribes_refused_total 2/)
})
