import assert from 'node:assert/strict'
import test from 'node:test'
import type { Player } from '../../lib/wire'
import {
  ACTIVITY,
  affiliate,
  asks,
  ATOM,
  BUDDYCLOUD,
  does,
  entry,
  event,
  iq,
  isRefused,
  items,
  JULIET,
  node,
  onEachDatabase,
  play,
  POSTS,
  publish,
  PUBSUB,
  replyTo,
  retract,
  startChannels,
  subscribe,
  tag,
  target,
  THREAD,
  TOMBSTONE
} from './lib'

const XHTML = 'http://www.w3.org/1999/xhtml'
const BAD = 'modify bad-request'

/** The item that was made, by its payload. */
function published(id: string, inside: string): string {
  return event(
    `<items node='${POSTS}'><item id='${id}'><entry xmlns='${ATOM}'>${inside}</entry></item></items>`
  )
}

async function follows(player: Player, jid: string): Promise<void> {
  await does(player, subscribe(jid))
  await player.forgets()
}

onEachDatabase('publishing', database => {
  test('protoXEP §6.3: what is wrong with an entry is said by its code', async t => {
    const server = await startChannels(t, database, { channels: { itemBytes: 4000 } })
    await play(server, async ({ juliet }) => {
      await does(juliet, publish(entry('one'), { id: 'one' }))
      await does(juliet, publish(entry('two'), { id: 'two' }))
      await does(juliet, publish(entry('reply', replyTo('one')), { id: 'reply' }))
      const atom = (inside: string): string => publish(`<entry xmlns='${ATOM}'>${inside}</entry>`)
      const cases: [string, string][] = [
        [publish('<x xmlns="urn:x"/>'), `${BAD} entry-element-required`],
        [publish(`<feed xmlns='${ATOM}'/>`), `${BAD} entry-element-required`],
        [publish(''), `${BAD} entry-element-required`],
        [iq('set', `<publish node='${POSTS}'/>`), `${BAD} item-required`],
        [publish(`${entry('a')}${entry('b')}`), `${BAD} invalid-payload`],
        [
          iq(
            'set',
            `<publish node='${POSTS}'><item>${entry('a')}</item><item>${entry('b')}</item></publish>`
          ),
          'cancel not-allowed max-items-exceeded'
        ],
        [atom('<title>x</title>'), `${BAD} content-element-required`],
        [atom('<content> </content>'), `${BAD} content-element-required`],
        [atom('<content type="html">x</content>'), `${BAD} unsupported-content-type`],
        [atom('<content>a</content><content>b</content>'), `${BAD} invalid-payload`],
        [atom(`<content>${'x'.repeat(5000)}</content>`), 'modify not-acceptable payload-too-big'],
        [publish(entry('x', replyTo('none'))), `${BAD} parent-item-not-found`],
        [
          publish(entry('x', replyTo(tag('one', node('romeo@localhost', 'posts'))))),
          `${BAD} parent-item-not-found`
        ],
        [publish(entry('x', replyTo(`tag:evil.lit,${POSTS},one`))), `${BAD} parent-item-not-found`],
        [publish(entry('x', replyTo('reply'))), `${BAD} max-thread-depth-exceeded`],
        [publish(entry('x', target('one'))), `${BAD} missing-in-reply-to`],
        [publish(entry('x', target(''))), `${BAD} missing-target-id`],
        [publish(entry('x', replyTo('one') + target('none'))), `${BAD} targeted-item-not-found`],
        [publish(entry('x', replyTo('two') + target('reply'))), `${BAD} target-outside-thread`],
        [publish(entry('x', replyTo('one') + target('two'))), `${BAD} target-outside-thread`],
        [publish(entry('x'), { to: node(JULIET, 'nothing') }), 'cancel item-not-found'],
        [publish(entry('x'), { to: '/user/juliet@localhost' }), BAD],
        [iq('set', `<publish><item>${entry('x')}</item></publish>`), `${BAD} nodeid-required`]
      ]
      for (const [request, error] of cases) {
        await isRefused(juliet, request, error)
      }
      await isRefused(
        juliet,
        publish(entry('x'), { to: '/user/juliet@localhost/posts/..' }),
        `${BAD} invalid-node-format`,
        `${BUDDYCLOUD}/errors`
      )
      await asks(
        juliet,
        items("max_items='9'"),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}' t:ordered='yes'>
           <item id='${tag('reply')}'/><item id='${tag('two')}'/><item id='${tag('one')}'/></items></pubsub></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§6.3.1: ids are global everywhere; what the client claims about author and dates is replaced', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await follows(romeo, 'romeo@localhost')
      await juliet.forgets()
      const claims = `<id>tag:evil,x,y</id><published>9999-01-01T00:00:00Z</published><updated>9999-01-01T00:00:00Z</updated>
        <author><name>tybalt@localhost</name><uri>acct:tybalt@localhost</uri></author><verb xmlns='${ACTIVITY}'>rated</verb>
        <object xmlns='${ACTIVITY}'><object-type>comment</object-type></object>`
      const answer = (id: string): string =>
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><publish node='${POSTS}'><item id='${id}'/></publish></pubsub></iq>`
      await asks(juliet, publish(entry('x', claims), { id: 'mine' }), answer(tag('mine')))
      await romeo.receives(
        published(
          tag('mine'),
          `<id>${tag('mine')}</id><published>{when}</published><updated>{when}</updated>
           <author><name>juliet@localhost</name><uri>acct:juliet@localhost</uri></author>
           <verb xmlns='${ACTIVITY}'>post</verb><object xmlns='${ACTIVITY}'><object-type>note</object-type></object>`
        )
      )
      assert.ok(!(romeo.vars.get('when') ?? '9999').startsWith('9999'))
      // a name that cannot be a local part, or is somebody else’s, is not kept
      for (const id of [
        'a,b',
        'x'.repeat(129),
        'o\u0308',
        tag('x', node('romeo@localhost', 'posts')),
        `tag:evil,${POSTS},x`
      ]) {
        await asks(juliet, publish(entry('x'), { id }), answer('{given}'))
        const given = juliet.vars.get('given') ?? ''
        assert.match(given, /^tag:channels\.localhost,\/user\/juliet@localhost\/posts,[0-9a-f-]{36}$/)
        juliet.vars.delete('given')
      }
      // one that is its own is taken in either form, by any writing of the node
      const other = '/users/Juliet@LOCALHOST/posts'
      await asks(juliet, publish(entry('edited'), { id: tag('mine'), to: other }), answer(tag('mine')))
      for (const id of ['mine', tag('mine'), tag('mine', other)]) {
        await asks(
          romeo,
          iq('get', `<items node='${POSTS}'><item id='${id}'/></items>`),
          `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'><item id='${tag('mine')}'>
             <entry xmlns='${ATOM}'><content>edited</content><published>{when}</published></entry></item></items></pubsub></iq>`
        )
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('an edit keeps when it was published, and changes neither whose nor what an item is', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(juliet, affiliate('romeo@localhost', 'moderator'))
      await does(juliet, publish(entry('one'), { id: 'one' }))
      await does(juliet, publish(entry('two'), { id: 'two' }))
      await does(romeo, publish(entry('reply', replyTo('one')), { id: 'reply' }))
      await does(juliet, publish(entry('one, edited'), { id: 'one' }))
      await isRefused(romeo, publish(entry('one, by romeo'), { id: 'one' }), 'auth forbidden')
      await isRefused(
        juliet,
        publish(entry('now a reply', replyTo('two')), { id: 'one' }),
        'modify not-acceptable'
      )
      await isRefused(romeo, publish(entry('now a post'), { id: 'reply' }), 'modify not-acceptable')
      await isRefused(
        romeo,
        publish(entry('elsewhere', replyTo('two')), { id: 'reply' }),
        'modify not-acceptable'
      )
      await does(romeo, publish(entry('reply, edited', replyTo('one')), { id: 'reply' }))
      // what is edited is the newest (XEP-0060 §12.1), and its thread is where it was among the threads
      await asks(
        juliet,
        items(),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}' t:ordered='yes'>
           <item id='${tag('reply')}'><entry xmlns='${ATOM}'><content>reply, edited</content></entry></item>
           <item id='${tag('one')}'><entry xmlns='${ATOM}'><content>one, edited</content></entry></item>
           <item id='${tag('two')}'/></items></pubsub></iq>`
      )
      await does(juliet, retract('one'))
      await isRefused(juliet, publish(entry('risen'), { id: 'one' }), 'modify not-acceptable')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§6.2: a deleted post leaves a tombstone, and its replies go along', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio }) => {
      await does(juliet, affiliate('romeo@localhost', 'publisher'))
      await follows(benvolio, 'benvolio@localhost')
      await does(juliet, publish(entry('one'), { id: 'one' }))
      await does(juliet, publish(entry('two'), { id: 'two' }))
      await does(romeo, publish(entry('a', replyTo('one')), { id: 'a' }))
      await does(romeo, publish(entry('b', replyTo('one') + target('a')), { id: 'b' }))
      await benvolio.forgets()
      await isRefused(romeo, retract('one'), 'auth forbidden')
      await isRefused(romeo, retract('none'), 'cancel item-not-found')
      await isRefused(romeo, retract('tag:x,y'), `${BAD} global-id-error`, `${BUDDYCLOUD}/errors`)
      await isRefused(romeo, retract(tag('a', node('romeo@localhost', 'posts'))), 'cancel item-not-found')
      // a comment goes alone, though another one refers to it
      await does(romeo, retract(tag('a')))
      const tombstone = (id: string, more = ''): string =>
        `<retract id='${tag(id)}'/><item id='${tag(id)}'><deleted-entry xmlns='${TOMBSTONE}' when='*' ref='xmpp:channels.localhost?pubsub;action=retrieve;node=${POSTS};item=${tag(id)}'>
           <updated/><id xmlns='${ATOM}'>${tag(id)}</id><link xmlns='${ATOM}' rel='self'/><published xmlns='${ATOM}'/>${more}
           <object xmlns='${ACTIVITY}'/><verb xmlns='${ACTIVITY}'>post</verb></deleted-entry></item>`
      await benvolio.receives(
        event(
          `<items node='${POSTS}'>${tombstone('a', `<in-reply-to xmlns='${THREAD}' ref='${tag('one')}'/>`)}</items>`
        )
      )
      await does(juliet, retract('one'))
      await benvolio.receives(event(`<items node='${POSTS}'>${tombstone('one')}${tombstone('b')}</items>`))
      await isRefused(juliet, retract('one'), 'cancel item-not-found')
      await isRefused(juliet, publish(entry('x', replyTo('one'))), `${BAD} parent-item-not-found`)
      await asks(
        romeo,
        items(),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}' t:ordered='yes'>
           <item id='${tag('b')}'><deleted-entry xmlns='${TOMBSTONE}'/></item>
           <item id='${tag('a')}'><deleted-entry xmlns='${TOMBSTONE}'/></item>
           <item id='${tag('two')}'><entry xmlns='${ATOM}'/></item>
           <item id='${tag('one')}'><deleted-entry xmlns='${TOMBSTONE}'/></item></items></pubsub></iq>`
      )
      await asks(
        romeo,
        iq('get', `<items node='${POSTS}'><item id='a'/><item id='nothing'/></items>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'><item id='${tag('a')}'>
           <deleted-entry xmlns='${TOMBSTONE}'/></item><item id='${tag('nothing')}' t:absent='yes'/></items></pubsub></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('nodes with one item, and nodes that are not Atom', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      const status = node(JULIET, 'status')
      const mood = node(JULIET, 'mood')
      const past = node(JULIET, 'geoloc-past')
      const happy = (name: string): string =>
        `<mood xmlns='http://jabber.org/protocol/mood'><${name}/></mood>`
      const place = (name: string): string =>
        `<geoloc xmlns='http://jabber.org/protocol/geoloc'><text>${name}</text></geoloc>`
      for (const text of ['waiting', 'still waiting'])
        await does(juliet, publish(entry(text), { to: status }))
      await isRefused(
        juliet,
        publish(entry('x', replyTo('any')), { to: status }),
        `${BAD} parent-item-not-found`
      )
      for (const name of ['happy', 'sad'])
        await does(juliet, publish(happy(name), { to: mood, id: 'current' }))
      await does(juliet, publish(happy('in_love'), { to: mood }))
      for (const name of ['Verona', 'Mantua'])
        await does(juliet, publish(place(name), { to: past, id: name }))
      await isRefused(juliet, publish(place('x'), { to: mood }), `${BAD} invalid-payload`)
      await isRefused(juliet, publish(entry('x'), { to: mood }), `${BAD} invalid-payload`)
      await isRefused(
        juliet,
        publish(`<other xmlns='http://jabber.org/protocol/mood'/>`, { to: mood }),
        `${BAD} invalid-payload`
      )
      const answer = (of: string, inside: string): string =>
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${of}' t:ordered='yes'>${inside}</items></pubsub></iq>`
      const one = await juliet.request(items('', '', status))
      assert.equal(one.getChild('pubsub')?.getChild('items')?.children.length, 1)
      await asks(
        juliet,
        items('', '', mood),
        answer(mood, `<item id='*'>${happy('in_love')}</item><item id='current' t:absent='yes'/>`)
      )
      await asks(
        juliet,
        items('', '', past),
        answer(past, `<item id='Mantua'>${place('Mantua')}</item><item id='Verona'>${place('Verona')}</item>`)
      )
      await does(juliet, retract('Mantua', past))
      await asks(
        juliet,
        items('', '', past),
        answer(past, `<item id='Mantua' t:absent='yes'/><item id='Verona'/>`)
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('XHTML is cleaned before anybody sees it', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await follows(romeo, 'romeo@localhost')
      const content = `<content type='xhtml'><div xmlns='${XHTML}' onclick='x()'><p>O <b>Romeo</b><script>alert(1)</script></p></div></content>`
      await does(juliet, publish(`<entry xmlns='${ATOM}'>${content}</entry>`))
      await romeo.receives(
        published(
          '*',
          `<content type='xhtml' t:exact='yes'><div xmlns='${XHTML}'><p>O <b>Romeo</b></p></div></content>`
        )
      )
    })
    assert.deepEqual(server.errors(), [])
  })
})
