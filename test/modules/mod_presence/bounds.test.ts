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
