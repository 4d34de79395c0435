// time limit: 300 s
import assert from 'node:assert/strict'
import test from 'node:test'
import { PASSWORD, type Player } from '../lib/wire'
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
  REVIEW,
  ROMEO,
  RSM,
  SERVICE,
  startChannels,
  subscribe,
  tag,
  target,
  TOPICS
} from '../modules/mod_channels/lib'

/** Whoever means ill to a channel host: nothing comes of it, nothing is given away, and nobody else notices. */

const TYPES = ['posts', 'status', 'geoloc', 'geoloc-past', 'geoloc-future', 'public-key', 'mood']
const attribute = (text: string): string => text.replaceAll('&', '&amp;').replaceAll("'", '&apos;')

/** What the owner sees of the channel, all nodes. */
async function whole(owner: Player, channel = JULIET): Promise<string> {
  const seen: string[] = []
  for (const type of TYPES) {
    const name = node(channel, type)
    for (const request of [
      items('', '', name),
      iq('get', `<affiliations node='${name}'/>`, OWNER),
      iq('get', `<subscriptions node='${name}'/>`, OWNER),
      iq('get', `<configure node='${name}'/>`, OWNER)
    ])
      seen.push((await owner.request(request)).children.join(''))
  }
  return seen.join('\n')
}

/** Each is refused with an error that is not the server's fault. */
async function allRefused(player: Player, requests: readonly string[]): Promise<void> {
  for (const request of requests) {
    const answer = await player.request(request)
    const told = `${request.slice(0, 500)}\n${String(answer).slice(0, 1000)}`
    assert.equal(answer.attrs.type, 'error', told)
    assert.doesNotMatch(told, /internal-server-error/)
  }
}

/** The answers to these are the same but for the ids that are in the questions. */
async function alike(player: Player, requests: readonly string[], ids: readonly string[]): Promise<void> {
  const answers: string[] = []
  for (const request of requests) {
    let text = (await player.request(request)).children.join('')
    for (const id of ids) text = text.replaceAll(id, 'ID')
    answers.push(text)
  }
  assert.deepEqual(
    answers,
    answers.map(() => answers[0])
  )
}

/** All that can be asked of a node, or done to it. */
function everything(name: string, id = 'x'): string[] {
  const to = attribute(name)
  return [
    publish(entry('x'), { to }),
    publish(entry('x'), { to, id }),
    retract(id, to),
    items('', '', to),
    iq('get', `<items node='${to}'><item id='${id}'/></items>`),
    affiliate('tybalt@localhost', 'owner', to),
    configure({ 'pubsub#title': 'x' }, to),
    iq('get', `<configure node='${to}'/>`, OWNER),
    iq('set', `<delete node='${to}'/>`, OWNER),
    iq('set', `<purge node='${to}'/>`, OWNER),
    iq('get', `<affiliations node='${to}'/>`, OWNER),
    iq('get', `<subscriptions node='${to}'/>`, OWNER),
    iq('get', `<replies xmlns='${BUDDYCLOUD}' node='${to}' item_id='${id}'/>`),
    iq('get', `<thread xmlns='${BUDDYCLOUD}' node='${to}' item_id='${id}'/>`),
    iq('get', `<threads xmlns='${BUDDYCLOUD}' node='${to}'/>`)
  ]
}

onEachDatabase('attacks on channels', database => {
  test('names: other schemes, parents, empty parts, controls, other forms, and very long ones', async t => {
    const server = await startChannels(t, database)
    await server.addUser('nurse@localhost', PASSWORD)
    await play(server, async ({ juliet, tybalt }) => {
      await does(juliet, publish(entry('mine'), { id: 'mine' }))
      const before = await whole(juliet)
      const names = [
        '/USER/juliet@localhost/posts',
        '/user/juliet@localhost/POSTS',
        '/user/juliet@localhost/posts/',
        '//user/juliet@localhost/posts',
        '/user/juliet@localhost//posts',
        '/user/./juliet@localhost/posts',
        '/user/romeo@localhost/../juliet@localhost/posts',
        '/user/juliet%40localhost/posts',
        '/user/juliet@localhost/posts#x',
        '/user/juliet@localhost/posts?x',
        '/user/juliet@localhost/balcony/posts',
        '/user/@localhost/posts',
        '/user/localhost/posts',
        '/user/juliet@/posts',
        '/user/juliet@@localhost/posts',
        '/user/nurse@localhost/posts',
        `/user/romeo@${SERVICE}/posts`,
        `/user/x@y.${TOPICS}/posts`,
        '/user/juliet@example.org/posts',
        `xmpp:${SERVICE}?;node=${POSTS}`,
        'http://localhost/user/juliet@localhost/posts',
        'urn:xmpp:microblog:0',
        '/channel/juliet@localhost',
        '/user/juliet@localhost/firehose',
        '/user/juliet@localhost/constructor',
        '/user/juliet@localhost/__proto__',
        '/user/\u2028@localhost/posts',
        '/user/ju\u00adliet\u200b@localhost/x',
        `/user/${'x'.repeat(3000)}@localhost/posts`,
        `/user/${'é'.repeat(1536)}@localhost/posts`,
        `/user/juliet@${'a.'.repeat(1500)}a/posts`
      ]
      for (const name of names) await allRefused(tybalt, [...everything(name), create(attribute(name))])
      // who means the same name gets the same channel, and no other's rights
      for (const name of [
        '/user/JULIET@localhost/posts',
        '/user/ｊｕｌｉｅｔ@localhost/posts',
        '/users/juliet@LOCALHOST/posts'
      ])
        await allRefused(tybalt, [
          publish(entry('x'), { to: name }),
          retract('mine', name),
          affiliate('tybalt@localhost', 'owner', name),
          configure({ 'pubsub#title': 'x' }, name),
          iq('set', `<delete node='${name}'/>`, OWNER),
          create(name)
        ])
      assert.equal(await whole(juliet), before)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('nobody makes a channel in another’s name, or in an account’s', async t => {
    const server = await startChannels(t, database)
    const uuid = '11111111-2222-4333-8444-555555555555'
    await server.addUser(`${uuid}@localhost`, PASSWORD)
    await play(server, async ({ tybalt }) => {
      await allRefused(tybalt, [
        ...['nurse', 'romeo', 'ROMEO', uuid, '99999999-2222-4333-8444-55555555555', '{x}'].flatMap(name => [
          create(node(`${name}@localhost`, 'posts')),
          create(node(`${name}@localhost`, 'status')),
          publish(entry('x'), { to: node(`${name}@localhost`, 'posts') })
        ]),
        create(node(`${uuid}@localhost`, 'posts'), { 'buddycloud#ephemeral': '1' }),
        create(node(`${ROMEO}`, 'posts'), { 'buddycloud#ephemeral': '1' }),
        create(node(`x@${SERVICE}`, 'posts'), { 'buddycloud#ephemeral': '1' }),
        create(node(ROMEO, 'posts'), { 'pubsub#creator': ROMEO, 'pubsub#owner': ROMEO })
      ])
      // what the form claims is not what is
      const mine = node(`den@${TOPICS}`, 'posts')
      await does(
        tybalt,
        create(mine, {
          'pubsub#creator': ROMEO,
          'pubsub#owner': ROMEO,
          'buddycloud#channel_type': 'personal',
          'pubsub#creation_date': '1999-01-01T00:00:00Z'
        })
      )
      const form = String(await tybalt.request(iq('get', `<configure node='${mine}'/>`, OWNER)))
      assert.doesNotMatch(form, /romeo@|1999-|>personal</)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('entries: two contents, two entries, other namespaces, claims, and what is somebody else’s', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(romeo, subscribe(ROMEO))
      await does(juliet, affiliate(ROMEO, 'publisher'))
      await does(juliet, publish(entry('hers'), { id: 'hers' }))
      await does(juliet, publish(entry('deleted'), { id: 'deleted' }))
      await does(juliet, retract('deleted'))
      await does(romeo, publish(entry('his'), { id: 'his' }))
      await does(romeo, publish(entry('his reply', replyTo(tag('hers'))), { id: 'reply' }))
      const before = await whole(juliet)
      const atom = (inside: string): string => publish(`<entry xmlns='${ATOM}'>${inside}</entry>`)
      await allRefused(romeo, [
        atom('<content>a</content><content>b</content>'),
        atom('<content/>'),
        atom('<content> </content>'),
        atom(''),
        atom(
          `<content type='xhtml'><script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script></content>`
        ),
        atom(`<content type='text/html' src='http://evil.lit/'/>`),
        publish(`${entry('a')}${entry('b')}`),
        publish(''),
        publish(`<entry xmlns='http://purl.org/atom/ns#'><content>x</content></entry>`),
        publish(`<entry><content>x</content></entry>`),
        publish(`<feed xmlns='${ATOM}'>${entry('x')}</feed>`),
        publish(`<mood xmlns='http://jabber.org/protocol/mood'><happy/></mood>`),
        publish(`<message xmlns='jabber:client' to='${JULIET}'><body>x</body></message>`),
        iq('set', `<publish node='${POSTS}'><item>${entry('a')}</item><item>${entry('b')}</item></publish>`),
        // somebody else's ids, and one that is gone
        publish(entry('x'), { id: 'hers' }),
        publish(entry('x'), { id: tag('hers') }),
        publish(entry('x'), { id: 'deleted' }),
        // what is a post stays one
        publish(entry('x', replyTo(tag('hers'))), { id: 'his' }),
        publish(rating('5', tag('hers')), { id: 'his' }),
        publish(entry('x'), { id: 'reply' }),
        publish(entry('x', replyTo(tag('his'))), { id: 'reply' }),
        publish(entry('x', replyTo(tag('his'))), { id: 'his' }),
        // into and out of other threads
        publish(entry('x', replyTo(tag('reply')))),
        publish(entry('x', replyTo(tag('deleted')))),
        publish(entry('x', `${replyTo(tag('hers'))}${target(tag('his'))}`)),
        // in another's name
        iq(
          'set',
          `<publish node='${POSTS}'><item>${entry('x')}</item></publish><actor xmlns='${BUDDYCLOUD}'>${JULIET}</actor>`
        ),
        retract('hers'),
        retract(tag('hers'))
      ])
      assert.equal(await whole(juliet), before)

      const answer = await romeo.request(
        publish(
          `<entry xmlns='${ATOM}' xmlns:a='${ACTIVITY}'><id>tag:x,y,z</id><title>${'t'.repeat(200)}</title>
             <published>9999-12-31T23:59:59Z</published><updated>9999-12-31T23:59:59Z</updated>
             <author><name>juliet</name><uri>acct:${JULIET}</uri><email>j@x</email></author>
             <author><name>${JULIET}</name></author><a:verb>rated</a:verb>
             <content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml' onclick='evil()' style='position:fixed'>fine
               <script>evil()</script><a href='javascript:evil()'>a</a><a href=' jAvAscript:evil()'>b</a>
               <img src='data:text/html,evil' onerror='evil()' alt='c'/><iframe src='http://evil.lit/'/>
               <svg xmlns='http://www.w3.org/2000/svg' onload='evil()'><script>evil()</script></svg>
               <style>evil</style></div></content></entry>`
        )
      )
      const published = String(answer.getChild('pubsub')?.getChild('publish')?.getChild('item')?.attrs.id)
      const read = String(
        await juliet.request(iq('get', `<items node='${POSTS}'><item id='${published}'/></items>`))
      )
      assert.match(read, /fine/)
      assert.match(read, /<author><name>romeo@localhost<\/name><uri>acct:romeo@localhost<\/uri>/)
      assert.doesNotMatch(
        read,
        /evil|script|onclick|onerror|onload|style|svg|iframe|9999|juliet<|j@x|rated|tag:x/i
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('ids that a client may not choose are not taken', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      for (const id of [
        'a,b',
        'x'.repeat(129),
        'e\u0301',
        'tab&#9;',
        tag('x', node(ROMEO, 'posts')),
        'tag:evil.lit,x,y'
      ]) {
        const answer = await juliet.request(publish(entry('x'), { id }))
        if (answer.attrs.type === 'error') continue
        const given = String(answer.getChild('pubsub')?.getChild('publish')?.getChild('item')?.attrs.id)
        assert.match(given, /^tag:channels\.localhost,\/user\/juliet@localhost\/posts,[0-9a-f-]{36}$/, id)
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('ratings: of ratings, of replies, of tombstones, of nothing; values that are none', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(romeo, subscribe(ROMEO))
      await does(juliet, affiliate(ROMEO, 'publisher'))
      for (const id of ['one', 'two', 'deleted']) await does(juliet, publish(entry(id), { id }))
      await does(juliet, retract('deleted'))
      await does(juliet, publish(rating('5', tag('one')), { id: 'rating' }))
      const before = await whole(juliet)
      const values = '0 6 -1 4.5 5.01 +5 5e0 0x5 NaN Infinity five ５ 1,0 .5 5. 1/2'.split(' ')
      const one = tag('one')
      const raw = (inside: string): string => publish(`<entry xmlns='${ATOM}'>${inside}</entry>`)
      const stars = `<rating xmlns='${REVIEW}'>5</rating>`
      await allRefused(romeo, [
        ...[...values, '', ' ', '9'.repeat(5000), '5<b/>5'].map(value => publish(rating(value, one))),
        publish(rating('5', tag('rating'))),
        publish(rating('5', one, tag('rating'))),
        publish(rating('5', tag('deleted'))),
        publish(rating('5', one, tag('deleted'))),
        publish(rating('5', one, tag('two'))),
        publish(rating('5', tag('nothing'))),
        publish(rating('5', one), { to: node(JULIET, 'status') }),
        raw(`${stars}`),
        raw(`${replyTo(one)}${stars}`),
        raw(`${target(one)}${stars}`),
        raw(`${replyTo(one)}${target(one)}${stars}${stars}`),
        raw(`${replyTo(one)}${replyTo(tag('two'))}${target(one)}${stars}`),
        raw(`${replyTo(one)}${target(one)}${target(tag('two'))}${stars}`),
        raw(`${replyTo(one)}<target xmlns='${ACTIVITY}'/>${stars}`),
        publish(rating('5', tag('one', node('romeo@localhost', 'posts')))),
        publish(rating('5', `tag:evil.lit,${POSTS},one`))
      ])
      assert.equal(await whole(juliet), before)
      // many at once, by one: one counts
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => romeo.request(publish(rating(String((i % 5) + 1), one))))
      )
      assert.equal(answers.filter(answer => answer.attrs.type === 'result').length, 1)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('what one may not read is as if it were not there', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, tybalt }) => {
      await does(juliet, publish(entry('secret'), { id: 'secret' }))
      await does(juliet, publish(entry('deleted'), { id: 'deleted' }))
      await does(juliet, retract('deleted'))
      await does(romeo, register())
      await does(tybalt, register())
      for (const access of ['whitelist', 'authorize']) {
        await does(juliet, configure({ 'pubsub#access_model': access }))
        const locals = ['secret', 'nothing', 'deleted']
        for (const form of [locals, locals.map(id => tag(id))]) {
          const each = (request: (id: string) => string): Promise<void> =>
            alike(tybalt, form.map(request), [...form, ...locals])
          await each(id => publish(entry('x'), { id }))
          await each(id => publish(entry('x', replyTo(id))))
          await each(id => publish(rating('5', id)))
          await each(id => retract(id))
          await each(id => iq('get', `<items node='${POSTS}'><item id='${id}'/></items>`))
          await each(id => items('', `<set xmlns='${RSM}'><max>1</max><after>${id}</after></set>`))
          for (const name of ['replies', 'thread'])
            await each(id => iq('get', `<${name} xmlns='${BUDDYCLOUD}' node='${POSTS}' item_id='${id}'/>`))
          // from a channel that one may write in
          const his = { to: node('tybalt@localhost', 'posts') }
          await each(id => publish(entry('x', replyTo(id)), his))
          await each(id => publish(rating('5', id), his))
          await each(id => items('', `<set xmlns='${RSM}'><after>${id}</after></set>`, his.to))
          await each(id =>
            iq(
              'get',
              `<recent-items xmlns='${BUDDYCLOUD}' since='2020-01-01T00:00:00Z' max='5'/><set xmlns='${RSM}'><after>${id}</after></set>`
            )
          )
        }
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('a follower who may write tries each node of the owner, and everything else of hers', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, tybalt }) => {
      await does(romeo, subscribe(ROMEO))
      await does(juliet, affiliate(ROMEO, 'publisher'))
      await does(juliet, affiliate('tybalt@localhost', 'outcast'))
      await does(juliet, publish(entry('home'), { to: node(JULIET, 'status') }))
      const before = await whole(juliet)
      const payloads = [
        entry('x'),
        `<geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>1</lat></geoloc>`,
        `<mood xmlns='http://jabber.org/protocol/mood'><sad/></mood>`,
        `<pubkeys xmlns='urn:xmpp:pubkey:2'/>`
      ]
      await allRefused(romeo, [
        ...[...TYPES.slice(1), 'geo/current', 'geo/future', 'geo/previous', 'geo/next'].flatMap(type =>
          payloads.flatMap(payload => [
            publish(payload, { to: node(JULIET, type) }),
            publish(payload, { to: node(JULIET, type), id: 'current' })
          ])
        ),
        ...TYPES.flatMap(type => [
          affiliate(ROMEO, 'owner', node(JULIET, type)),
          affiliate(ROMEO, 'moderator', node(JULIET, type)),
          affiliate('tybalt@localhost', 'none', node(JULIET, type)),
          configure({ 'pubsub#title': 'x' }, node(JULIET, type)),
          configure({}, node(JULIET, type)),
          iq('get', `<configure node='${node(JULIET, type)}'/>`, OWNER),
          iq('set', `<purge node='${node(JULIET, type)}'/>`, OWNER),
          iq('set', `<delete node='${node(JULIET, type)}'/>`, OWNER),
          iq(
            'set',
            `<subscriptions node='${node(JULIET, type)}'><subscription jid='tybalt@localhost' subscription='subscribed'/></subscriptions>`,
            OWNER
          )
        ]),
        subscribe(JULIET),
        create(node(JULIET, 'more'))
      ])
      // nor by the form that only managers are sent
      const allow = `<x xmlns='jabber:x:data' type='submit'>
        <field var='FORM_TYPE'><value>${PUBSUB}#subscribe_authorization</value></field>
        <field var='pubsub#node'><value>${POSTS}</value></field>
        <field var='pubsub#subscriber_jid'><value>tybalt@localhost</value></field>
        <field var='pubsub#allow'><value>1</value></field></x>`
      for (const player of [romeo, tybalt]) await player.sends(`<message to='${SERVICE}'>${allow}</message>`)
      assert.equal(await whole(juliet), before)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('forms: fields nobody knows, wrong types, two values, other forms, many fields', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      const before = await whole(juliet)
      const field = (name: string, ...values: string[]): string =>
        `<field var='${name}'>${values.map(value => `<value>${value}</value>`).join('')}</field>`
      const form = (inside: string, formType = `${PUBSUB}#node_config`, type = 'submit'): string =>
        iq(
          'set',
          `<configure node='${POSTS}'><x xmlns='jabber:x:data' type='${type}'>${field('FORM_TYPE', formType)}${inside}</x></configure>`,
          OWNER
        )
      await allRefused(juliet, [
        form(field('pubsub#title', 'a', 'b')),
        form(field('pubsub#title', 'a') + field('pubsub#title', 'b')),
        form(field('pubsub#title', 'x'.repeat(129))),
        form(field('pubsub#description', 'x'.repeat(1025))),
        form(field('pubsub#access_model', 'roster')),
        form(field('pubsub#access_model', '__proto__')),
        form(field('pubsub#access_model', '')),
        form(field('pubsub#access_model', 'open', 'local')),
        form(field('buddycloud#default_affiliation', 'owner')),
        form(field('buddycloud#default_affiliation', 'moderator')),
        form(field('buddycloud#default_affiliation', 'outcast')),
        form(field('buddycloud#advertise_node', 'perhaps')),
        form(field('pubsub#title', 'x'), `${PUBSUB}#subscribe_options`),
        form(field('pubsub#title', 'x'), `${PUBSUB}#node_config`, 'form'),
        form(field('pubsub#title', 'x'), `${PUBSUB}#node_config`, 'x'),
        form(Array.from({ length: 2000 }, (_, i) => field(`x${i}`, 'y')).join('')),
        iq('set', `<configure node='${POSTS}'/>`, OWNER)
      ])
      assert.equal(await whole(juliet), before)
      // XEP-0004 §3.1: what nobody knows is passed over
      await does(juliet, form(field('pubsub#x', 'y') + field('buddycloud#creation_date', 'z')))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('a tree that is too deep or too wide ends the stream of its sender alone', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, tybalt }) => {
      await allRefused(juliet, [publish(entry('x'.repeat(70_000)))])
      // what is nobody's to read is not kept
      await does(juliet, publish(entry('x', '<x xmlns="urn:x"/>'.repeat(3000)), { id: 'wide' }))
      assert.doesNotMatch(String(await juliet.request(items())), /urn:x/)
      romeo.send(publish(`${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}`))
      await romeo.isClosed()
      tybalt.send(publish(entry('x', '<b/>'.repeat(100_000))))
      await tybalt.isClosed()
      await does(juliet, publish(entry('still here')))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('pages: sizes and places that are none', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      for (let i = 0; i < 60; i++) await does(juliet, publish(entry(String(i)), { id: `i${i}` }))
      const set = (inside: string): string => `<set xmlns='${RSM}'>${inside}</set>`
      const bad = ['-1', '1.5', 'x', '', '1e9', '9'.repeat(40)]
      const since = (attrs: string): string => iq('get', `<recent-items xmlns='${BUDDYCLOUD}' ${attrs}/>`)
      for (const max of bad) {
        const answer = await romeo.request(items('', set(`<max>${max}</max>`)))
        assert.doesNotMatch(String(answer), /internal-server-error/)
        const found = answer.getChild('pubsub')?.getChild('items')?.children.length ?? 0
        assert.ok(found <= 50, `${max}: ${found}`)
      }
      await allRefused(romeo, [
        items('', set('<after>nothing</after>')),
        items('', set(`<after>${tag('i1', node(ROMEO, 'posts'))}</after>`)),
        items('', set(`<before>${'x'.repeat(5000)}</before>`)),
        since(`since='x' max='5'`),
        since(`since='9999-99-99T00:00:00Z' max='5'`),
        since(`since='2020-01-01T00:00:00Z' max='-1'`),
        since(`since='2020-01-01T00:00:00Z' max='${'9'.repeat(40)}'`),
        since(`since='2020-01-01T00:00:00Z'`),
        since(`max='5'`)
      ])
    })
    assert.deepEqual(server.errors(), [])
  })
})
