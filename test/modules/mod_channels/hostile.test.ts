import assert from 'node:assert/strict'
import test from 'node:test'
import {
  ACTIVITY,
  affiliate,
  ATOM,
  BUDDYCLOUD,
  configure,
  create,
  does,
  entry,
  iq,
  items,
  JULIET,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  publish,
  PUBSUB,
  rating,
  register,
  replyTo,
  retract,
  SERVICE,
  startChannels,
  subscribe,
  tag,
  target,
  THREAD,
  TOPICS
} from './lib'

/** Requests that make no sense, each in its own way: every one is answered with an error, and nothing is stored. */
function nonsense(): string[] {
  const names = [
    '',
    '/',
    '/user/',
    '/user//posts',
    '/user/../posts',
    '/user/juliet@localhost/../posts',
    `/user/${'x'.repeat(1024)}@localhost/posts`,
    `/user/juliet@localhost/${'x'.repeat(4000)}`,
    '/user/juliet@localhost/posts/x',
    '/firehose',
    'tag:x,y,z'
  ]
  const attribute = (text: string): string => text.replaceAll('&', '&amp;').replaceAll("'", '&apos;')
  const requests: string[] = []
  for (const name of names.map(attribute)) {
    requests.push(
      publish(entry('x'), { to: name }),
      retract('x', name),
      subscribe('romeo@localhost', name),
      affiliate('benvolio@localhost', 'member', name),
      configure({ 'pubsub#title': 'x' }, name),
      create(name),
      items('', '', name),
      iq('get', `<subscriptions node='${name}'/>`, OWNER),
      iq('set', `<delete node='${name}'/>`, OWNER)
    )
  }
  for (const id of [
    '',
    'tag:',
    'tag:,,',
    `tag:${SERVICE},${POSTS},`,
    'x'.repeat(4000),
    'a,b',
    tag('x', 'nonsense')
  ]) {
    requests.push(retract(attribute(id)), publish(entry('x', replyTo(id))), publish(rating('5', id)))
  }
  const many = (count: number): string =>
    Array.from({ length: count }, (_, i) => `<affiliation jid='u${i}@localhost' affiliation='member'/>`).join(
      ''
    )
  requests.push(
    iq('set', `<affiliations node='${POSTS}'>${many(101)}</affiliations>`, OWNER),
    iq('set', `<affiliations node='${POSTS}'>${many(1)}${many(1)}</affiliations>`, OWNER),
    iq(
      'set',
      `<affiliations node='${POSTS}'><affiliation jid='not a jid@' affiliation='member'/></affiliations>`,
      OWNER
    ),
    iq(
      'set',
      `<affiliations node='${POSTS}'><affiliation jid='u@localhost/r' affiliation='member'/></affiliations>`,
      OWNER
    ),
    iq(
      'set',
      `<affiliations node='${POSTS}'><affiliation jid='u@localhost' affiliation='__proto__'/></affiliations>`,
      OWNER
    ),
    iq(
      'set',
      `<subscriptions node='${POSTS}'><subscription jid='u@localhost' subscription='constructor'/></subscriptions>`,
      OWNER
    ),
    iq(
      'get',
      `<items node='${POSTS}'>${Array.from({ length: 101 }, (_, i) => `<item id='${i}'/>`).join('')}</items>`
    ),
    iq('set', `<subscribe node='${POSTS}' jid='not a jid@'/>`),
    iq(
      'set',
      `<publish node='${POSTS}'><item>${entry('x')}</item></publish><retract node='${POSTS}'><item id='x'/></retract>`
    ),
    iq('set', `<items node='${POSTS}'/>`),
    iq('get', `<publish node='${POSTS}'><item>${entry('x')}</item></publish>`),
    iq('get', `<recent-items xmlns='${BUDDYCLOUD}' since='x' max='1'/>`),
    iq(
      'set',
      `<publish node='${POSTS}'><item>${entry('x')}</item></publish><actor xmlns='${BUDDYCLOUD}'>tybalt@localhost</actor>`
    ),
    `<iq type='set' to='${SERVICE}'><pubsub xmlns='${PUBSUB}#elsewhere'/></iq>`,
    `<iq type='set' to='juliet@${SERVICE}'><query xmlns='jabber:iq:register'/></iq>`,
    register('<remove/><remove/>'),
    publish(`<entry xmlns='${ATOM}'><content>${'<b/>'.repeat(100)}</content></entry>`),
    publish(`<entry xmlns='${ATOM}'><title>${'x'.repeat(5000)}</title><content>x</content></entry>`),
    publish(entry('x', `<in-reply-to xmlns='${THREAD}'/>`)),
    publish(entry('x', `${replyTo('a')}${replyTo('b')}`)),
    publish(entry('x', `${target('a')}${target('b')}`)),
    publish(`<entry xmlns='${ATOM}'><content src='https://evil.lit/x' type='text'/></entry>`),
    publish(
      `<entry xmlns='${ATOM}'><content type='xhtml'><div xmlns='${ACTIVITY}'>x</div></content></entry>`
    ),
    create(node(JULIET, 'posts')),
    create(node(`x@${SERVICE}`, 'posts')),
    create(node(`x@evil.${TOPICS}`, 'posts'))
  )
  return requests
}

onEachDatabase('bad input', database => {
  test('every request that makes no sense is answered with an error, and nothing comes of it', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const requests = nonsense()
      const answers = await Promise.all(requests.map(request => juliet.request(request)))
      answers.forEach((answer, i) =>
        assert.equal(answer.attrs.type, 'error', `${requests[i]}\n${String(answer)}`)
      )
      for (const answer of answers) assert.doesNotMatch(String(answer), /internal-server-error/)
      const listed = await romeo.request(items())
      assert.equal(listed.getChild('pubsub')?.getChild('items')?.children.length, 0)
      await does(juliet, publish(entry('still here')))
    })
    assert.deepEqual(server.errors(), [])
  })
})
