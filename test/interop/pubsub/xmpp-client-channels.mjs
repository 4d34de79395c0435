/* Channels by @xmpp/client: juliet's own, a topic with a moderator and a ban, and one for an evening. */
import {
  ATOM,
  assert,
  form,
  idsOf,
  lives,
  pageOf,
  refused,
  says,
  set,
  settings,
  valuesOf,
  xml
} from './person.mjs'

const THREAD = 'http://purl.org/syndication/thread/1.0'
const ACTIVITY = 'http://activitystrea.ms/spec/1.0/'
const REVIEW = 'http://activitystrea.ms/schema/1.0/review'
const BUDDYCLOUD = 'http://buddycloud.org/v1'
const HERS = '/user/juliet@localhost/'
const POSTS = `${HERS}posts`
const TOPIC = '/user/verona@topics.localhost/posts'

const entry = (content, ...more) => xml('entry', ATOM, xml('content', {}, content), ...more)
const replyTo = ref => xml('in-reply-to', { xmlns: THREAD, ref })
const rating = (id, stars) =>
  entry('', replyTo(id), xml('target', ACTIVITY, xml('id', {}, id)), xml('rating', REVIEW, stars))
const config = values => xml('configure', {}, form('node_config', values))
const withId = id => items => items.getChild('item')?.attrs.id === id

await lives(settings.channels, async (juliet, romeo, benvolio, tybalt) => {
  assert.ok((await juliet.disco('info')).getChildByAttr('type', 'channels'))
  const host = (await juliet.disco('items', undefined, 'topics.localhost')).getChild('item')
  assert.equal(host.attrs.jid, settings.channels)
  await juliet.iq('set', xml('query', 'jabber:iq:register'))
  await juliet.decides(
    xml('configure', { node: POSTS }, form('node_config', { 'pubsub#title': 'The balcony' }))
  )
  const metadata = valuesOf((await romeo.disco('info', `${HERS}mood`)).getChild('x'))
  assert.deepEqual(
    [metadata['pubsub#title'], metadata['buddycloud#channel_type']],
    ['The balcony', 'personal']
  )
  says('juliet has a channel, and gives it a title')

  for (const person of [romeo, benvolio])
    assert.equal((await person.subscribe(POSTS)).subscription, 'subscribed')
  const post = await juliet.publish(POSTS, entry('O Romeo, Romeo!'))
  assert.ok(post.startsWith(`tag:${settings.channels},${POSTS},`), post)
  const heard = (await romeo.hears('items', POSTS)).getChild('item')
  assert.equal(heard.attrs.id, post)
  assert.equal(heard.getChild('entry', ATOM).getChild('author').getChildText('name'), juliet.bare)
  await refused(romeo.publish(POSTS, entry('I take thee', replyTo(post))), 'forbidden')
  await juliet.affiliate(POSTS, romeo, 'publisher')
  const reply = await romeo.publish(POSTS, entry('I take thee at thy word', replyTo(post)))
  await benvolio.hears('items', POSTS, withId(reply))
  await refused(romeo.publish(`${HERS}status`, entry('hers')), 'forbidden')
  await romeo.publish(POSTS, rating(post, '5.0'))
  await refused(romeo.publish(POSTS, rating(post, '5')), 'bad-request', 'item-already-rated')
  says('she posts; he may write, replies and rates')

  const more = []
  for (let n = 0; n < 12; n++) more.unshift(await juliet.publish(POSTS, entry(`line ${n}`)))
  const first = await benvolio.items(POSTS, {}, [], set({ max: '10' }))
  assert.deepEqual(first.ids, more.slice(0, 10))
  const rest = await benvolio.items(POSTS, {}, [], set({ max: '10', after: first.page.last }))
  assert.deepEqual(rest.ids.slice(0, 2), more.slice(10))
  assert.equal(rest.ids.at(-1), post)
  const since = { xmlns: BUDDYCLOUD, since: '2020-01-01T00:00:00Z', max: '30' }
  const recent = await romeo.get(xml('recent-items', since), set({ max: '5' }))
  assert.deepEqual(idsOf(recent), more.slice(0, 5))
  const next = await romeo.get(xml('recent-items', since), set({ max: '5', after: pageOf(recent).last }))
  assert.deepEqual(idsOf(next), more.slice(5, 10))
  const parents = await romeo.get(xml('recent-items', { ...since, 'parent-only': 'true' }))
  assert.deepEqual(idsOf(parents), [...more, post])
  const replies = await romeo.get(xml('replies', { xmlns: BUDDYCLOUD, node: POSTS, item_id: post }))
  assert.ok(idsOf(replies).includes(reply))
  const threads = await romeo.get(xml('threads', { xmlns: BUDDYCLOUD, node: POSTS }), set({ max: '4' }))
  assert.equal(threads.getChildren('thread').length, 4)
  says('items, recent items, replies and threads are read, page by page')
  await juliet.set(xml('retract', { node: POSTS }, xml('item', { id: post })))
  await benvolio.hears('items', POSTS, items => items.getChildByAttr('id', post)?.is('retract'))
  says('a post goes, and all are told')

  await benvolio.set(
    xml('create', { node: TOPIC }),
    config({ 'pubsub#access_model': 'authorize', 'buddycloud#default_affiliation': 'publisher' })
  )
  await benvolio.affiliate(TOPIC, romeo, 'moderator')
  assert.equal((await tybalt.subscribe(TOPIC)).subscription, 'pending')
  const asked = valuesOf(await romeo.finds('the request', message => message.getChild('x', 'jabber:x:data')))
  const answer = form('subscribe_authorization', { ...asked, 'pubsub#allow': '1' })
  await romeo.xmpp.send(xml('message', { to: settings.channels }, answer))
  await tybalt.hears('subscription', TOPIC, one => one.attrs.subscription === 'subscribed')
  const rude = await tybalt.publish(TOPIC, entry('Boy, this shall not excuse'))
  await benvolio.hears('items', TOPIC, withId(rude))
  await romeo.affiliate(TOPIC, tybalt, 'outcast')
  await romeo.set(xml('retract', { node: TOPIC }, xml('item', { id: rude })))
  for (const act of [
    () => tybalt.items(TOPIC),
    () => tybalt.subscribe(TOPIC),
    () => tybalt.publish(TOPIC, entry('no'))
  ])
    await refused(act(), 'forbidden')
  await refused(romeo.decides(xml('delete', { node: TOPIC })), 'forbidden')
  await benvolio.decides(xml('delete', { node: TOPIC }))
  says('a topic channel: the moderator approves, bans and cleans up, the owner closes it')

  const made = await juliet.set(xml('create'), config({ 'buddycloud#ephemeral': '1' }))
  const { node } = made.getChild('create').attrs
  await romeo.subscribe(node)
  const said = await romeo.publish(node, entry('Good night, good night!'))
  await juliet.hears('items', node, withId(said))
  await refused(juliet.decides(xml('delete', { node })), 'not-allowed', 'can-not-delete-ephemeral-node')
  await juliet.unsubscribe(node)
  await romeo.unsubscribe(node)
  await refused(juliet.items(node), 'item-not-found')
  says('an ephemeral channel goes with the last who leaves')

  await juliet.iq('set', xml('query', 'jabber:iq:register', xml('remove')))
  await romeo.hears('delete', POSTS)
  await refused(romeo.items(POSTS), 'item-not-found')
  says('juliet takes her channel away')
})
