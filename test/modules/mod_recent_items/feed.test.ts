import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { NO_WISH } from '../../../modules/lib_channels'
import type { ChannelsApi, ItemKind, Newest, Place } from '../../../modules/mod_channels'
import { newestFirst, readCursor, writeCursor } from '../../../modules/mod_recent_items/cursor'
import { Feed, type RecentPage } from '../../../modules/mod_recent_items/feed'
import { Merge } from '../../../modules/mod_recent_items/merge'
import { Pulse } from '../../../modules/mod_recent_items/pulse'

interface Item extends Place {
  kind: ItemKind
}

/** What most requests say. */
const PLAIN = { allNodes: false, wish: NO_WISH, parentOnly: false }

/** Channels in memory, as mod_channels gives them. */
class Fake implements ChannelsApi {
  readonly nodes = new Map<number, Item[]>()
  asked: number[] = []
  #keys = 0
  #seq = 0

  constructor(nodes: number) {
    for (let node = 1; node <= nodes; node++) this.nodes.set(node, [])
  }

  publish(node: number, updated: number, kind: ItemKind = 'post'): void {
    const items = this.nodes.get(node) as Item[]
    const last = items[items.length - 1]
    const time = Math.max(updated, last?.updated ?? 0)
    items.push({ node, updated: time, seq: ++this.#seq, key: ++this.#keys, kind })
  }

  remove(item: Item): void {
    const items = this.nodes.get(item.node) as Item[]
    items.splice(items.indexOf(item), 1)
  }

  following() {
    return Promise.resolve([...this.nodes.keys()].map(node => ({ node, channel: `${node}@x` })))
  }

  newest(nodes: readonly number[]) {
    const time = (items: readonly Item[]): number => Math.max(0, ...items.map(item => item.updated))
    return Promise.resolve(
      new Map(
        nodes.map(node => {
          const items = this.nodes.get(node) ?? []
          const newest: Newest = {
            item: time(items),
            root: time(items.filter(item => item.kind === 'post')),
            written: time(items.filter(item => item.kind !== 'rating'))
          }
          return [node, newest] as const
        })
      )
    )
  }

  newsOf() {
    return this.newest([...this.nodes.keys()])
  }

  publications(node: number, { upTo = Infinity, limit, kinds }: Parameters<ChannelsApi['publications']>[1]) {
    this.asked.push(node)
    const items = (this.nodes.get(node) ?? []).filter(
      item => item.seq <= upTo && (kinds === undefined || kinds.includes(item.kind))
    )
    return Promise.resolve(items.reverse().slice(0, limit))
  }

  granted(wish: typeof NO_WISH) {
    return wish
  }

  summaries() {
    return Promise.resolve(new Map())
  }

  locate() {
    return Promise.resolve(undefined)
  }

  items() {
    return Promise.resolve(new Map())
  }

  /** What the whole answer should be. */
  expected(since: number, max: number, has: (kind: ItemKind) => boolean): Item[] {
    return [...this.nodes.values()]
      .flatMap(items =>
        items
          .filter(item => has(item.kind))
          .sort(newestFirst)
          .slice(0, max)
          .filter(item => item.updated >= since)
      )
      .sort(newestFirst)
  }
}

function feedOf(fake: Fake, page = 250): Feed {
  return new Feed(fake, new Pulse(nodes => fake.newest(nodes)), 'channels.localhost', {
    page,
    perChannel: 250
  })
}

const wanted =
  ({ parentOnly, wish: { hide } }: { parentOnly: boolean; wish: { hide: boolean } }) =>
  (kind: ItemKind): boolean =>
    kind === 'post' || (!parentOnly && (kind === 'comment' || !hide))
const keys = (places: readonly Place[]): number[] => places.map(place => place.key)
const lastOf = ({ places, top }: RecentPage): string | undefined => {
  const at = places[places.length - 1]
  return at && top && writeCursor({ top, at })
}
const firstOf = ({ places, top }: RecentPage): string | undefined => {
  const [at] = places
  return at && top && writeCursor({ top, at })
}

const publications = fc.array(
  fc.record({
    node: fc.integer({ min: 1, max: 4 }),
    step: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom<ItemKind>('post', 'comment', 'rating')
  }),
  { maxLength: 60 }
)
const query = fc.record({
  since: fc.integer({ min: 0, max: 60 }),
  max: fc.integer({ min: 1, max: 12 }),
  parentOnly: fc.boolean(),
  hide: fc.boolean(),
  allNodes: fc.boolean(),
  size: fc.integer({ min: 1, max: 7 })
})

test('protoXEP §6.1.1: pages forward and backward are the whole, newest first, at most max of a channel, equal times included', async () => {
  await fc.assert(
    fc.asyncProperty(publications, publications, query, async (first, later, { size, hide, ...rest }) => {
      const asked = { ...rest, wish: { summary: false, hide } }
      const fake = new Fake(4)
      let clock = 1
      for (const { node, step, kind } of first) fake.publish(node, (clock += step), kind)
      const feed = feedOf(fake)
      const expected = keys(fake.expected(asked.since, asked.max, wanted(asked)))
      const found: number[] = []
      const arriving = [...later]
      let after: string | undefined
      for (;;) {
        const page = await feed.page('x', {
          ...asked,
          page: { max: size, ...(after !== undefined && { after }) }
        })
        found.push(...keys(page.places))
        const last = lastOf(page)
        // what arrives meanwhile changes no page that follows
        const news = arriving.shift()
        if (news) fake.publish(news.node, (clock += news.step + 1), news.kind)
        if (last === undefined || page.places.length < size) break
        after = last
      }
      assert.deepEqual(found, expected)
    }),
    { numRuns: 300 }
  )
})

test('edits and deletions between pages: what was not yet shown and is where it was is shown, and nothing twice', async () => {
  const change = fc.record({ pick: fc.nat(), how: fc.constantFrom('edit', 'delete', 'nothing') })
  await fc.assert(
    fc.asyncProperty(
      publications,
      fc.array(change, { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      async (published, changes, size) => {
        const fake = new Fake(4)
        let clock = 1
        for (const { node, step, kind } of published) fake.publish(node, (clock += step), kind)
        const feed = feedOf(fake)
        const left = fake.expected(0, 250, () => true)
        const expected: number[] = []
        const found: number[] = []
        let after: string | undefined
        for (;;) {
          const page = await feed.page('x', {
            ...PLAIN,
            since: 0,
            max: 250,
            page: { max: size, ...(after !== undefined && { after }) }
          })
          found.push(...keys(page.places))
          expected.push(...keys(left.splice(0, size)))
          const last = lastOf(page)
          if (last === undefined || page.places.length < size) break
          after = last
          const { pick = 0, how = 'nothing' } = changes.shift() ?? {}
          const all = [...fake.nodes.values()].flat()
          const item = all[pick % all.length]
          if (item === undefined || how === 'nothing') continue
          fake.remove(item)
          if (how === 'edit') fake.publish(item.node, ++clock, item.kind)
          const waiting = left.findIndex(({ key }) => key === item.key)
          if (waiting >= 0) left.splice(waiting, 1)
        }
        assert.deepEqual(found, expected)
      }
    ),
    { numRuns: 300 }
  )
})

test('XEP-0059 §2.2: the number of the whole is left out where it would cost more than the page', async () => {
  const fake = new Fake(3)
  for (let time = 1; time <= 9; time++) fake.publish(1 + (time % 3), time)
  const page = (max: number) => feedOf(fake).page('x', { ...PLAIN, since: 1, max: 9, page: { max } })
  assert.equal((await page(2)).count, undefined)
  assert.equal((await page(99)).count, 9)
})

test('pages backward from the last one on are the whole too', async () => {
  await fc.assert(
    fc.asyncProperty(publications, query, async (published, { size, hide, ...rest }) => {
      const asked = { ...rest, wish: { summary: false, hide } }
      const fake = new Fake(4)
      let clock = 1
      for (const { node, step, kind } of published) fake.publish(node, (clock += step), kind)
      const feed = feedOf(fake)
      const expected = keys(fake.expected(asked.since, asked.max, wanted(asked)))
      const found: number[] = []
      let before = ''
      for (;;) {
        const page = await feed.page('x', { ...asked, page: { max: size, before } })
        found.unshift(...keys(page.places))
        assert.equal(page.index ?? 0, expected.length - found.length)
        const first = firstOf(page)
        if (first === undefined || page.places.length < size) break
        before = first
      }
      assert.deepEqual(found, expected)
    }),
    { numRuns: 200 }
  )
})

test('a page opens as many channels as it has items, and none without news', async () => {
  const fake = new Fake(1000)
  for (let node = 1; node <= 1000; node++) fake.publish(node, node)
  const nodes = [...fake.nodes.keys()]
  const newest = await fake.newest(nodes)
  const merge = new Merge(fake, nodes, node => newest.get(node)?.item ?? 0, {
    since: 1,
    max: 10,
    kinds: undefined,
    top: undefined,
    after: undefined
  })
  for (let taken = 0; taken < 10; taken++) assert.equal((await merge.take())?.node, 1000 - taken)
  assert.equal(merge.opened, 10)
  fake.asked = []
  const page = await feedOf(fake).page('x', { ...PLAIN, since: 1001, max: 10, page: undefined })
  assert.deepEqual([page.places, page.complete, page.count, fake.asked], [[], true, 0, []])
})

test('XEP-0059 §2.7: the number alone', async () => {
  const fake = new Fake(2)
  for (let time = 1; time <= 5; time++) fake.publish(1 + (time % 2), time)
  const page = await feedOf(fake).page('x', { ...PLAIN, since: 2, max: 9, page: { max: 0 } })
  assert.deepEqual([page.places, page.count], [[], 4])
})

test('a cursor is what was written, and nothing else is one', () => {
  const cursor = {
    top: { updated: 1_400_000_000_000, node: 7, seq: 12 },
    at: { updated: 3, node: 2, seq: 1 }
  }
  assert.deepEqual(readCursor(writeCursor(cursor)), cursor)
  for (const wrong of [
    '',
    '1',
    'a.b.c',
    'a.b.c-d.e',
    'A.b.c-d.e.f',
    'zzzzzzzzzzz.1.1-1.1.1',
    '../..',
    'tag:x,y,z'
  ])
    assert.equal(readCursor(wrong), undefined, wrong)
})

test('a publication during the reading of times is not lost', async () => {
  let answer = (_: Map<number, Newest>): void => {}
  const pulse = new Pulse(() => new Promise(resolve => (answer = resolve)))
  const asked = pulse.of([1])
  pulse.beat(1, { time: 9, kind: 'comment' })
  answer(new Map([[1, { item: 5, root: 5, written: 5 }]]))
  assert.deepEqual((await asked)(1), { item: 9, root: 5, written: 9 })
  pulse.beat(1, { time: 11, kind: 'post' })
  assert.deepEqual((await pulse.of([1]))(1), { item: 11, root: 11, written: 11 })
  pulse.beat(1, { time: 12, kind: 'rating' })
  assert.deepEqual((await pulse.of([1]))(1), { item: 12, root: 11, written: 11 })
})

test('a channel whose only news are ratings is not opened for who does not want them', async () => {
  const fake = new Fake(3)
  for (const node of [1, 2, 3]) fake.publish(node, 5)
  fake.publish(2, 9, 'rating')
  const page = await feedOf(fake).page('x', {
    ...PLAIN,
    wish: { summary: false, hide: true },
    since: 6,
    max: 9,
    page: undefined
  })
  assert.deepEqual([page.places, page.complete, fake.asked], [[], true, []])
})
