import assert from 'node:assert/strict'
import test from 'node:test'
import { nameHash } from '../../../core/storage'
import { childOf, childrenOf, childText, type Element } from '../../../core/xml/element'
import type { TestServer } from '../../lib/server'
import type { Player } from '../../lib/wire'
import { fieldValues, notesOf, rowsOf, statusOf } from '../mod_adhoc_admin/helpers'
import {
  governed,
  instructionsOf,
  isDone,
  isFaulty,
  orders,
  ordersTwice,
  startGoverned,
  type Fields
} from './admin-lib'
import {
  asks,
  count,
  create,
  does,
  entry,
  items,
  JULIET,
  node,
  onEachDatabase,
  POSTS,
  publish,
  PUBSUB,
  rating,
  replyTo,
  ROMEO,
  SERVICE,
  subscribe,
  tag,
  TOPICS,
  withDatabase
} from './lib'

const DAY = 86_400_000
const CREW = `crew@${TOPICS}`
const COMMAND = 'channel-retention'

/** As if these items, by their local ids, had been written so many days ago. */
async function age(server: TestServer, days: number, ids: readonly string[]): Promise<void> {
  const time = Date.now() - days * DAY
  await withDatabase(server, database =>
    database.write(tx =>
      tx.execute(
        database.knex('channel_items').whereIn('item_id', ids).update({ created: time, updated: time })
      )
    )
  )
}

/** What the items of a node are called, newest first. */
async function ids(server: TestServer, channel: string, type = 'posts'): Promise<string[]> {
  return await withDatabase(server, async ({ knex, read }) => {
    const rows = await read.query<{ item_id: string }>(
      knex('channel_items as i')
        .join('channel_nodes as n', 'n.id', 'i.node_id')
        .join('channels as c', 'c.id', 'n.channel_id')
        .select('i.item_id')
        .where('c.jid', channel)
        .where('n.type', type)
        .orderBy('i.seq')
    )
    return rows.map(row => row.item_id)
  })
}

/** Old threads, old threads with news, new ones; a status that is old. Publications are in order of time. */
async function write(server: TestServer, juliet: Player, romeo: Player): Promise<void> {
  await does(juliet, create(node(CREW, 'posts')))
  await does(romeo, subscribe(ROMEO))
  for (const id of ['dead', 'alive']) await does(juliet, publish(entry(id), { id }))
  await does(juliet, publish(entry('to dead', replyTo(tag('dead'))), { id: 'to-dead' }))
  await does(romeo, subscribe(ROMEO, node(CREW, 'posts')))
  await does(juliet, publish(rating('5', tag('dead')), { id: 'rated-dead' }))
  await does(juliet, publish(entry('status'), { id: 'status', to: node(JULIET, 'status') }))
  await does(juliet, publish(entry('crew'), { id: 'crew', to: node(CREW, 'posts') }))
  const old = await withDatabase(server, async ({ knex, read }) =>
    (await read.query<{ item_id: string }>(knex('channel_items').select('item_id'))).map(row => row.item_id)
  )
  await age(server, 100, old)
  await does(juliet, publish(entry('to alive', replyTo(tag('alive'))), { id: 'to-alive' }))
  await does(juliet, publish(entry('new'), { id: 'new' }))
  await romeo.forgets()
}

function preview(boss: Player, first: Fields, decision: string) {
  return ordersTwice(boss, COMMAND, first, { decision })
}

onEachDatabase('retention', database => {
  test('by age: shown before, then once; threads go whole with their ratings, and nobody is told', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, juliet, romeo }) => {
      await write(server, juliet, romeo)
      const before = await ids(server, JULIET)
      const rated = before.find(id => !['dead', 'alive', 'to-dead', 'to-alive', 'new'].includes(id))
      const seen = await preview(boss, { days: '30', items: '0', channel: '' }, 'nothing')
      const told = instructionsOf(seen.shown)
      assert.match(
        told,
        /In all channels, where what was quiet for 30 days goes: 4 items \([1-9]\d* bytes\) of 2 channels/
      )
      assert.match(
        told,
        new RegExp(`the oldest of ${new Date(Date.now() - 100 * DAY).toISOString().slice(0, 10)}`)
      )
      assert.match(told, /Most: juliet@localhost 3, crew@topics.localhost 1\./)
      // who sends all forms at once has not seen the last one
      isDone(seen.answer, `info: Nothing was done. ${told}`)
      assert.deepEqual(await ids(server, JULIET), before)

      // one channel alone
      const one = await preview(boss, { days: '30', items: '0', channel: CREW.toUpperCase() }, 'once')
      assert.match(instructionsOf(one.shown), /In crew@topics.localhost, .* 1 items/)
      assert.deepEqual(optionsOf(one.shown), ['nothing', 'once'])
      isDone(one.answer, 'info: 1 items of 1 channels have gone.')
      assert.deepEqual(await ids(server, CREW), [])
      assert.deepEqual(await ids(server, JULIET), before)

      const all = await preview(boss, { days: '30', items: '0', channel: '' }, 'once')
      isDone(all.answer, 'info: 3 items of 1 channels have gone.')
      assert.deepEqual(
        await ids(server, JULIET),
        before.filter(id => !['dead', 'to-dead', rated].includes(id))
      )
      // nodes that hold one item keep it
      assert.deepEqual(await ids(server, JULIET, 'status'), ['status'])
      assert.equal(await count(server, 'channel_tombstones'), 0)
      await romeo.receivesNothing()
      await asks(
        romeo,
        items(),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'>
           <item id='${tag('new')}'/><item id='${tag('to-alive')}'/><item id='${tag('alive')}'/></items></pubsub></iq>`
      )
      // the numbers of the node are still right
      await does(juliet, publish(entry('next'), { id: 'next' }))
      const [row] = rowsOf(await orders(boss, 'channels-list', { owner: JULIET, text: 'juliet' }))
      assert.equal(row?.items, '5')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('by number: from the thread that was quiet for longest on', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, juliet }) => {
      for (let i = 0; i < 12; i++) await does(juliet, publish(entry(`${i}`), { id: `p${i}` }))
      // the oldest is the liveliest
      await does(juliet, publish(entry('up', replyTo(tag('p0'))), { id: 'up' }))
      const { shown, answer } = await preview(boss, { days: '0', items: '5', channel: '' }, 'once')
      assert.match(instructionsOf(shown), /a node keeps 5 items: 8 items/)
      isDone(answer, 'info: 8 items of 1 channels have gone.')
      assert.deepEqual(await ids(server, JULIET), ['p0', 'p9', 'p10', 'p11', 'up'])
      // a thread is never cut in two
      isDone(
        (await preview(boss, { days: '0', items: '1', channel: '' }, 'once')).answer,
        'info: 5 items of 1 channels have gone.'
      )
      assert.deepEqual(await ids(server, JULIET), [])
      const none = await preview(boss, { days: '0', items: '0', channel: '' }, 'once')
      assert.match(instructionsOf(none.shown), /nothing goes by age or number: nothing\./)
      isDone(none.answer, 'info: 0 items of 0 channels have gone.')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('from now on: in force at once and after a restart, seen by all, and given back to the file', async t => {
    const server = await startGoverned(t, database, { retentionDays: 400 })
    await governed(server, async ({ boss, juliet, romeo }) => {
      await write(server, juliet, romeo)
      const first = await preview(boss, { days: '30', items: '1000', channel: '' }, 'always')
      assert.deepEqual(optionsOf(first.shown), ['nothing', 'once', 'always'])
      isDone(
        first.answer,
        /^info: 4 items of 2 channels have gone\. This holds from now on, also after a restart\.$/
      )
      const shown = (): string[] =>
        server.server.api
          .host(SERVICE)
          ?.items.list('config-override')
          .map(({ option, value, by }) => `${option} ${value} ${by}`) ?? []
      assert.deepEqual(shown(), [
        'channels.retentionDays 30 boss@localhost',
        'channels.retentionItems 1000 boss@localhost'
      ])
      assert.ok((await server.server.api.modules.reload('channels')).ok)
      assert.equal(shown().length, 2)

      const again = await preview(boss, {}, 'file')
      assert.deepEqual(optionsOf(again.shown), ['nothing', 'once', 'always', 'file'])
      isDone(again.answer, 'info: The config file decides again: what was quiet for 400 days goes.')
      assert.deepEqual(shown(), [])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('more than goes in one write, and a thread that is longer than that', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, juliet }) => {
      await withDatabase(server, async database => {
        const { knex, read } = database
        const [node] = await read.query<{ id: number }>(
          knex('channel_nodes as n')
            .join('channels as c', 'c.id', 'n.channel_id')
            .select('n.id')
            .where({ 'c.jid': JULIET, 'n.type': 'posts' })
        )
        const row = (seq: number) => ({
          node_id: node?.id,
          item_id: `i${seq}`,
          author: JULIET,
          author_hash: nameHash(JULIET),
          created: seq,
          updated: seq,
          seq,
          payload: '<entry/>'
        })
        const posts = Array.from({ length: 900 }, (_, i) => ({ ...row(i + 1), kind: 'post', thread: i + 1 }))
        await database.write(async tx => {
          for (let i = 0; i < posts.length; i += 100) {
            await tx.execute(knex('channel_items').insert(posts.slice(i, i + 100)))
          }
          const [root] = await tx.query<{ id: number }>(
            knex('channel_items').select('id').where('item_id', 'i100')
          )
          const answers = Array.from({ length: 700 }, (_, i) => ({
            ...row(1000 + i),
            kind: 'comment',
            parent_id: root?.id
          }))
          for (let i = 0; i < answers.length; i += 100) {
            await tx.execute(knex('channel_items').insert(answers.slice(i, i + 100)))
          }
          await tx.execute(knex('channel_items').where('id', root?.id).update({ thread: 1699 }))
          await tx.execute(
            knex('channel_nodes')
              .where('id', node?.id)
              .update({ item_count: 1600, seq: 1699, last_item: 1699 })
          )
        })
      })
      const some = await preview(boss, { items: '710', days: '0' }, 'once')
      assert.match(instructionsOf(some.shown), /: 890 items \(7120 bytes\) of 1 channels/)
      isDone(some.answer, 'info: 890 items of 1 channels have gone.')
      assert.equal(await count(server, 'channel_items'), 710)
      const rest = await preview(boss, { items: '0', days: '1' }, 'once')
      isDone(rest.answer, 'info: 710 items of 1 channels have gone.')
      assert.equal(await count(server, 'channel_items'), 0)
      await does(juliet, publish(entry('new'), { id: 'new' }))
      const [row] = rowsOf(await orders(boss, 'channels-list', { text: 'juliet' }))
      assert.equal(row?.items, '1')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('what is no number, no channel, too much', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss }) => {
      for (const [fields, fault] of [
        [{ days: '-1' }, /days/],
        [{ days: '1.5' }, /days/],
        [{ days: '99999999999' }, /days/],
        [{ items: 'many' }, /items/],
        [{ channel: 'nobody@localhost' }, /there is no channel nobody@localhost/],
        [{ channel: 'localhost' }, /the name of a channel/]
      ] as const) {
        isFaulty(await orders(boss, COMMAND, fields), fault)
      }
      const answer = (await preview(boss, { days: '1' }, 'everything')).answer
      assert.equal(statusOf(answer), 'executing')
      assert.match(notesOf(answer).join(), /decision/)
    })
    assert.deepEqual(server.errors(), [])
  })
})

/** What may be decided. */
function optionsOf(shown: Element): string[] {
  const command = childOf(shown, 'command') as Element
  assert.deepEqual(fieldValues(command, 'decision'), ['nothing'])
  const field = childrenOf(childOf(command, 'x') as Element, 'field').find(
    one => one.attrs.var === 'decision'
  )
  return field ? childrenOf(field, 'option').map(one => childText(one, 'value') ?? '') : []
}
