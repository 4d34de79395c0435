import assert from 'node:assert/strict'
import test from 'node:test'
import type { Element } from '../../../core/xml'
import type { Player } from '../../lib/wire'
import {
  create,
  does,
  entry,
  iq,
  isRefused,
  NODE,
  onEachDatabase,
  OWNER,
  play,
  publish,
  RSM,
  startPubsub
} from './lib'

const ask = (set: string, attrs = ''): string =>
  iq('get', `<items node='${NODE}'${attrs}/><set xmlns='${RSM}'>${set}</set>`)

/** The ids of a page, and what is said of it. */
async function page(player: Player, request: string): Promise<string> {
  const answer = (await player.request(request)).toString()
  assert.match(answer, /type="result"/, answer)
  const ids = [...answer.matchAll(/<item id="([^"]*)"/g)].map(match => match[1])
  const part = (pattern: RegExp): string => pattern.exec(answer)?.[1] ?? '-'
  const first = part(/<first[^>]*>(.*?)</)
  const index = part(/<first index="(\d+)"/)
  return `${ids.join(' ')} | ${first} @${index} ${part(/<last>(.*?)</)} of ${part(/<count>(\d+)</)}`.trim()
}

async function ten(player: Player): Promise<void> {
  await does(player, create())
  for (let i = 0; i < 10; i++) await does(player, publish(`i${i}`))
}

onEachDatabase(database => {
  test('XEP-0060 §6.5.4 and XEP-0059: items in pages, from either end', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await ten(hamlet)
      const pages: Record<string, string> = {
        '<max>3</max>': 'i0 i1 i2 | i0 @0 i2 of 10',
        '<max>3</max><after>i2</after>': 'i3 i4 i5 | i3 @3 i5 of 10',
        '<max>3</max><after>i8</after>': 'i9 | i9 @9 i9 of 10',
        '<max>3</max><after>i9</after>': '| - @- - of 10',
        '<max>3</max><before/>': 'i7 i8 i9 | i7 @7 i9 of 10',
        '<max>3</max><before>i7</before>': 'i4 i5 i6 | i4 @4 i6 of 10',
        '<max>3</max><before>i1</before>': 'i0 | i0 @0 i0 of 10',
        '<max>3</max><index>5</index>': 'i5 i6 i7 | i5 @5 i7 of 10',
        '<max>3</max><index>10</index>': '| - @- - of 10',
        '<max>0</max>': '| - @- - of 10',
        '<max>100</max>': 'i0 i1 i2 i3 i4 i5 i6 i7 i8 i9 | i0 @0 i9 of 10'
      }
      for (const [set, wanted] of Object.entries(pages))
        assert.equal(await page(hamlet, ask(set)), wanted, set)
      assert.equal(
        await page(hamlet, ask('<max>2</max><before>i9</before>', ` max_items='4'`)),
        'i7 i8 | i7 @1 i8 of 4'
      )
      assert.equal(
        await page(hamlet, iq('get', `<items node='${NODE}' max_items='2'/>`)),
        'i8 i9 | - @- - of -'
      )
      assert.equal(
        await page(
          hamlet,
          iq('get', `<items node='${NODE}'><item id='i3'/><item id='nix'/><item id='i1'/></items>`)
        ),
        'i3 i1 | - @- - of -'
      )
    })
  })

  test('pages that make no sense', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await ten(hamlet)
      await isRefused(hamlet, ask('<after>nonsense</after>'), 'cancel item-not-found')
      await isRefused(hamlet, ask('<before>nonsense</before>'), 'cancel item-not-found')
      await isRefused(hamlet, ask(`<after>${'x'.repeat(5000)}</after>`), 'cancel item-not-found')
      await isRefused(hamlet, ask('<after/>'), 'cancel item-not-found')
      await isRefused(hamlet, ask('<max>many</max>'), 'modify bad-request')
      await isRefused(hamlet, ask('<max>-1</max>'), 'modify bad-request')
      await isRefused(hamlet, ask('<max>1</max><max>2</max>'), 'modify bad-request')
      await isRefused(hamlet, ask('<after>i1</after><before>i3</before>'), 'modify bad-request')
      await isRefused(hamlet, ask('<sideways/>'), 'modify bad-request')
      await isRefused(hamlet, iq('get', `<items node='${NODE}' max_items='all'/>`), 'modify bad-request')
      await isRefused(hamlet, iq('get', `<items node='${NODE}'><item/></items>`), 'modify bad-request')
      await isRefused(
        hamlet,
        iq(
          'get',
          `<affiliations node='${NODE}'/><set xmlns='${RSM}'><after>'; DROP TABLE</after></set>`,
          OWNER
        ),
        'cancel item-not-found'
      )
      await isRefused(
        hamlet,
        iq('get', `<affiliations node='${NODE}'/><set xmlns='${RSM}'><index>1</index></set>`, OWNER),
        'cancel feature-not-implemented'
      )
      await isRefused(
        hamlet,
        iq('set', `<publish node='${NODE}'><item>${entry('x')}</item></publish><set xmlns='${RSM}'/>`),
        'modify bad-request'
      )
    })
  })

  test('an answer is bounded in items and in bytes, and says where it stands', async t => {
    const server = await startPubsub(t, database, { pageSize: 20 })
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      for (let i = 0; i < 30; i++) await does(hamlet, publish(`i${i}`, i < 25 ? 'x' : 'x'.repeat(60_000)))
      const ids = (from: number, to: number): string =>
        Array.from({ length: to - from + 1 }, (_, i) => `i${from + i}`).join(' ')
      // the newest, as many as there is room for
      assert.equal(
        await page(hamlet, iq('get', `<items node='${NODE}'/>`)),
        `${ids(26, 29)} | i26 @26 i29 of 30`
      )
      assert.equal(await page(hamlet, ask('<max>1000</max>')), `${ids(0, 19)} | i0 @0 i19 of 30`)
      assert.equal(await page(hamlet, ask('<after>i19</after>')), `${ids(20, 28)} | i20 @20 i28 of 30`)
    })
  })

  test('what was published comes back as it was, with its namespaces and characters', async t => {
    const server = await startPubsub(t, database)
    const payloads = [
      `<a xmlns='urn:a'><b xmlns='urn:b'><c xmlns='urn:a'/>&lt;&amp;&gt;&#x1F3AD; ü  \n\ttail</b></a>`,
      `<a xmlns='urn:a' xml:lang='de' q="it's &quot;so&quot;"/>`,
      `<x:a xmlns:x='urn:a' xmlns:y='urn:y' y:attr='1'><x:b/><b xmlns=''/></x:a>`,
      `<a xmlns='urn:a'><![CDATA[<not> & an element]]></a>`
    ]
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      for (const [i, payload] of payloads.entries()) {
        await does(hamlet, iq('set', `<publish node='${NODE}'><item id='p${i}'>${payload}</item></publish>`))
      }
      for (const [i, payload] of payloads.entries()) {
        const answer = await hamlet.request(iq('get', `<items node='${NODE}'><item id='p${i}'/></items>`))
        hamlet.unread.push(answer)
        await hamlet.receives(
          `<iq type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items t:exact='yes' node='${NODE}'><item id='p${i}'>${payload}</item></items></pubsub></iq>`
        )
        assert.equal(count(answer), 1)
      }
    })
  })
})

function count(answer: Element): number {
  return answer.toString().match(/<item /g)?.length ?? 0
}
