import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf, childText } from '../../../core/xml'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  asks,
  does,
  entry,
  isRefused,
  items,
  onEachDatabase,
  play,
  POSTS,
  publish,
  PUBSUB,
  replyTo,
  retract,
  RSM,
  SERVICE,
  startChannels,
  tag
} from './lib'

const ITEMS = 'http://jabber.org/protocol/disco#items'

interface Page {
  ids: string[]
  first: string | undefined
  index: string | undefined
  last: string | undefined
  count: string | undefined
}

/** Local parts of the ids in a page, and what its `<set/>` says. */
async function page(player: Player, attrs: string, set = ''): Promise<Page> {
  const answer = await player.request(items(attrs, set && `<set xmlns='${RSM}'>${set}</set>`))
  assert.equal(answer.attrs.type, 'result', String(answer))
  const pubsub = childOf(answer, 'pubsub', PUBSUB)
  const list = pubsub && childOf(pubsub, 'items', PUBSUB)
  assert.ok(list && pubsub)
  const local = (id: string): string => id.slice(id.lastIndexOf(',') + 1)
  const info = childOf(pubsub, 'set', RSM)
  const first = info && childText(info, 'first')
  const last = info && childText(info, 'last')
  return {
    ids: childrenOf(list, 'item').map(item => local(String(item.attrs.id))),
    first: first && local(first),
    index: info && childOf(info, 'first')?.attrs.index,
    last: last && local(last),
    count: info && childText(info, 'count')
  }
}

onEachDatabase('items', database => {
  test('newest first, in pages (XEP-0059), tombstones included', async t => {
    const server = await startChannels(t, database, { channels: { itemsPerPage: 4 } })
    await play(server, async ({ juliet }) => {
      assert.deepEqual(await page(juliet, ''), {
        ids: [],
        first: undefined,
        index: undefined,
        last: undefined,
        count: undefined
      })
      assert.equal((await page(juliet, '', '<max>5</max>')).count, '0')
      for (const id of ['1', '2', '3', '4', '5', '6']) await does(juliet, publish(entry(id), { id }))
      await does(juliet, retract('3'))
      await does(juliet, publish(entry('2, edited'), { id: '2' }))
      const whole = ['2', '6', '5', '4', '3', '1']
      // what does not fit is said
      assert.deepEqual(await page(juliet, ''), {
        ids: whole.slice(0, 4),
        first: '2',
        index: '0',
        last: '4',
        count: '6'
      })
      assert.deepEqual((await page(juliet, "max_items='2'")).ids, whole.slice(0, 2))
      assert.deepEqual(await page(juliet, '', '<max>2</max>'), {
        ids: ['2', '6'],
        first: '2',
        index: '0',
        last: '6',
        count: '6'
      })
      const second = await page(juliet, '', `<max>2</max><after>${tag('6')}</after>`)
      assert.deepEqual(second, { ids: ['5', '4'], first: '5', index: '2', last: '4', count: '6' })
      // after one that was deleted, and by the local id
      const third = await page(juliet, '', '<max>2</max><after>3</after>')
      assert.deepEqual(third, { ids: ['1'], first: '1', index: '5', last: '1', count: '6' })
      assert.deepEqual((await page(juliet, '', '<max>2</max><after>1</after>')).ids, [])
      assert.deepEqual(await page(juliet, '', '<max>2</max><before/>'), {
        ids: ['3', '1'],
        first: '3',
        index: '4',
        last: '1',
        count: '6'
      })
      assert.deepEqual(await page(juliet, '', '<max>2</max><before>3</before>'), {
        ids: ['5', '4'],
        first: '5',
        index: '2',
        last: '4',
        count: '6'
      })
      assert.deepEqual((await page(juliet, '', '<max>3</max><before>6</before>')).ids, ['2'])
      assert.deepEqual(await page(juliet, '', '<max>0</max>'), {
        ids: [],
        first: undefined,
        index: undefined,
        last: undefined,
        count: '6'
      })
      const set = (inside: string): string => items('', `<set xmlns='${RSM}'>${inside}</set>`)
      await isRefused(juliet, set('<after>nonsense</after>'), 'cancel item-not-found')
      await isRefused(juliet, set('<after>tag:x,/user/a@b/posts,1</after>'), 'cancel item-not-found')
      await isRefused(juliet, set('<index>2</index>'), 'cancel feature-not-implemented')
      await isRefused(juliet, set('<after>1</after><before>2</before>'), 'modify bad-request')
      await isRefused(juliet, set('<max>many</max>'), 'modify bad-request')
      await isRefused(juliet, items("parent-only='maybe'"), 'modify bad-request')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('parent-only: threads, those with the newest activity first', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(juliet, affiliate('romeo@localhost', 'publisher'))
      for (const id of ['1', '2', '3']) await does(juliet, publish(entry(id), { id }))
      await does(romeo, publish(entry('a', replyTo('1')), { id: 'a' }))
      assert.deepEqual((await page(romeo, "parent-only='true'")).ids, ['1', '3', '2'])
      await does(romeo, publish(entry('b', replyTo('2')), { id: 'b' }))
      assert.deepEqual((await page(romeo, "parent-only='1'")).ids, ['2', '1', '3'])
      assert.deepEqual((await page(romeo, '')).ids, ['b', 'a', '3', '2', '1'])
      const first = await page(romeo, "parent-only='true'", '<max>2</max>')
      assert.deepEqual([first.ids, first.last], [['2', '1'], '1'])
      assert.deepEqual((await page(romeo, "parent-only='true'", '<max>2</max><after>1</after>')).ids, ['3'])
      assert.deepEqual((await page(romeo, "parent-only='true'", '<max>2</max><before/>')).ids, ['1', '3'])
      await isRefused(
        romeo,
        items("parent-only='true'", `<set xmlns='${RSM}'><after>a</after></set>`),
        'cancel item-not-found'
      )
      await does(juliet, retract('1'))
      assert.deepEqual((await page(romeo, "parent-only='true'")).ids, ['2', '1', '3'])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('a full node: the thread that was quiet for longest goes, without a word', async t => {
    const server = await startChannels(t, database, { channels: { itemsPerNode: 4 } })
    await play(server, async ({ juliet }) => {
      for (const id of ['1', '2']) await does(juliet, publish(entry(id), { id }))
      await does(juliet, publish(entry('a', replyTo('1')), { id: 'a' }))
      await does(juliet, publish(entry('3'), { id: '3' }))
      await does(juliet, publish(entry('4'), { id: '4' }))
      assert.deepEqual((await page(juliet, '')).ids, ['4', '3', 'a', '1'])
      await juliet.forgets()
      await does(juliet, publish(entry('5'), { id: '5' }))
      const left = await page(juliet, '', '<max>9</max>')
      assert.deepEqual([left.ids, left.count], [['5', '4', '3'], '3'])
      for (const stanza of juliet.unread) assert.ok(!String(stanza).includes('retract'))
      await isRefused(juliet, publish(entry('x', replyTo('1'))), 'modify bad-request parent-item-not-found')
      // what was dropped for lack of room was not deleted: its name is free
      await does(juliet, publish(entry('1 again'), { id: '1' }))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('a full node: no answer takes its own thread away (XEP-0060 §7.1.3.4)', async t => {
    const server = await startChannels(t, database, { channels: { itemsPerNode: 3 } })
    await play(server, async ({ juliet }) => {
      await does(juliet, publish(entry('old'), { id: 'old' }))
      await does(juliet, publish(entry('1'), { id: '1' }))
      for (const id of ['a', 'b']) await does(juliet, publish(entry(id, replyTo('1')), { id }))
      assert.deepEqual((await page(juliet, '')).ids, ['b', 'a', '1'])
      await isRefused(juliet, publish(entry('c', replyTo('1')), { id: 'c' }), 'cancel conflict node-full')
      const left = await page(juliet, '', '<max>9</max>')
      assert.deepEqual([left.ids, left.count], [['b', 'a', '1'], '3'])
      // an edit needs no room, and a new thread takes that of the old one
      await does(juliet, publish(entry('b again', replyTo('1')), { id: 'b' }))
      await does(juliet, publish(entry('2'), { id: '2' }))
      assert.deepEqual((await page(juliet, '')).ids, ['2'])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('a page ends where a stanza would be too long', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      for (const id of ['1', '2', '3']) await does(juliet, publish(entry('x'.repeat(25_000)), { id }))
      const first = await page(juliet, '')
      assert.deepEqual(first, { ids: ['3', '2'], first: '3', index: '0', last: '2', count: '3' })
      assert.deepEqual((await page(juliet, '', '<after>2</after>')).ids, ['1'])
      assert.deepEqual((await page(juliet, '', '<before/>')).ids, ['2', '1'])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('disco#items of a node has pages, too (XEP-0060 §5.5, XEP-0059), without what was deleted', async t => {
    const server = await startChannels(t, database, { channels: { itemsPerPage: 3 } })
    await play(server, async ({ juliet }) => {
      for (const id of ['1', '2', '3', '4', '5']) await does(juliet, publish(entry(id), { id }))
      const list = (set: string): string =>
        `<iq type='get' to='${SERVICE}'><query xmlns='${ITEMS}' node='${POSTS}'>${set}</query></iq>`
      const answer = (ids: string[], first: number | undefined, count: string): string => {
        const rows = ids.map(id => `<item jid='${SERVICE}' name='${tag(id)}'/>`).join('')
        const [top, end] = [ids[0] ?? '', ids[ids.length - 1] ?? '']
        const place = first === undefined ? '' : ` index='${first}'`
        return `<iq type='result'><query xmlns='${ITEMS}' node='${POSTS}' t:exact='yes'>${rows}
          <set xmlns='${RSM}'><first${place}>${tag(top)}</first><last>${tag(end)}</last>${count}</set></query></iq>`
      }
      const count = '<count>5</count>'
      await asks(juliet, list(''), answer(['5', '4', '3'], 0, count))
      const set = (inside: string): string => list(`<set xmlns='${RSM}'>${inside}</set>`)
      await asks(juliet, set('<max>2</max>'), answer(['5', '4'], 0, count))
      await asks(juliet, set(`<max>2</max><after>${tag('4')}</after>`), answer(['3', '2'], 2, count))
      await asks(juliet, set('<max>2</max><before/>'), answer(['2', '1'], 3, count))
      await isRefused(juliet, set('<after>none</after>'), 'cancel item-not-found')
      await does(juliet, retract('4'))
      const live = (ids: string[]): string => ids.map(id => `<item name='${tag(id)}'/>`).join('')
      await asks(
        juliet,
        list(''),
        `<iq type='result'><query xmlns='${ITEMS}'>${live(['5', '3'])}<item name='${tag('4')}' t:absent='yes'/>
           <set xmlns='${RSM}'><last>${tag('3')}</last><count t:absent='yes'/></set></query></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })
})
