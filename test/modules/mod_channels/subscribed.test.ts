import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf, childText, type Element } from '../../../core/xml'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  asks,
  BUDDYCLOUD,
  configure,
  create,
  does,
  iq,
  isRefused,
  JULIET,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  PUBSUB,
  register,
  RSM,
  startChannels,
  subscribe,
  TOPICS
} from './lib'

const BAD = 'modify bad-request'
const CREW = node(`crew@${TOPICS}`, 'posts')
const TITLES = '<configuration-filter><allow field="title"/></configuration-filter>'

function followed(inside = '', set = '', attrs = ''): string {
  const page = set && `<set xmlns='${RSM}'>${set}</set>`
  return iq(
    'get',
    `<subscriptions-with-configuration xmlns='${BUDDYCLOUD}' ${attrs}>${inside}</subscriptions-with-configuration>${page}`
  )
}

function only(...fields: [string, string][]): string {
  const allows = fields.map(([field, value]) => `<allow field='${field}' value='${value}'/>`).join('')
  return `<subscription-filter>${allows}</subscription-filter>`
}

function show(...fields: string[]): string {
  return `<configuration-filter>${fields.map(field => `<allow field='${field}'/>`).join('')}</configuration-filter>`
}

interface Page {
  /** Node and state. */
  rows: string[]
  fields: Record<string, string>[]
  first: string | undefined
  last: string | undefined
  count: string | undefined
}

async function page(player: Player, request: string): Promise<Page> {
  const answer = await player.request(request)
  assert.equal(answer.attrs.type, 'result', String(answer))
  const pubsub = childOf(answer, 'pubsub', PUBSUB)
  const list = pubsub && childOf(pubsub, 'subscriptions-with-configuration', BUDDYCLOUD)
  assert.ok(pubsub && list)
  const set = childOf(pubsub, 'set', RSM)
  const entries = childrenOf(list, 'subscription-with-configuration', BUDDYCLOUD)
  return {
    rows: entries.map(({ attrs }) => `${attrs.node} ${attrs.subscription}`),
    fields: entries.map(fieldsOf),
    first: set && childText(set, 'first'),
    last: set && childText(set, 'last'),
    count: set && childText(set, 'count')
  }
}

function fieldsOf(one: Element): Record<string, string> {
  const configure = childOf(one, 'configure')
  assert.equal(configure?.attrs.node, one.attrs.node)
  const form = configure && childOf(configure, 'x', 'jabber:x:data')
  assert.ok(form)
  const fields = childrenOf(form, 'field').map(field => [field.attrs.var, childText(field, 'value') ?? ''])
  const { FORM_TYPE, ...rest } = Object.fromEntries(fields) as Record<string, string>
  assert.equal(FORM_TYPE, `${PUBSUB}#node_config`)
  return rest
}

/** Romeo follows Juliet's channel and a topic. */
async function follow({ juliet, romeo }: Record<'juliet' | 'romeo', Player>): Promise<void> {
  await does(juliet, configure({ 'pubsub#title': 'Juliet', 'pubsub#description': 'Hers &amp; &lt;his&gt;' }))
  await does(juliet, create(CREW, { 'pubsub#title': 'Crew' }))
  for (const of of [POSTS, CREW]) await does(romeo, subscribe('romeo@localhost', of))
}

onEachDatabase('subscriptions with configuration', database => {
  test('protoXEP §7.1: every followed node with its configuration (example 18)', async t => {
    const server = await startChannels(t, database)
    await play(server, async players => {
      const { romeo, tybalt } = players
      await follow(players)
      const { rows, fields, count } = await page(romeo, followed('', '<max>99</max>'))
      const types = ['posts', 'status', 'geoloc', 'geoloc-past', 'geoloc-future', 'public-key', 'mood']
      assert.deepEqual(rows, [...types.map(type => `${node(JULIET, type)} subscribed`), `${CREW} subscribed`])
      assert.equal(count, '8')
      const [posts, status] = fields
      assert.equal(posts?.['pubsub#title'], 'Juliet')
      assert.equal(posts?.['pubsub#description'], 'Hers & <his>')
      assert.equal(posts?.['pubsub#access_model'], 'open')
      assert.equal(posts?.['buddycloud#channel_type'], 'personal')
      assert.equal(posts?.['pubsub#owner'], JULIET)
      assert.equal(status?.['pubsub#title'], 'Juliet')
      assert.equal(fields[7]?.['buddycloud#channel_type'], 'topic')
      await asks(
        romeo,
        followed(),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions-with-configuration xmlns='${BUDDYCLOUD}'>
           <subscription-with-configuration node='${POSTS}' subscription='subscribed' jid='romeo@localhost'>
             <configure node='${POSTS}'><x xmlns='jabber:x:data' type='result'/></configure>
           </subscription-with-configuration></subscriptions-with-configuration></pubsub></iq>`
      )
      assert.deepEqual((await page(tybalt, followed())).rows, [])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§7.1: both filters (examples 19 and 20), fields with and without what is before their #', async t => {
    const server = await startChannels(t, database)
    await play(server, async players => {
      const { juliet, romeo, benvolio } = players
      await follow(players)
      for (const field of ['title', 'pubsub#title']) {
        const { rows, fields } = await page(romeo, followed(only([field, 'Crew']) + show('description')))
        assert.deepEqual([rows, fields], [[`${CREW} subscribed`], [{ 'pubsub#description': '' }]], field)
      }
      const topic = await page(
        romeo,
        followed(only(['channel_type', 'personal'], ['type', 'http://www.w3.org/2005/Atom']) + TITLES)
      )
      assert.deepEqual(topic.rows, [`${POSTS} subscribed`, `${node(JULIET, 'status')} subscribed`])
      assert.deepEqual(topic.fields, [{ 'pubsub#title': 'Juliet' }, { 'pubsub#title': 'Juliet' }])
      const nothing = [
        only(['title', 'Juliet'], ['title', 'Crew']),
        only(['title', 'juliet']),
        only(['no such field', 'Juliet']),
        only(['toString', 'x']),
        only(['buddycloud#title', 'Juliet'])
      ]
      for (const filter of nothing) assert.deepEqual((await page(romeo, followed(filter))).rows, [], filter)
      assert.equal((await page(romeo, followed(only(['advertise_node', 'true'])))).rows.length, 8)
      assert.equal((await page(romeo, followed(only(['owner', JULIET]) + TITLES))).rows.length, 8)
      assert.deepEqual(
        (await page(romeo, followed(only(['title', 'Crew']) + show('none', 'title')))).fields,
        [{ 'pubsub#title': 'Crew' }]
      )
      assert.deepEqual((await page(romeo, followed(only(['title', 'Crew']) + show()))).fields, [{}])
      // a request that waits is in one's own list, a ban is not
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      await does(benvolio, subscribe('benvolio@localhost'))
      assert.deepEqual((await page(benvolio, followed(show('title'), '<max>1</max>'))).rows, [
        `${POSTS} pending`
      ])
      await does(juliet, affiliate('benvolio@localhost', 'outcast'))
      assert.deepEqual((await page(benvolio, followed())).rows, [])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§7.1 with RSM: the pages are the whole, also of what a filter leaves', async t => {
    const server = await startChannels(t, database, { channels: { listPage: 5 } })
    await play(server, async players => {
      const { romeo } = players
      await follow(players)
      const whole = await page(romeo, followed(TITLES))
      assert.equal(whole.rows.length, 5)
      assert.equal(whole.count, undefined)
      for (const filter of [TITLES, TITLES + only(['channel_type', 'personal'])]) {
        const forward: string[] = []
        let after = ''
        for (let pages = 0; pages < 9; pages++) {
          const next = await page(romeo, followed(filter, `<max>3</max>${after}`))
          if (next.last === undefined) break
          forward.push(...next.rows)
          after = `<after>${next.last}</after>`
        }
        const back: string[] = []
        let before = '<before/>'
        for (let pages = 0; pages < 9; pages++) {
          const next = await page(romeo, followed(filter, `<max>3</max>${before}`))
          if (next.first === undefined) break
          back.unshift(...next.rows)
          before = `<before>${next.first}</before>`
        }
        assert.equal(forward.length, filter === TITLES ? 8 : 7)
        assert.deepEqual(back, forward)
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('draft 2014-01 §7.4: an answer stays below 64 KiB', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await does(romeo, register())
      for (const [player, of] of [
        [juliet, POSTS],
        [romeo, node('romeo@localhost', 'posts')]
      ] as const) {
        await does(player, configure({ 'pubsub#description': '€'.repeat(1024) }, of))
      }
      for (let i = 0; i < 12; i++) {
        await does(
          juliet,
          create(node(`t${i}@${TOPICS}`, 'posts'), { 'pubsub#description': '€'.repeat(1024) })
        )
      }
      await does(juliet, subscribe(JULIET, node('romeo@localhost', 'posts')))
      const answer = await juliet.request(followed())
      assert.ok(Buffer.byteLength(String(answer)) < 65_536)
      const all = new Set<string>()
      let after = ''
      for (;;) {
        const { rows, last } = await page(juliet, followed('', after))
        if (rows.length === 0) break
        for (const row of rows) all.add(row)
        after = `<after>${last}</after>`
      }
      assert.equal(all.size, 7 + 12 + 7)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§7, §8: the lists of a node come in pages in either namespace, forward and backward', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const people = Array.from({ length: 5 }, (_, i) => `follower${i}@localhost`)
      for (const person of people) await does(juliet, affiliate(person, 'member'))
      await does(romeo, subscribe('romeo@localhost'))
      await does(juliet, affiliate('tybalt@localhost', 'outcast'))
      const read = async (name: string, ns: string, set: string) => {
        const answer = await romeo.request(
          iq('get', `<${name} node='${POSTS}'/><set xmlns='${RSM}'>${set}</set>`, ns)
        )
        const pubsub = childOf(answer, 'pubsub', ns)
        const list = pubsub && childOf(pubsub, name, ns)
        assert.ok(pubsub && list, String(answer))
        const info = childOf(pubsub, 'set', RSM)
        return {
          jids: childrenOf(list).map(({ attrs }) => String(attrs.jid)),
          first: info && childText(info, 'first'),
          last: info && childText(info, 'last')
        }
      }
      for (const [name, all] of [
        ['affiliations', [JULIET, ...people, 'romeo@localhost']],
        ['subscriptions', [JULIET, 'romeo@localhost']]
      ] as const) {
        for (const ns of [PUBSUB, OWNER]) {
          const forward: string[] = []
          for (let set = '<max>2</max>'; ;) {
            const { jids, last } = await read(name, ns, set)
            if (last === undefined) break
            forward.push(...jids)
            set = `<max>2</max><after>${last}</after>`
          }
          const back: string[] = []
          for (let set = '<max>2</max><before/>'; ;) {
            const { jids, first } = await read(name, ns, set)
            if (first === undefined) break
            back.unshift(...jids)
            set = `<max>2</max><before>${first}</before>`
          }
          assert.deepEqual([back, new Set(forward)], [forward, new Set(all)], `${name} in ${ns}`)
          assert.equal(forward.length, all.length)
        }
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§7.1: requests that make no sense', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      for (const inside of [
        '<x/>',
        '<subscription-filter><allow/></subscription-filter>',
        "<subscription-filter><allow field='title'/></subscription-filter>",
        "<subscription-filter><deny field='title' value='x'/></subscription-filter>",
        only(['title', 'x']) + only(['title', 'y']),
        show('title') + show('title'),
        show(...Array.from({ length: 65 }, () => 'title'))
      ]) {
        await isRefused(juliet, followed(inside), BAD)
      }
      await isRefused(juliet, followed('', '<after>nonsense</after>'), 'cancel item-not-found')
      await isRefused(juliet, followed('', '<index>1</index>'), 'cancel feature-not-implemented')
      await isRefused(juliet, iq('set', `<subscriptions-with-configuration xmlns='${BUDDYCLOUD}'/>`), BAD)
    })
    assert.deepEqual(server.errors(), [])
  })
})
