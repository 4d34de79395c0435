import assert from 'node:assert/strict'
import test from 'node:test'
import { el } from '../../core/xml/element'
import { startTestServer } from '../lib/server'
import { scenario } from '../lib/wire'

test('no stanza from elsewhere speaks in the name of a domain of ours', async t => {
  const server = await startTestServer(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    await juliet.sends('<presence/>')
    await juliet.forgets()
    const elsewhere = { kind: 's2s', name: 'evil.example' } as const
    for (const from of ['localhost', 'romeo@localhost', 'juliet@localhost/balcony']) {
      server.server.api.route(
        el('message', { from, to: 'juliet@localhost' }, el('body', null, 'trust me')),
        elsewhere
      )
    }
    await juliet.receivesNothing()
    server.server.api.route(
      el('message', { from: 'nurse@evil.example', to: 'juliet@localhost' }, el('body', null, 'hark')),
      elsewhere
    )
    await juliet.receives(`<message from='nurse@evil.example'><body>hark</body></message>`)
  })
  assert.deepEqual(server.errors(), [])
})
