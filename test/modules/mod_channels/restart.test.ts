import assert from 'node:assert/strict'
import test from 'node:test'
import {
  affiliate,
  asks,
  ATOM,
  BUDDYCLOUD,
  configure,
  count,
  does,
  entry,
  iq,
  isRefused,
  items,
  onEachDatabase,
  play,
  POSTS,
  publish,
  PUBSUB,
  rating,
  retract,
  startChannels,
  subscribe,
  tag
} from './lib'

onEachDatabase('restart', database => {
  test('what was acknowledged is there after a restart', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, tybalt }) => {
      await does(juliet, configure({ 'pubsub#title': 'Musings', 'pubsub#access_model': 'authorize' }))
      await does(juliet, affiliate('romeo@localhost', 'publisher'))
      await does(romeo, subscribe('romeo@localhost'))
      await does(juliet, affiliate('tybalt@localhost', 'outcast'))
      await does(tybalt, iq('get', '<subscriptions/>'))
      for (const id of ['one', 'two']) await does(juliet, publish(entry(id), { id }))
      await does(romeo, publish(rating('5', 'one')))
      await does(juliet, retract('two'))
    })
    await server.restart()
    await play(server, async ({ juliet, romeo, tybalt }) => {
      await asks(
        romeo,
        items("parent-only='true'"),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}' t:ordered='yes'>
           <item id='${tag('one')}'><entry xmlns='${ATOM}'/></item>
           <item id='${tag('two')}'><deleted-entry xmlns='http://purl.org/atompub/tombstones/1.0'/></item></items></pubsub></iq>`
      )
      await isRefused(romeo, publish(rating('1', 'one')), 'modify bad-request item-already-rated')
      await isRefused(tybalt, subscribe('tybalt@localhost'), 'auth forbidden')
      await does(juliet, publish(entry('three'), { id: 'three' }))
      await romeo.finds(
        `<message><event xmlns='${PUBSUB}#event'><items node='${POSTS}'><item id='${tag('three')}'/></items></event></message>`
      )
      await asks(
        romeo,
        iq('get', `<recent-items xmlns='${BUDDYCLOUD}' since='2014' max='9' parent-only='true'/>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}' t:ordered='yes'>
           <item id='${tag('three')}'/><item id='${tag('one')}'/></items></pubsub></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('publications keep coming while the modules are reloaded: each is there once', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(romeo, subscribe('romeo@localhost'))
      await juliet.forgets()
      const { modules } = server.server.api
      const ids = Array.from({ length: 60 }, (_, i) => `n${i}`)
      const reload = async (): Promise<void> => {
        for (const name of ['recent_items', 'ratings', 'channels']) assert.ok((await modules.reload(name)).ok)
      }
      const reloads = reload().then(reload)
      // all under way at once, under the reloads
      const answers = await Promise.all(ids.map(id => juliet.request(publish(entry(id), { id }))))
      for (const answer of answers) assert.equal(answer.attrs.type, 'result', String(answer))
      await reloads
      assert.equal(await count(server, 'channel_items'), ids.length)
      await romeo.fence('channels.localhost')
      const got = romeo.unread.map(stanza => /item id="tag:[^"]*,(n\d+)"/.exec(String(stanza))?.[1])
      assert.deepEqual(
        got.filter(id => id !== undefined),
        ids
      )
    })
    assert.deepEqual(server.errors(), [])
  })
})
