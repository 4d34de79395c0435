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

test('XEP-0160 §3: what is kept, by type and content', async t => {
  const server = await startTestServer(t)
  await server.addUser('juliet@localhost', PASSWORD)
  const state = `<composing xmlns='http://jabber.org/protocol/chatstates'/>`
  const receipt = `<received xmlns='urn:xmpp:receipts' id='r'/>`
  const kept = ['no-type', 'normal', 'chat', 'unknown', 'receipt', 'state-and-body']
  await scenario(server, { romeo: 'romeo@localhost/orchard' }, async ({ romeo }) => {
    const says = (id: string, type: string, content = '<body>hail</body>'): Promise<void> =>
      romeo.sends(
        `<message to='juliet@localhost' id='${id}' ${type && `type='${type}'`}>${content}</message>`
      )
    await says('no-type', '')
    await says('normal', 'normal')
    await says('chat', 'chat')
    // RFC 6121 §5.2.2: as if it were normal
    await says('unknown', 'birdcall')
    await says('receipt', 'chat', receipt)
    await says('state', 'chat', state)
    await says('state-in-thread', 'chat', `${state}<thread>t</thread>`)
    await says('state-and-body', 'chat', `${state}<body>hail</body>`)
    await says('headline', 'headline')
    await romeo.receivesNothing()
    await says('groupchat', 'groupchat')
    assert.equal(
      conditionOf(await romeo.receives(`<message type='error' id='groupchat'/>`)),
      'service-unavailable'
    )
  })
  await scenario(
    server,
    { juliet: { jid: 'juliet@localhost/balcony', presence: true } },
    async ({ juliet }) => {
      for (const id of kept) await juliet.receives(`<message id='${id}'/>`)
      await juliet.receivesNothing()
    }
  )
})

test('XEP-0160 §2: what is kept comes when a priority ceases to be negative', async t => {
  const server = await startTestServer(t)
  await server.addUser('juliet@localhost', PASSWORD)
  await scenario(server, { romeo: 'romeo@localhost/orchard' }, async ({ romeo }) => {
    await romeo.sends(`<message to='juliet@localhost'><body>hail</body></message>`)
    await romeo.fence()
  })
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (const priority of [-2, -1]) {
      await juliet.sends(`<presence><priority>${priority}</priority></presence>`)
      await juliet.receives(`<presence from='juliet@localhost/balcony'/>`)
      await juliet.receivesNothing()
    }
    await juliet.sends(`<presence><priority>1</priority></presence>`)
    await juliet.receives(`<presence from='juliet@localhost/balcony'/>`)
    await juliet.receives(`<message><body>hail</body></message>`)
    await juliet.receivesNothing()
  })
})
