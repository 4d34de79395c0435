import assert from 'node:assert/strict'
import test from 'node:test'
import { forEachDatabase } from '../../lib/databases'
import { startTestServer } from '../../lib/server'
import { join, PASSWORD, scenario } from '../../lib/wire'

forEachDatabase(database => {
  test(`XEP-0160 §3: what is kept for an account is bounded in bytes too, and comes whole (${database})`, async t => {
    const server = await startTestServer(t, { database })
    await server.addUser('juliet@localhost', PASSWORD)
    const body = 'x'.repeat(200_000)
    await scenario(server, { mallory: 'mallory@localhost', romeo: 'romeo@localhost' }, async players => {
      const { mallory, romeo } = players
      for (let i = 0; i < 60; i++) {
        mallory.send(`<message id='m${i}' to='juliet@localhost' type='chat'><body>${body}</body></message>`)
      }
      await mallory.fence()
      const refused = mallory.unread.filter(stanza => stanza.attrs.type === 'error')
      assert.equal(refused.length, 50)
      await romeo.sends(`<message to='juliet@localhost' type='chat'><body>hail</body></message>`)
      await romeo.receivesNothing()
    })
    const juliet = await join(server, 'juliet', { jid: 'juliet@localhost', presence: true })
    t.after(() => juliet.destroy())
    for (let i = 0; i < 10; i++) await juliet.receives(`<message id='m${i}'/>`)
    await juliet.receives(`<message><body>hail</body></message>`)
  })
})
