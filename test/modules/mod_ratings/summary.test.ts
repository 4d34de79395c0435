import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf, type Element } from '../../../core/xml'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  asks,
  BUDDYCLOUD,
  configure,
  does,
  entry,
  iq,
  isRefused,
  items,
  node,
  onEachDatabase,
  play,
  POSTS,
  publish,
  PUBSUB,
  rating,
  replyTo,
  retract,
  RSM,
  SERVICE,
  startChannels,
  tag
} from '../mod_channels/lib'

const RATINGS = 'urn:balcony:ratings'
const SUMMARY = wish("summary='true'")
const HIDE = wish("hide='true'")
const BAD = 'modify bad-request'

function wish(attrs: string): string {
  return `<ratings xmlns='${RATINGS}' ${attrs}/>`
}

function ours(name: string, attrs: string, inside: string): string {
  return iq('get', `<${name} xmlns='${BUDDYCLOUD}' ${attrs}/>${inside}`)
}

/** Every way to read items of the channel. */
const READS: Readonly<Record<string, (inside: string) => string>> = {
  items: inside => items('', inside),
  named: inside =>
    iq(
      'get',
      `<items node='${POSTS}'>${['1', '2', 'c', 'r'].map(id => `<item id='${id}'/>`).join('')}</items>${inside}`
    ),
  replies: inside => ours('replies', `node='${POSTS}' item_id='1'`, inside),
  thread: inside => ours('thread', `node='${POSTS}' item_id='1'`, inside),
  threads: inside => ours('threads', `node='${POSTS}'`, inside),
  'recent-items': inside => ours('recent-items', "since='2014-01-01' max='9'", inside),
  'user-items': inside => ours('user-items', "since='2014-01-01'", inside)
}

/** All items of an answer: `id` or `id count/average/own`, in whatever list they are. */
async function read(player: Player, request: string): Promise<string[]> {
  const answer = await player.request(request)
  assert.equal(answer.attrs.type, 'result', String(answer))
  const pubsub = childOf(answer, 'pubsub', PUBSUB)
  assert.ok(pubsub)
  return childrenOf(pubsub)
    .flatMap(list => childrenOf(list, 'item'))
    .map(item => [local(item), ...childrenOf(item, 'summary', RATINGS).map(figures)].join(' '))
}

function local(item: Element): string {
  const id = String(item.attrs.id)
  return id.slice(id.lastIndexOf(',') + 1)
}

function figures({ attrs }: Element): string {
  return [attrs.count, attrs.average ?? '-', attrs.own ?? '-'].join('/')
}

/** Posts 1 and 2; 1 has a comment c, rated once, and is itself rated 5 and 4. */
async function rate({ juliet, romeo }: Record<'juliet' | 'romeo', Player>): Promise<void> {
  await does(juliet, affiliate('romeo@localhost', 'publisher'))
  for (const id of ['1', '2']) await does(juliet, publish(entry(id), { id }))
  await does(romeo, publish(entry('c', replyTo('1')), { id: 'c' }))
  await does(romeo, publish(rating('5', '1'), { id: 'r' }))
  await does(juliet, publish(rating('4', '1'), { id: 's' }))
  await does(juliet, publish(rating('1', '1', 'c'), { id: 't' }))
}

onEachDatabase('ratings as a summary', database => {
  test('number, average and one’s own, for who asks for it in our namespace, on every list', async t => {
    const server = await startChannels(t, database)
    await play(server, async players => {
      const { juliet, romeo, benvolio } = players
      await rate(players)
      await asks(
        romeo,
        `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
        `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${RATINGS}'/></query></iq>`
      )
      const one = { romeo: '1 2/4.50/5', juliet: '1 2/4.50/4', benvolio: '1 2/4.50/-' }
      assert.deepEqual(await read(romeo, items('', SUMMARY)), [
        't',
        's',
        'r',
        'c 1/1.00/-',
        '2 0/-/-',
        one.romeo
      ])
      assert.deepEqual(await read(juliet, items("parent-only='1'", SUMMARY)), [one.juliet, '2 0/-/-'])
      assert.deepEqual(
        await read(benvolio, iq('get', `<items node='${POSTS}'><item id='1'/></items>${SUMMARY}`)),
        [one.benvolio]
      )
      for (const name of Object.keys(READS)) {
        const request = READS[name] as (inside: string) => string
        // absent for everyone else
        assert.ok(!String(await juliet.request(request(''))).includes(RATINGS), name)
        const told = await read(juliet, request(SUMMARY))
        assert.deepEqual(
          told.filter(item => item.startsWith('1 ')),
          name === 'replies' ? [] : [one.juliet],
          name
        )
        assert.ok(name === 'named' || told.includes('c 1/1.00/1'), name)
        for (const kind of ['r', 's', 't']) assert.ok(!told.some(item => item.startsWith(`${kind} `)), name)
      }
      // it is where the item is, behind its payload
      await asks(
        juliet,
        iq('get', `<items node='${POSTS}'><item id='1'/></items>${SUMMARY}`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'><item id='${tag('1')}'>
           <entry xmlns='http://www.w3.org/2005/Atom'/><summary xmlns='${RATINGS}' count='2' average='4.50' own='4'/></item></items></pubsub></iq>`
      )
      // what is gone is not counted
      await does(romeo, retract('r'))
      assert.deepEqual((await read(romeo, items("parent-only='1'", SUMMARY)))[0], '1 1/4.00/-')
      await does(romeo, retract('c'))
      assert.deepEqual(await read(juliet, READS.thread?.(SUMMARY) ?? ''), ['t', 's', 'r', 'c', '1 1/4.00/4'])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('ratings are left out for who does not want them in the timeline', async t => {
    const server = await startChannels(t, database)
    await play(server, async players => {
      const { juliet, benvolio } = players
      await rate(players)
      const without: Record<string, string[]> = {
        items: ['c', '2', '1'],
        replies: ['c'],
        thread: ['c', '1'],
        threads: ['1', 'c', '2'],
        'recent-items': ['c', '2', '1'],
        'user-items': ['c', '2', '1']
      }
      for (const [name, expected] of Object.entries(without)) {
        const request = READS[name] as (inside: string) => string
        assert.deepEqual(await read(juliet, request(HIDE)), expected, name)
        assert.ok((await read(juliet, request(''))).includes('t'), name)
      }
      // who names one gets it
      assert.deepEqual(await read(juliet, READS.named?.(HIDE) ?? ''), ['1', '2', 'c', 'r'])
      const both = wish("summary='1' hide='1'")
      assert.deepEqual(await read(benvolio, items('', both)), ['c 1/1.00/-', '2 0/-/-', '1 2/4.50/-'])
      // in pages, among tombstones
      await does(juliet, retract('s'))
      await does(juliet, retract('2'))
      const page = (set: string): string => items('', `${HIDE}<set xmlns='${RSM}'>${set}</set>`)
      assert.deepEqual(await read(benvolio, page('<max>2</max>')), ['c', '2'])
      assert.deepEqual(await read(benvolio, page('<max>2</max><after>2</after>')), ['1'])
      assert.deepEqual(await read(benvolio, page('<max>2</max><before/>')), ['2', '1'])
      await isRefused(benvolio, page('<after>t</after>'), 'cancel item-not-found')
      const told = String(await benvolio.request(page('<max>9</max>')))
      assert.match(told, /<count>3<\/count>/)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('wishes that make no sense, and without the module, are refused', async t => {
    const server = await startChannels(t, database)
    await play(server, async players => {
      const { juliet, benvolio } = players
      await rate(players)
      for (const request of Object.values(READS)) {
        for (const bad of [
          wish("summary='maybe'"),
          wish("hide=''"),
          SUMMARY + SUMMARY,
          `<x xmlns='${RATINGS}'/>`
        ]) {
          await isRefused(juliet, request(bad), BAD)
        }
      }
      await isRefused(juliet, iq('get', `<subscriptions/>${SUMMARY}`), BAD)
      await isRefused(
        juliet,
        iq('set', `<publish node='${POSTS}'><item>${entry('x')}</item></publish>${SUMMARY}`),
        BAD
      )
      // who may not read learns no number
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      for (const name of ['items', 'named', 'replies', 'thread', 'threads']) {
        await isRefused(benvolio, READS[name]?.(SUMMARY) ?? '', 'auth forbidden closed-node')
      }
      assert.ok((await server.server.api.modules.unload('ratings')).ok)
      for (const request of Object.values(READS)) {
        await isRefused(juliet, request(SUMMARY), 'cancel feature-not-implemented')
        await isRefused(juliet, request(HIDE), 'cancel feature-not-implemented')
      }
      await asks(
        juliet,
        `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
        `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${RATINGS}' t:absent='yes'/></query></iq>`
      )
      // a rating is gone with its post meanwhile, and counted right when the module is back
      await does(juliet, retract('r'))
      assert.ok((await server.server.api.modules.load('ratings')).ok)
      assert.deepEqual((await read(juliet, items("parent-only='1'", SUMMARY)))[0], '1 1/4.00/4')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('the number is right, however many rate at once', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      const people = { romeo, benvolio, tybalt }
      for (const name of Object.keys(people)) await does(juliet, affiliate(`${name}@localhost`, 'publisher'))
      const ids = ['1', '2', '3']
      for (const id of ids) await does(juliet, publish(entry(id), { id }))
      await Promise.all(
        Object.values({ juliet, ...people }).flatMap((player, stars) =>
          ids.flatMap(id => [
            player.request(publish(rating(String(stars + 1), id), { id: `${id}-${stars}` })),
            player.request(publish(rating('5', id), { id: `${id}-${stars}-again` }))
          ])
        )
      )
      assert.deepEqual(await read(romeo, items('', wish("summary='1' hide='1'"))), [
        '3 4/2.50/2',
        '2 4/2.50/2',
        '1 4/2.50/2'
      ])
      await Promise.all(
        [romeo, tybalt].map(player => player.request(retract(player === romeo ? '1-1' : '1-3')))
      )
      assert.deepEqual((await read(romeo, items('', wish("summary='1' hide='1'"))))[2], '1 2/2.00/-')
    })
    assert.deepEqual(server.errors(), [])
  })
})

onEachDatabase('what may be rated', database => {
  test('§6.3.4: only by who may reply; not ratings, not tombstones, and nobody learns what is there', async t => {
    const server = await startChannels(t, database)
    await play(server, async players => {
      const { juliet, romeo, benvolio, tybalt } = players
      await rate(players)
      await isRefused(juliet, publish(rating('5', '1', 'r')), `${BAD} invalid-rating-request`)
      await does(juliet, retract('2'))
      await isRefused(romeo, publish(rating('5', '2')), `${BAD} parent-item-not-found`)
      await does(romeo, retract('c'))
      await isRefused(romeo, publish(rating('5', '1', 'c')), `${BAD} targeted-item-not-found`)
      await does(juliet, affiliate('tybalt@localhost', 'outcast'))
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      // there, gone or never there: the answer is the same
      const answers = new Set<string>()
      for (const player of [benvolio, tybalt]) {
        for (const id of ['1', '2', 'c', 'r', 'nothing', tag('1')]) {
          for (const value of ['5', '9', 'abc']) {
            const answer = await player.request(publish(rating(value, id)))
            answers.add(childrenOf(answer, 'error').join(''))
          }
        }
      }
      assert.equal(answers.size, 1)
      assert.match([...answers].join(''), /<forbidden/)
      // an item of another channel is not there either
      await does(romeo, `<iq type='set' to='${SERVICE}'><query xmlns='jabber:iq:register'/></iq>`)
      const romeos = node('romeo@localhost', 'posts')
      await does(romeo, publish(entry('x'), { id: 'x', to: romeos }))
      await isRefused(
        romeo,
        publish(rating('5', tag('1'), tag('1')), { to: romeos }),
        `${BAD} parent-item-not-found`
      )
      await isRefused(
        romeo,
        publish(rating('5', 'x', tag('1')), { to: romeos }),
        `${BAD} targeted-item-not-found`
      )
      // nodes with one item have no threads, and so no ratings
      const status = node('romeo@localhost', 'status')
      await does(romeo, publish(entry('x'), { id: 'x', to: status }))
      await isRefused(romeo, publish(rating('5', 'x'), { to: status }), `${BAD} parent-item-not-found`)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('binary mode: only the one value is accepted', async t => {
    const server = await startChannels(t, database, { ratings: { only: 5 } })
    await play(server, async ({ juliet }) => {
      await does(juliet, publish(entry('1'), { id: '1' }))
      for (const value of ['1', '4.0', '6', '0']) {
        await isRefused(juliet, publish(rating(value, '1')), `${BAD} rating-out-of-range`)
      }
      await isRefused(juliet, publish(rating('like', '1')), `${BAD} invalid-rating`)
      await does(juliet, publish(rating('5.0', '1')))
      await isRefused(juliet, publish(rating('5', '1')), `${BAD} item-already-rated`)
    })
    assert.deepEqual(server.errors(), [])
  })
})
