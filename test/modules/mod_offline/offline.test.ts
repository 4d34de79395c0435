import assert from 'node:assert/strict'
import test from 'node:test'
import { conditionOf } from '../../lib/client'
import { forEachDatabase } from '../../lib/databases'
import { startTestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'

const PASSWORD = 'a password for tests'

forEachDatabase(database => {
  test(`XEP-0160: what is kept comes once, in order, with the time it came, also after a restart (${database})`, async t => {
    const server = await startTestServer(t, { database })
    await server.addUser('juliet@localhost', PASSWORD)
    await scenario(server, { romeo: 'romeo@localhost/orchard' }, async ({ romeo }) => {
      for (let i = 0; i < 120; i++) {
        await romeo.sends(
          `<message to='juliet@localhost' type='chat' id='m${i}'><body>${i} &lt;ü&gt;</body></message>`
        )
      }
      await romeo.sends(
        `<message to='juliet@localhost' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
      )
      await romeo.sends(`<message to='juliet@localhost' type='headline'><body>news</body></message>`)
      await romeo.receivesNothing()
    })
    await server.restart()
    await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
      await juliet.sends('<presence><priority>-1</priority></presence>')
      await juliet.receives(`<presence from='juliet@localhost/balcony'/>`)
      await juliet.receivesNothing()
      await juliet.sends(`<presence type='unavailable'/>`)
      await juliet.sends('<presence/>')
      await juliet.receives(`<presence from='juliet@localhost/balcony'/>`)
      for (let i = 0; i < 120; i++) {
        await juliet.receives(
          `<message from='romeo@localhost/orchard' to='juliet@localhost' type='chat' id='m${i}'><body>${i} &lt;ü&gt;</body>` +
            `<delay xmlns='urn:xmpp:delay' from='localhost' stamp='*'/></message>`
        )
      }
      await juliet.receivesNothing()
    })
    await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
      await juliet.sends('<presence/>')
      await juliet.receives(`<presence from='juliet@localhost/balcony'/>`)
      await juliet.receivesNothing()
    })
  })
})

test('an account keeps as many messages as it may; the sender of the next is told', async t => {
  const server = await startTestServer(t, {
    hosts: {
      localhost: { modules: { saslauth: {}, roster: {}, presence: {}, message: {}, offline: { limit: 2 } } }
    }
  })
  await server.addUser('juliet@localhost', PASSWORD)
  await scenario(server, { romeo: 'romeo@localhost/orchard' }, async ({ romeo }) => {
    for (let i = 0; i < 3; i++)
      await romeo.sends(`<message to='juliet@localhost' id='m${i}'><body>${i}</body></message>`)
    const error = await romeo.receives(`<message type='error' id='m2'/>`)
    assert.equal(conditionOf(error), 'service-unavailable')
    await romeo.receivesNothing()
  })
})

test('what is kept goes with the account', async t => {
  const server = await startTestServer(t)
  await server.addUser('juliet@localhost', PASSWORD)
  await scenario(server, { romeo: 'romeo@localhost/orchard' }, async ({ romeo }) => {
    await romeo.sends(`<message to='juliet@localhost' id='m'><body>for the old juliet</body></message>`)
    await romeo.fence()
  })
  await server.server.accounts.remove('juliet', 'localhost')
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    await juliet.sends('<presence/>')
    await juliet.receives(`<presence from='juliet@localhost/balcony'/>`)
    await juliet.receivesNothing()
  })
})
