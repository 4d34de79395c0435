import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf, childText } from '../../../core/xml'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  asks,
  ATOM,
  BUDDYCLOUD,
  configure,
  does,
  entry,
  iq,
  isRefused,
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
  RSM,
  startChannels,
  subscribe,
  tag,
  TOMBSTONE
} from './lib'

const BAD = 'modify bad-request'
const ERRORS = `${BUDDYCLOUD}/errors`
const ROMEOS = node('romeo@localhost', 'posts')

type List = 'replies' | 'thread'

function listOf(name: List, id: string, set = '', of = POSTS): string {
  return iq('get', `<${name} xmlns='${BUDDYCLOUD}' node='${of}' item_id='${id}'/>${rsm(set)}`)
}

function threads(set = '', of = POSTS): string {
  return iq('get', `<threads xmlns='${BUDDYCLOUD}' node='${of}'/>${rsm(set)}`)
}

function rsm(inside: string): string {
  return inside && `<set xmlns='${RSM}'>${inside}</set>`
}

function local(id: string): string {
  return id.slice(id.lastIndexOf(',') + 1)
}

interface Page {
  /** Local ids; `†` before what is a tombstone. */
  ids: string[]
  set?: (string | undefined)[]
}

/** What a list answers; `set` is first, index, last and count. */
async function page(player: Player, request: string): Promise<Page> {
  const answer = await player.request(request)
  assert.equal(answer.attrs.type, 'result', String(answer))
  const pubsub = childOf(answer, 'pubsub', PUBSUB)
  const list = pubsub && childOf(pubsub, 'items', PUBSUB)
  assert.ok(pubsub && list)
  return { ids: childrenOf(list, 'item').map(nameOf), ...setOf(pubsub) }
}

function nameOf(item: Parameters<typeof childOf>[0]): string {
  const id = String(item.attrs.id)
  assert.ok(id.startsWith('tag:channels.localhost,'), id)
  return (childOf(item, 'deleted-entry', TOMBSTONE) ? '†' : '') + local(id)
}

function setOf(parent: Parameters<typeof childOf>[0]): { set?: (string | undefined)[] } {
  const set = childOf(parent, 'set', RSM)
  if (set === undefined) return {}
  const first = childText(set, 'first')
  const last = childText(set, 'last')
  return {
    set: [
      first && local(first),
      childOf(set, 'first')?.attrs.index,
      last && local(last),
      childText(set, 'count')
    ]
  }
}

/** The threads of a page: `1: 1 a b`, with what a thread says where it is not whole. */
async function threadPage(player: Player, request: string): Promise<{ threads: string[]; set?: unknown[] }> {
  const answer = await player.request(request)
  assert.equal(answer.attrs.type, 'result', String(answer))
  const pubsub = childOf(answer, 'pubsub', PUBSUB)
  assert.ok(pubsub)
  const threads = childrenOf(pubsub, 'thread', PUBSUB).map(thread => {
    assert.equal(thread.attrs.node, POSTS)
    assert.match(String(thread.attrs.updated), /^\d{4}-.*Z$/)
    const { set } = setOf(thread)
    const ids = childrenOf(thread, 'item').map(nameOf).join(' ')
    return `${local(String(thread.attrs.id))}: ${ids}${set ? ` (${set[0]} to ${set[2]})` : ''}`
  })
  return { threads, ...setOf(pubsub) }
}

/** Posts 1 and 2; 1 has comments a, b, c, of which b was deleted, and a rating r. */
async function discuss({ juliet, romeo }: Record<'juliet' | 'romeo', Player>): Promise<void> {
  await does(juliet, affiliate('romeo@localhost', 'publisher'))
  for (const id of ['1', '2']) await does(juliet, publish(entry(id), { id }))
  for (const id of ['a', 'b', 'c']) await does(romeo, publish(entry(id, replyTo('1')), { id }))
  await does(romeo, publish(rating('4', '1', 'a'), { id: 'r' }))
  await does(romeo, retract('b'))
}

onEachDatabase('threads', database => {
  test('draft 2014-01 §7.5: replies, newest first, in pages, tombstones in their place', async t => {
    const server = await startChannels(t, database, { channels: { itemsPerPage: 3 } })
    await play(server, async players => {
      const { juliet, benvolio } = players
      await discuss(players)
      assert.deepEqual(await page(benvolio, listOf('replies', tag('1'))), {
        ids: ['r', 'c', '†b'],
        set: ['r', '0', 'b', undefined]
      })
      assert.deepEqual(await page(benvolio, listOf('replies', '1', '<max>2</max><after>c</after>')), {
        ids: ['†b', 'a'],
        set: ['b', undefined, 'a', undefined]
      })
      assert.deepEqual((await page(benvolio, listOf('replies', '1', `<after>${tag('a')}</after>`))).ids, [])
      assert.deepEqual((await page(benvolio, listOf('replies', '1', '<max>2</max><before/>'))).ids, [
        '†b',
        'a'
      ])
      assert.deepEqual((await page(benvolio, listOf('replies', '1', '<max>1</max><before>b</before>'))).ids, [
        'c'
      ])
      // a comment has no replies, and neither has a post that nobody has answered
      for (const id of ['a', 'b', '2']) {
        assert.deepEqual(await page(benvolio, listOf('replies', id)), { ids: [] }, id)
      }
      assert.deepEqual(await page(benvolio, listOf('replies', '2', '<max>9</max>')), {
        ids: [],
        set: [undefined, undefined, undefined, '0']
      })
      await asks(
        benvolio,
        listOf('replies', '1', '<max>1</max><after>b</after>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'><item id='${tag('a')}'>
           <entry xmlns='${ATOM}'><content>a</content></entry></item></items></pubsub></iq>`
      )
      // the post is gone, with all that answered it
      await does(juliet, retract('1'))
      assert.deepEqual((await page(benvolio, listOf('replies', '1'))).ids, ['†r', '†c', '†b'])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('draft 2014-01 §7.6: the thread of a post or of any reply, newest first', async t => {
    const server = await startChannels(t, database)
    await play(server, async players => {
      const { juliet, benvolio } = players
      await discuss(players)
      for (const id of ['1', 'a', tag('b'), 'r']) {
        assert.deepEqual(await page(benvolio, listOf('thread', id)), { ids: ['r', 'c', '†b', 'a', '1'] }, id)
      }
      assert.deepEqual(await page(benvolio, listOf('thread', 'a', '<max>99</max>')), {
        ids: ['r', 'c', '†b', 'a', '1'],
        set: ['r', '0', '1', '5']
      })
      assert.deepEqual((await page(benvolio, listOf('thread', '1', '<max>2</max><after>b</after>'))).ids, [
        'a',
        '1'
      ])
      assert.deepEqual((await page(benvolio, listOf('thread', '1', '<max>1</max><before/>'))).ids, ['1'])
      assert.deepEqual((await page(benvolio, listOf('thread', '1', '<before>c</before>'))).ids, ['r'])
      // where an edit is, the post is
      await does(juliet, publish(entry('1, edited'), { id: '1' }))
      assert.deepEqual((await page(benvolio, listOf('thread', '1', '<max>2</max>'))).ids, ['1', 'r'])
      await does(juliet, retract('1'))
      assert.deepEqual((await page(benvolio, listOf('thread', 'a'))).ids, ['†1', '†r', '†c', '†b', '†a'])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('threads of a node: the newest activity first, each from its post on, in pages', async t => {
    const server = await startChannels(t, database, { channels: { itemsPerPage: 3 } })
    await play(server, async players => {
      const { juliet, romeo, benvolio } = players
      assert.deepEqual(await threadPage(benvolio, threads()), { threads: [] })
      await discuss(players)
      await does(juliet, publish(entry('3'), { id: '3' }))
      const whole = ['3: 3', '1: 1 †b c r (r to b)', '2: 2']
      assert.deepEqual(await threadPage(benvolio, threads()), { threads: whole })
      // what is left out is had by the page that it names
      assert.deepEqual((await page(benvolio, listOf('thread', '1', '<after>b</after>'))).ids, ['a', '1'])
      assert.deepEqual(await threadPage(benvolio, threads('<max>2</max>')), {
        threads: whole.slice(0, 2),
        set: ['3', '0', '1', undefined]
      })
      assert.deepEqual(await threadPage(benvolio, threads(`<max>2</max><after>${tag('1')}</after>`)), {
        threads: ['2: 2'],
        set: ['2', undefined, '2', undefined]
      })
      assert.deepEqual((await threadPage(benvolio, threads('<max>1</max><before/>'))).threads, ['2: 2'])
      assert.deepEqual((await threadPage(benvolio, threads('<max>1</max><before>2</before>'))).threads, [
        whole[1]
      ])
      // as old clients ask
      assert.deepEqual(await threadPage(benvolio, iq('get', `<threads node='${POSTS}'/>`)), {
        threads: whole
      })
      await does(romeo, publish(entry('d', replyTo('2')), { id: 'd' }))
      await does(juliet, retract('1'))
      assert.deepEqual(await threadPage(benvolio, threads()), {
        threads: ['2: 2 d', '3: 3', '1: †1 †b †c †r (r to b)']
      })
      await isRefused(benvolio, threads('<after>d</after>'), 'cancel item-not-found')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('draft 2014-01 §7.4: an answer stays below 64 KiB, and never without a thread', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, benvolio }) => {
      const long = 'é'.repeat(8000)
      for (const id of ['1', '2', '3']) await does(juliet, publish(entry(long), { id }))
      for (const id of ['a', 'b', 'c', 'd']) await does(juliet, publish(entry(long, replyTo('2')), { id }))
      const newest = await threadPage(benvolio, threads())
      assert.deepEqual(newest, { threads: ['2: 2 c d (d to c)'], set: ['2', '0', '2', '3'] })
      assert.deepEqual((await threadPage(benvolio, threads('<after>2</after>'))).threads, ['3: 3', '1: 1'])
      const last = await threadPage(benvolio, threads('<before/>'))
      assert.deepEqual(last, { threads: ['3: 3', '1: 1'], set: ['3', '1', '1', '3'] })
      assert.deepEqual((await page(benvolio, listOf('replies', '2'))).ids, ['d', 'c', 'b'])
      assert.deepEqual((await page(benvolio, listOf('thread', '2', '<before/>'))).ids, ['b', 'a', '2'])
      for (const request of [threads(), listOf('thread', '2'), listOf('replies', '2')]) {
        assert.ok(Buffer.byteLength(String(await benvolio.request(request))) < 65_536)
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('reference §3.7: whoever may read the items may read these, and nobody learns anything else', async t => {
    const server = await startChannels(t, database)
    await play(server, async players => {
      const { juliet, romeo, benvolio, tybalt } = players
      await discuss(players)
      await does(juliet, affiliate('tybalt@localhost', 'outcast'))
      const requests = (id: string): string[] => [
        listOf('replies', id),
        listOf('thread', id),
        threads(),
        iq('get', `<items node='${POSTS}'><item id='${id}'/></items>`)
      ]
      // there or not, it is refused in the same way (table 7)
      for (const request of ['1', 'nothing'].flatMap(requests))
        await isRefused(tybalt, request, 'auth forbidden')
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      for (const request of ['1', 'nothing'].flatMap(requests)) {
        await isRefused(benvolio, request, 'auth forbidden closed-node')
      }
      await does(benvolio, subscribe('benvolio@localhost'))
      for (const request of ['1', 'nothing'].flatMap(requests)) {
        await isRefused(benvolio, request, 'auth not-authorized pending-subscription')
      }
      for (const request of requests('1')) await does(romeo, request)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('reference §3.7: the errors, and requests that make no sense', async t => {
    const server = await startChannels(t, database)
    await play(server, async players => {
      const { romeo } = players
      await discuss(players)
      await does(romeo, register())
      await does(romeo, publish(entry('elsewhere'), { id: 'elsewhere', to: ROMEOS }))
      for (const name of ['replies', 'thread'] as const) {
        const bare = (attrs: string): string => iq('get', `<${name} xmlns='${BUDDYCLOUD}' ${attrs}/>`)
        await isRefused(romeo, bare("item_id='1'"), `${BAD} nodeid-required`)
        await isRefused(romeo, bare("node=''"), `${BAD} nodeid-required`)
        await isRefused(romeo, bare(`node='${POSTS}'`), `${BAD} itemid-required`)
        await isRefused(romeo, bare(`node='${POSTS}' item_id=''`), `${BAD} itemid-required`)
        await isRefused(romeo, bare("node='nonsense' item_id='1'"), `${BAD} invalid-node-format`, ERRORS)
        await isRefused(romeo, listOf(name, '1', '', node(JULIET, 'nothing')), 'cancel item-not-found')
        for (const id of [
          'nothing',
          'elsewhere',
          tag('elsewhere', ROMEOS),
          `tag:evil.lit,${POSTS},1`,
          'x'.repeat(4000)
        ]) {
          await isRefused(romeo, listOf(name, id), 'cancel item-not-found parent-item-not-found', ERRORS)
        }
        await isRefused(romeo, listOf(name, 'tag:x,y'), `${BAD} global-id-error`, ERRORS)
        // RSM with ids of other nodes and of other threads
        for (const id of [
          'elsewhere',
          tag('elsewhere', ROMEOS),
          '2',
          'nonsense',
          `tag:evil.lit,${POSTS},a`
        ]) {
          await isRefused(romeo, listOf(name, '1', `<after>${id}</after>`), 'cancel item-not-found')
          await isRefused(romeo, listOf(name, '1', `<before>${id}</before>`), 'cancel item-not-found')
        }
        await isRefused(romeo, listOf(name, '1', '<index>1</index>'), 'cancel feature-not-implemented')
        await isRefused(romeo, listOf(name, '1', '<max>x</max>'), BAD)
        await isRefused(romeo, iq('set', `<${name} xmlns='${BUDDYCLOUD}' node='${POSTS}' item_id='1'/>`), BAD)
        await isRefused(
          romeo,
          iq('get', `<${name} xmlns='${BUDDYCLOUD}' node='${POSTS}' item_id='1'/><x xmlns='urn:x'/>`),
          BAD
        )
      }
      await isRefused(romeo, listOf('replies', '1', '<after>1</after>'), 'cancel item-not-found')
      await isRefused(romeo, iq('get', `<threads xmlns='${BUDDYCLOUD}'/>`), `${BAD} nodeid-required`)
      await isRefused(romeo, threads('', node(JULIET, 'nothing')), 'cancel item-not-found')
      await isRefused(romeo, threads(`<after>${tag('elsewhere', ROMEOS)}</after>`), 'cancel item-not-found')
      await isRefused(romeo, iq('set', `<threads node='${POSTS}'/>`), BAD)
      await isRefused(
        romeo,
        iq('get', `<hasOwnProperty xmlns='${BUDDYCLOUD}'/>`),
        'cancel feature-not-implemented'
      )
    })
    assert.deepEqual(server.errors(), [])
  })
})
