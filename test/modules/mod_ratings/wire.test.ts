import assert from 'node:assert/strict'
import test from 'node:test'
import {
  ACTIVITY,
  affiliate,
  ATOM,
  count,
  does,
  entry,
  isRefused,
  items,
  onEachDatabase,
  play,
  POSTS,
  publish,
  rating,
  replyTo,
  retract,
  REVIEW,
  startChannels,
  tag,
  target,
  asks,
  PUBSUB
} from '../mod_channels/lib'

const BAD = 'modify bad-request'

onEachDatabase('ratings', database => {
  test('protoXEP §6.3.4: the errors of ratings, and what a rating becomes', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio }) => {
      await does(juliet, affiliate('romeo@localhost', 'publisher'))
      for (const id of ['one', 'two']) await does(juliet, publish(entry(id), { id }))
      await does(juliet, publish(entry('a comment', replyTo('one')), { id: 'comment' }))
      const review = (value: string): string => `<rating xmlns='${REVIEW}'>${value}</rating>`
      const atom = (inside: string): string => publish(`<entry xmlns='${ATOM}'>${inside}</entry>`)
      const cases: [string, string][] = [
        [atom(review('5')), 'missing-in-reply-to'],
        [atom(review('5') + target('one')), 'missing-in-reply-to'],
        [atom(review('5') + replyTo('one')), 'missing-target'],
        [atom(review('5') + replyTo('one') + target('')), 'missing-target-id'],
        [atom(review('5') + replyTo('none') + target('one')), 'parent-item-not-found'],
        [publish(rating('5', 'one', 'none')), 'targeted-item-not-found'],
        [publish(rating('5', 'one', 'two')), 'target-outside-thread'],
        [publish(rating('abc', 'one')), 'invalid-rating'],
        [publish(rating('4.1', 'one')), 'invalid-rating'],
        [publish(rating('', 'one')), 'invalid-rating'],
        [publish(rating('0', 'one')), 'rating-out-of-range'],
        [publish(rating('6.0', 'one')), 'rating-out-of-range'],
        [publish(rating('-1', 'one')), 'rating-out-of-range']
      ]
      for (const [request, code] of cases) await isRefused(romeo, request, `${BAD} ${code}`)
      // a rating needs the right that a reply needs
      await isRefused(benvolio, publish(rating('5', 'one')), 'auth forbidden')

      await does(romeo, publish(rating('5.0', 'one'), { id: 'first' }))
      await asks(
        romeo,
        items("max_items='1'"),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'><item id='${tag('first')}'><entry xmlns='${ATOM}'>
           <title>Rating</title><content type='text'>rating:5.0</content><verb xmlns='${ACTIVITY}'>rated</verb>
           <object xmlns='${ACTIVITY}'><object-type>comment</object-type></object>
           <target xmlns='${ACTIVITY}'><id>${tag('one')}</id><object-type>post</object-type></target>
           <rating xmlns='${REVIEW}'>5.0</rating></entry></item></items></pubsub></iq>`
      )
      await isRefused(romeo, publish(rating('4', 'one')), `${BAD} item-already-rated`)
      await isRefused(romeo, publish(rating('5', 'one', 'first')), `${BAD} invalid-rating-request`)
      await isRefused(romeo, publish(rating('3', 'one'), { id: 'first' }), 'modify not-acceptable')
      await isRefused(
        romeo,
        publish(entry('no rating', replyTo('one')), { id: 'first' }),
        'modify not-acceptable'
      )
      await isRefused(juliet, publish(rating('3', 'one'), { id: 'comment' }), 'modify not-acceptable')
      // each item by itself, each person by themselves
      await does(romeo, publish(rating('4', 'one', 'comment'), { id: 'second' }))
      await does(juliet, publish(rating('1', 'one')))
      // whatever the content says, a rating says what it is
      const talk = `<content>I love it</content><verb xmlns='${ACTIVITY}'>post</verb>`
      await does(romeo, atom(talk + review('2') + replyTo('two') + target('two')))
      await asks(
        romeo,
        items("max_items='1'"),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'><item><entry xmlns='${ATOM}'>
           <content>rating:2.0</content></entry></item></items></pubsub></iq>`
      )
      // it is changed by deleting it first
      await does(romeo, retract('first'))
      await does(romeo, publish(rating('1', 'one')))
      assert.equal(await count(server, 'channel_ratings'), 4)
      await does(juliet, retract('comment'))
      assert.equal(await count(server, 'channel_ratings'), 3)
      await isRefused(romeo, publish(rating('5', 'one', 'comment')), `${BAD} targeted-item-not-found`)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('one rating of a person for an item, however many come at once', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(juliet, affiliate('romeo@localhost', 'publisher'))
      await does(juliet, publish(entry('one'), { id: 'one' }))
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => romeo.request(publish(rating('5', 'one'), { id: `r${i}` })))
      )
      assert.equal(answers.filter(answer => answer.attrs.type === 'result').length, 1)
      for (const answer of answers) {
        if (answer.attrs.type === 'error') assert.match(String(answer), /item-already-rated/)
      }
      assert.equal(await count(server, 'channel_items'), 2)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('while the module is off a rating is refused, never a post; and it is gone with its post', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      for (const id of ['one', 'two']) await does(juliet, publish(entry(id), { id }))
      await does(juliet, publish(rating('5', 'one')))
      await does(juliet, publish(rating('5', 'two'), { id: 'rating' }))
      const { modules } = server.server.api
      assert.ok((await modules.unload('ratings')).ok)
      for (const value of ['5', 'abc']) {
        await isRefused(juliet, publish(rating(value, 'one')), 'cancel feature-not-implemented')
      }
      await isRefused(juliet, publish(rating('5', 'none')), 'cancel feature-not-implemented')
      await isRefused(juliet, publish(rating('5', 'two'), { id: 'rating' }), 'cancel feature-not-implemented')
      await does(juliet, retract('one'))
      assert.equal(await count(server, 'channel_ratings'), 1)
      assert.equal(await count(server, 'channel_items'), 2)
      assert.ok((await modules.load('ratings')).ok)
      await isRefused(juliet, publish(rating('4', 'two')), `${BAD} item-already-rated`)
    })
    assert.deepEqual(server.errors(), [])
  })
})
