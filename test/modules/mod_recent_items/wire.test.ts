import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf, childText } from '../../../core/xml'
import { NewsTable } from '../../../modules/mod_channels/store/news-table'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  asks,
  ATOM,
  BUDDYCLOUD,
  configure,
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
  RSM,
  startChannels,
  subscribe,
  tag,
  TOPICS,
  unsubscribe,
  withDatabase
} from '../mod_channels/lib'

const BAD = 'modify bad-request'

function recent(attrs: string, set = ''): string {
  return iq(
    'get',
    `<recent-items xmlns='${BUDDYCLOUD}' ${attrs}/>${set && `<set xmlns='${RSM}'>${set}</set>`}`
  )
}

interface Page {
  /** Local ids, grouped as they came: `posts of juliet: 1 2`. */
  groups: string[]
  first: string | undefined
  index: string | undefined
  last: string | undefined
  count: string | undefined
}

async function page(player: Player, attrs: string, set = ''): Promise<Page> {
  const answer = await player.request(recent(attrs, set))
  assert.equal(answer.attrs.type, 'result', String(answer))
  const pubsub = childOf(answer, 'pubsub', PUBSUB)
  assert.ok(pubsub)
  const info = childOf(pubsub, 'set', RSM)
  return {
    groups: childrenOf(pubsub, 'items').map(list => {
      const of = String(list.attrs.node)
      const ids = childrenOf(list, 'item').map(item => String(item.attrs.id))
      for (const id of ids) assert.ok(id.startsWith(`tag:channels.localhost,${of},`))
      return `${/user\/(.*?)@/.exec(of)?.[1]}: ${ids.map(id => id.slice(id.lastIndexOf(',') + 1)).join(' ')}`
    }),
    first: info && childText(info, 'first'),
    index: info && childOf(info, 'first')?.attrs.index,
    last: info && childText(info, 'last'),
    count: info && childText(info, 'count')
  }
}

const SINCE = "since='2014-01-01T00:00:00Z'"
const ROMEOS = node('romeo@localhost', 'posts')
const CREW = node(`crew@${TOPICS}`, 'posts')

onEachDatabase('recent items', database => {
  test('protoXEP §6.1.1.1: the four errors, max first', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      const cases: [string, string][] = [
        ['', 'max-required'],
        ["since='nonsense'", 'max-required'],
        ["max='0' since='nonsense'", 'invalid-max-value-provided'],
        ["max='-1'", 'invalid-max-value-provided'],
        ["max='many'", 'invalid-max-value-provided'],
        ["max='1.5'", 'invalid-max-value-provided'],
        ["max=''", 'invalid-max-value-provided'],
        ["max='5'", 'since-required'],
        ["max='5' since=''", 'invalid-since-value-provided'],
        ["max='5' since='yesterday'", 'invalid-since-value-provided'],
        ["max='5' since='2014-02-30T00:00:00Z'", 'invalid-since-value-provided']
      ]
      for (const [attrs, code] of cases) await isRefused(juliet, recent(attrs), `${BAD} ${code}`)
      // example 7, as it is printed
      await does(juliet, recent("since='2014-04-18T10:46.100Z' max='50' parent-only='true'"))
      await isRefused(juliet, recent(`${SINCE} max='5' parent-only='perhaps'`), BAD)
      for (const set of [
        '<after>nonsense</after>',
        '<before>a.b.c</before>',
        `<after>${tag('none')}</after>`
      ]) {
        await isRefused(juliet, recent(`${SINCE} max='5'`, set), 'cancel item-not-found')
      }
      await isRefused(
        juliet,
        recent(`${SINCE} max='5'`, '<index>1</index>'),
        'cancel feature-not-implemented'
      )
      await isRefused(juliet, iq('set', `<recent-items xmlns='${BUDDYCLOUD}' ${SINCE} max='5'/>`), BAD)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('what is new in all followed channels, newest first, grouped, in pages while more arrives', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio }) => {
      await does(romeo, register())
      await does(juliet, create(CREW))
      await does(juliet, affiliate('romeo@localhost', 'publisher'))
      for (const of of [POSTS, ROMEOS, CREW]) await does(benvolio, subscribe('benvolio@localhost', of))
      await does(juliet, publish(entry('1'), { id: '1' }))
      await does(juliet, publish(entry('2'), { id: '2' }))
      await does(romeo, publish(entry('3'), { id: '3', to: ROMEOS }))
      await does(juliet, publish(entry('c'), { id: 'c', to: CREW }))
      await does(romeo, publish(entry('4', replyTo('1')), { id: '4' }))
      await does(juliet, publish(rating('5', '1', '4'), { id: '5' }))
      // other nodes are not in it
      await does(juliet, publish(entry('status'), { to: node(JULIET, 'status') }))

      const all = ['juliet: 5 4', 'crew: c', 'romeo: 3', 'juliet: 2 1']
      assert.deepEqual((await page(benvolio, `${SINCE} max='9'`)).groups, all)
      assert.deepEqual((await page(benvolio, `${SINCE} max='9' parent-only='true'`)).groups, [
        'crew: c',
        'romeo: 3',
        'juliet: 2 1'
      ])
      assert.deepEqual((await page(benvolio, `${SINCE} max='1'`)).groups, [
        'juliet: 5',
        'crew: c',
        'romeo: 3'
      ])
      assert.deepEqual((await page(benvolio, "since='9999-12-31' max='1'")).groups, [])

      const first = await page(benvolio, `${SINCE} max='9'`, '<max>2</max>')
      assert.deepEqual([first.groups, first.index], [['juliet: 5 4'], '0'])
      await does(juliet, publish(entry('6'), { id: '6' }))
      await does(juliet, publish(entry('2, edited'), { id: '2' }))
      const second = await page(benvolio, `${SINCE} max='9'`, `<max>2</max><after>${first.last}</after>`)
      assert.deepEqual(second.groups, ['crew: c', 'romeo: 3'])
      // by the id of an item too
      const by = `<max>2</max><after>${tag('c', CREW)}</after>`
      assert.deepEqual((await page(benvolio, `${SINCE} max='9'`, by)).groups, ['romeo: 3', 'juliet: 1'])
      await does(juliet, retract('1'))
      assert.deepEqual((await page(benvolio, `${SINCE} max='9'`, `<after>${second.last}</after>`)).groups, [])
      const back = await page(benvolio, `${SINCE} max='9'`, `<max>1</max><before>${second.last}</before>`)
      assert.deepEqual(back.groups, ['crew: c'])
      const whole = await page(benvolio, `${SINCE} max='9'`, '<max>99</max>')
      assert.deepEqual([whole.groups, whole.count], [['juliet: 2 6', 'crew: c', 'romeo: 3'], '4'])
      assert.equal((await page(benvolio, `${SINCE} max='9'`, '<max>0</max>')).count, '4')
      assert.deepEqual((await page(benvolio, `${SINCE} max='9'`, '<max>1</max><before/>')).groups, [
        'romeo: 3'
      ])

      // since this very moment: what is of that moment is in it
      const answer = await benvolio.request(recent(`${SINCE} max='9'`, '<max>1</max>'))
      const updated = childOf(answer, 'pubsub')
        ?.getChild('items')
        ?.getChild('item')
        ?.getChild('entry', ATOM)
        ?.getChildText('updated')
      assert.deepEqual((await page(benvolio, `since='${updated}' max='1'`)).groups, ['juliet: 2'])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('reference §3.7: user-items has all nodes, without max, and its errors', async t => {
    const server = await startChannels(t, database, { recentItems: { itemsPerChannel: 2, itemsPerPage: 3 } })
    const all = (attrs: string, set = ''): string =>
      iq('get', `<user-items xmlns='${BUDDYCLOUD}' ${attrs}/>${set && `<set xmlns='${RSM}'>${set}</set>`}`)
    await play(server, async ({ juliet, romeo, tybalt }) => {
      await isRefused(juliet, all(''), `${BAD} since-required`)
      await isRefused(juliet, all("since='yesterday'"), `${BAD} invalid-since-value-provided`)
      await isRefused(juliet, all(`${SINCE} parent-only='2'`), BAD)
      await isRefused(juliet, iq('set', `<user-items xmlns='${BUDDYCLOUD}' ${SINCE}/>`), BAD)
      await isRefused(juliet, all(SINCE, '<after>nonsense</after>'), 'cancel item-not-found')
      await does(romeo, subscribe('romeo@localhost'))
      await does(juliet, publish(entry('1'), { id: '1' }))
      await does(juliet, publish(entry('2'), { id: '2' }))
      await does(juliet, publish(entry('a', replyTo('2')), { id: 'a' }))
      await does(juliet, publish(entry('waiting'), { id: 's', to: node(JULIET, 'status') }))
      const mood = "<mood xmlns='http://jabber.org/protocol/mood'><happy/></mood>"
      await does(juliet, publish(mood, { id: 'm', to: node(JULIET, 'mood') }))
      const groups = (answer: Awaited<ReturnType<Player['request']>>): string[] =>
        childrenOf(childOf(answer, 'pubsub', PUBSUB) ?? answer, 'items').map(
          list =>
            `${list.attrs.node}: ${childrenOf(list)
              .map(item => item.attrs.id)
              .join(' ')}`
        )
      const status = node(JULIET, 'status')
      const whole = [
        `${node(JULIET, 'mood')}: m`,
        `${status}: ${tag('s', status)}`,
        `${POSTS}: ${tag('a')}`,
        `${POSTS}: ${tag('2')}`
      ]
      const first = await romeo.request(all(SINCE, '<max>3</max>'))
      assert.deepEqual(groups(first), whole.slice(0, 3))
      const last = childText(childOf(childOf(first, 'pubsub') ?? first, 'set', RSM) ?? first, 'last')
      assert.deepEqual(groups(await romeo.request(all(SINCE, `<after>${last}</after>`))), whole.slice(3))
      assert.deepEqual(groups(await romeo.request(all(`${SINCE} parent-only='true'`))), [
        whole[0],
        whole[1],
        `${POSTS}: ${tag('2')}`
      ])
      assert.deepEqual(groups(await tybalt.request(all(SINCE))), [])
      assert.deepEqual(groups(await romeo.request(all("since='9999-12-31'"))), [])
      await does(juliet, affiliate('romeo@localhost', 'outcast'))
      assert.deepEqual(groups(await romeo.request(all(SINCE))), [])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('only what the asker may read now', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      const mine = async (player: Player): Promise<string[]> =>
        (await page(player, `${SINCE} max='9'`)).groups
      await does(juliet, publish(entry('1'), { id: '1' }))
      assert.deepEqual(await mine(romeo), [])
      await does(romeo, subscribe('romeo@localhost'))
      assert.deepEqual(await mine(romeo), ['juliet: 1'])
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      assert.deepEqual(await mine(romeo), ['juliet: 1'])
      await does(benvolio, subscribe('benvolio@localhost'))
      assert.deepEqual(await mine(benvolio), [])
      await does(juliet, affiliate('romeo@localhost', 'outcast'))
      assert.deepEqual(await mine(romeo), [])
      await does(juliet, affiliate('benvolio@localhost', 'member'))
      assert.deepEqual(await mine(benvolio), ['juliet: 1'])
      await does(benvolio, unsubscribe('benvolio@localhost'))
      assert.deepEqual(await mine(benvolio), [])
      assert.deepEqual(await mine(juliet), ['juliet: 1'])
      // whoever is nobody in a closed channel reads nothing in it
      await does(romeo, register())
      await does(romeo, configure({ 'pubsub#access_model': 'authorize' }, ROMEOS))
      await does(romeo, publish(entry('r'), { id: 'r', to: ROMEOS }))
      await does(romeo, affiliate('tybalt@localhost', 'member', ROMEOS))
      await does(tybalt, subscribe('tybalt@localhost', ROMEOS))
      assert.deepEqual(await mine(tybalt), ['romeo: r'])
      await does(romeo, affiliate('tybalt@localhost', 'none', ROMEOS))
      const reads = (await tybalt.request(items('', '', ROMEOS))).attrs.type === 'result'
      assert.deepEqual(await mine(tybalt), reads ? ['romeo: r'] : [])
      // nor does an id tell what is there
      for (const id of ['r', 'nothing']) {
        for (const way of ['after', 'before']) {
          const set = `<${way}>${tag(id, ROMEOS)}</${way}>`
          await isRefused(juliet, recent(`${SINCE} max='9'`, set), 'cancel item-not-found')
        }
      }
      await does(juliet, register('<remove/>'))
      assert.deepEqual(await mine(juliet), [])
      await does(juliet, register())
      assert.deepEqual(await mine(juliet), [])
      await does(juliet, publish(entry('2'), { id: '2' }))
      assert.deepEqual(await mine(juliet), ['juliet: 2'])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('a channel whose news were deleted has none: it is not looked into', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      for (const id of ['1', '2']) await does(juliet, publish(entry(id), { id }))
      await does(juliet, publish(entry('a', replyTo('1')), { id: 'a' }))
      await does(juliet, publish(rating('5', '1'), { id: 'r' }))
      const times = () =>
        withDatabase(server, async opened => {
          const [node] = await opened.read.query<{ id: number }>(
            opened.knex('channel_nodes').where('type', 'posts')
          )
          const items = await opened.read.query<{ item_id: string; updated: number }>(
            opened.knex('channel_items')
          )
          const at = (id: string): number => items.find(item => item.item_id === id)?.updated ?? 0
          const [row] = await new NewsTable(opened, 'channels.localhost').of(opened.read, [node?.id ?? 0])
          return { row: [row?.last_item, row?.last_root, row?.last_comment], at }
        })
      let { row, at } = await times()
      assert.deepEqual(row, [at('r'), at('2'), at('a')])
      for (const id of ['r', 'a', '2']) await does(juliet, retract(id))
      ;({ row, at } = await times())
      assert.deepEqual(row, [at('1'), at('1'), 0])
      await does(juliet, retract('1'))
      assert.deepEqual((await times()).row, [0, 0, 0])
      assert.deepEqual((await page(juliet, `${SINCE} max='9'`)).groups, [])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('without the module nobody answers, and with it again all is known', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      await does(juliet, publish(entry('1'), { id: '1' }))
      const { modules } = server.server.api
      assert.ok((await modules.unload('recent_items')).ok)
      await isRefused(juliet, recent(`${SINCE} max='1'`), 'cancel feature-not-implemented')
      await does(juliet, publish(entry('2'), { id: '2' }))
      assert.ok((await modules.load('recent_items')).ok)
      assert.deepEqual((await page(juliet, `${SINCE} max='1'`)).groups, ['juliet: 2'])
      assert.ok((await modules.reload('channels')).ok)
      await does(juliet, publish(entry('3'), { id: '3' }))
      await asks(
        juliet,
        recent(`${SINCE} max='1'`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'><item id='${tag('3')}'/></items></pubsub></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })
})
