import assert from 'node:assert/strict'
import test from 'node:test'
import type { Player } from '../../lib/wire'
import {
  ACTIVITY,
  affiliate,
  asks,
  ATOM,
  BUDDYCLOUD,
  create,
  does,
  entry,
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
  rating,
  register,
  replyTo,
  retract,
  REVIEW,
  RSM,
  startChannels,
  tag,
  target,
  THREAD,
  TOPICS
} from './lib'

const BAD = 'modify bad-request'
const JID = 'http://buddycloud.com/atom-elements-0'
const GEOLOC = 'http://jabber.org/protocol/geoloc'
const MEDIA = 'http://buddycloud.org/v1/media'
const XHTML = 'http://www.w3.org/1999/xhtml'

/** The one item of that name, with exactly this payload. */
async function has(player: Player, id: string, inside: string, of = POSTS): Promise<void> {
  await asks(
    player,
    iq('get', `<items node='${of}'><item id='${id}'/></items>`),
    `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${of}'><item id='${tag(id, of)}'>
       <entry xmlns='${ATOM}' t:exact='yes'>${inside}</entry></item></items></pubsub></iq>`
  )
}

/** What the server says about an entry, whoever sends what (§6.3.1). */
function completed(id: string, author: string, of = POSTS): string {
  return `<id>${tag(id, of)}</id><published>{published}</published><updated>{updated}</updated>
    <author><name>${author}</name><uri>acct:${author}</uri><jid xmlns='${JID}'>${author}</jid>
      <object-type xmlns='${ACTIVITY}'>person</object-type></author>`
}

function activity(verb: string, objectType: string): string {
  return `<verb xmlns='${ACTIVITY}'>${verb}</verb><object xmlns='${ACTIVITY}'><object-type>${objectType}</object-type></object>`
}

onEachDatabase('payloads', database => {
  test('§6.3.1 examples 12 and 13: the minimal entry is completed', async t => {
    const server = await startChannels(t, database, { channels: { objectType: 'post' } })
    await play(server, async ({ juliet }) => {
      const text = 'O Romeo, Romeo! wherefore art thou Romeo?'
      await does(
        juliet,
        publish(`<entry xmlns='${ATOM}'><content type='text'>${text}</content></entry>`, { id: '1' })
      )
      await has(
        juliet,
        '1',
        `${completed('1', JULIET)}<title>Post</title><content type='text'>${text}</content>${activity('post', 'post')}`
      )
      assert.equal(juliet.vars.get('published'), juliet.vars.get('updated'))
      assert.match(juliet.vars.get('published') ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§6.3.2 and §6.3.3, examples 14 and 15: a comment that refers to another, by either form of an id', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(juliet, affiliate('romeo@localhost', 'publisher'))
      for (const id of ['1', '2']) await does(juliet, publish(entry(id), { id }))
      const old = `tag:channels.localhost,/users/juliet@localhost/posts,1`
      await does(romeo, publish(entry('a', replyTo(old)), { id: 'a' }))
      for (const [id, ref] of [
        ['b', 'a'],
        ['c', tag('a')]
      ] as const) {
        await does(romeo, publish(entry('Shall I hear more?', replyTo('1') + target(ref)), { id }))
        await has(
          juliet,
          id,
          `${completed(id, 'romeo@localhost')}<title>Comment</title><content type='text'>Shall I hear more?</content>
           <in-reply-to xmlns='${THREAD}' ref='${tag('1')}'/>${activity('post', 'comment')}
           <target xmlns='${ACTIVITY}'><id>${tag('a')}</id><object-type>comment</object-type></target>`
        )
        for (const name of ['published', 'updated']) juliet.vars.delete(name)
      }
      // where what is referred to goes, the reference stays as it was written
      await does(romeo, retract('a'))
      await isRefused(
        romeo,
        publish(entry('x', replyTo('1') + target('a'))),
        `${BAD} targeted-item-not-found`
      )
      await does(romeo, publish(entry('edited', replyTo('1')), { id: 'b' }))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§6.3: media, geoloc, links and categories are carried, anything else is not', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      const carried = `<link rel='alternate' href='https://verona.lit/'/><category term='love'/>
        <geoloc xmlns='${GEOLOC}'><lat>45.44</lat><text>Verona</text></geoloc>
        <media xmlns='${MEDIA}'><item id='m1' channel='juliet@localhost'/></media>`
      const foreign = `<x xmlns='urn:x'><content xmlns='${ATOM}'>hidden</content></x><atom:content xmlns:atom='urn:atom'>y</atom:content>
        <rating xmlns='urn:x'>5</rating><in-reply-to xmlns='urn:x' ref='1'/><target xmlns='urn:x'><id>1</id></target>
        <source><id>x</id></source><link rel='self' href='https://evil.lit/'/><contributor><name>x</name></contributor>`
      await does(juliet, publish(entry('x', carried + foreign), { id: '1' }))
      await has(
        juliet,
        '1',
        `${completed('1', JULIET)}<title>Post</title><content type='text'>x</content>${carried}${activity('post', 'note')}`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§6.3.1: empty content is content-element-required, also in an edit; except in a rating', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      const atom = (inside: string): string => `<entry xmlns='${ATOM}'>${inside}</entry>`
      await does(juliet, publish(entry('x'), { id: '1' }))
      for (const empty of [
        '',
        '<content/>',
        "<content type='text'> \n </content>",
        "<content type='xhtml'/>",
        `<content type='xhtml'><div xmlns='${XHTML}'> <p/> <script>alert(1)</script></div></content>`
      ]) {
        await isRefused(juliet, publish(atom(empty)), `${BAD} content-element-required`)
        await isRefused(juliet, publish(atom(empty), { id: '1' }), `${BAD} content-element-required`)
        await isRefused(juliet, publish(atom(empty + replyTo('1'))), `${BAD} content-element-required`)
      }
      await does(juliet, publish(rating('5', '1'), { id: 'r' }))
      await has(
        juliet,
        'r',
        `${completed('r', JULIET)}<title>Rating</title><content type='text'>rating:5.0</content>
         <in-reply-to xmlns='${THREAD}' ref='${tag('1')}'/>${activity('rated', 'comment')}
         <target xmlns='${ACTIVITY}'><id>${tag('1')}</id><object-type>post</object-type></target>
         <rating xmlns='${REVIEW}'>5.0</rating>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('an item has one id on the wire; whoever names it may use either form, and no other service’s', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const comma = node(`a,b@${TOPICS}`, 'posts')
      await does(juliet, publish(entry('x'), { id: '🌹'.repeat(128) }))
      await does(juliet, retract(tag('🌹'.repeat(128))))
      await does(juliet, publish(entry('1'), { id: tag('1') }))
      for (const foreign of [
        `tag:evil.localhost,${POSTS},1`,
        `tag:${TOPICS},${POSTS},1`,
        `tag:localhost,${POSTS},1`
      ]) {
        await isRefused(juliet, retract(foreign), 'cancel item-not-found')
        await isRefused(juliet, publish(entry('x', replyTo(foreign))), `${BAD} parent-item-not-found`)
        await isRefused(
          juliet,
          publish(entry('x', replyTo('1') + target(foreign))),
          `${BAD} targeted-item-not-found`
        )
        await isRefused(juliet, publish(rating('5', '1', foreign)), `${BAD} targeted-item-not-found`)
        await isRefused(
          juliet,
          items('', `<set xmlns='${RSM}'><after>${foreign}</after></set>`),
          'cancel item-not-found'
        )
      }
      // the name of a node may have commas: the first and the last one count
      await does(juliet, create(comma))
      await does(juliet, publish(entry('x'), { id: tag('x', comma), to: comma }))
      await does(juliet, publish(entry('y', replyTo(tag('x', comma))), { id: 'y', to: comma }))
      await isRefused(romeo, retract(tag('x', comma), comma), 'auth forbidden')
      await does(juliet, retract(tag('x', comma), comma))
      const plain = node(JULIET, 'mood')
      const happy = "<mood xmlns='http://jabber.org/protocol/mood'><happy/></mood>"
      await asks(
        juliet,
        publish(happy, { id: 'now', to: plain }),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><publish node='${plain}'><item id='now'/></publish></pubsub></iq>`
      )
      await does(juliet, retract(tag('now', plain), plain))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('bad input: RSM with ids of other nodes, on every list', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(romeo, register())
      const romeos = node('romeo@localhost', 'posts')
      await does(romeo, publish(entry('x'), { id: 'x', to: romeos }))
      await does(juliet, publish(entry('1'), { id: '1' }))
      for (const way of ['after', 'before']) {
        for (const id of ['x', tag('x', romeos), tag('x'), 'nonsense', 'a,b', 'tag:,,']) {
          const set = `<set xmlns='${RSM}'><${way}>${id}</${way}></set>`
          for (const request of [
            items('', set),
            items("parent-only='1'", set),
            iq('get', `<threads xmlns='${BUDDYCLOUD}' node='${POSTS}'/>${set}`),
            iq('get', `<replies xmlns='${BUDDYCLOUD}' node='${POSTS}' item_id='1'/>${set}`),
            iq('get', `<thread xmlns='${BUDDYCLOUD}' node='${POSTS}' item_id='1'/>${set}`)
          ]) {
            await isRefused(juliet, request, 'cancel item-not-found')
          }
        }
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('bad input: 100,000 nested elements end the stream that brings them, and nothing else', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(juliet, affiliate('romeo@localhost', 'publisher'))
      // as deep as a stanza may be, it is cleaned or refused
      const deep = (depth: number): string =>
        `<content type='xhtml'><div xmlns='${XHTML}'>${'<b>'.repeat(depth)}x${'</b>'.repeat(depth)}</div></content>`
      await does(romeo, publish(`<entry xmlns='${ATOM}'>${deep(50)}</entry>`))
      await romeo.forgets()
      romeo.write(publish(`<entry xmlns='${ATOM}'>${deep(100_000)}</entry>`))
      await romeo.receives(`<error xmlns='http://etherx.jabber.org/streams'/>`)
      await romeo.isClosed()
      await does(juliet, publish(entry('still here')))
    })
    assert.deepEqual(server.errors(), [])
  })
})
