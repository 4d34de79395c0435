import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import fc from 'fast-check'
import { HANDLED, isStanzaError, type Context } from '#core'
import { Host } from '../../../core/hosts/host'
import { parseElement } from '../../../core/xml'
import { PubsubError } from '../../../modules/lib_pubsub'
import { config, type ChannelsConfig } from '../../../modules/mod_channels/config'
import type { ChannelActor } from '../../../modules/mod_channels/access'
import type { RateEvent } from '../../../modules/mod_channels'
import { changeAffiliations, subscribe, unsubscribe } from '../../../modules/mod_channels/requests/membership'
import { preparePublish, publish, retract } from '../../../modules/mod_channels/requests/publish'
import { Channels } from '../../../modules/mod_channels/service'
import type { Database } from '../../../core/storage'
import { forEachDatabase } from '../../lib/databases'
import { ATOM, entry, JULIET, POSTS, publish as publishIq, rating, replyTo, SERVICE, tag } from './lib'

const MODULES = path.join(__dirname, '../../../modules')
const juliet: ChannelActor = { jid: JULIET, bare: JULIET, local: true }

function actor(bare: string): ChannelActor {
  return { jid: `${bare}/x`, bare, local: true }
}

/** Channels on a database, without a server: what is sent goes nowhere. */
async function open(database: Database, options: Partial<ChannelsConfig> = {}): Promise<Channels> {
  await database.migrate('mod_channels', path.join(MODULES, 'mod_channels', 'migrations'))
  const host = new Host(SERVICE, 'component')
  const owner = { module: 'test', host: SERVICE, begin() {}, end() {} }
  host.hooks.add<RateEvent>(
    'channels/rate',
    event => {
      const stars = Number(event.value)
      event.result = { rating: stars, title: 'Rating', content: `rating:${stars}.0`, verb: 'rated' }
      return HANDLED
    },
    owner
  )
  const ctx = {
    db: database,
    host,
    config: config.parse(options),
    run: (name: string, event: object) => host.hooks.run(name, event),
    // nobody is banned, and nobody has limits of their own
    store: () => ({}),
    send() {}
  } as unknown as Context<ChannelsConfig>
  const channels = new Channels(ctx, {
    isLocal: () => true,
    isAccount: () => Promise.resolve(false),
    kindOf: channel => (channel.endsWith('@localhost') ? 'personal' : 'topic')
  })
  // it may be there already
  await succeeds(
    channels.write(JULIET, undefined, async store => {
      for (const type of ['posts', 'status']) {
        await channels.engine.create(store, juliet, { node: `/user/${JULIET}/${type}` })
      }
      return { result: undefined, notifications: [] }
    })
  )
  return channels
}

/** Whether the item was published. */
async function tries(channels: Channels, who: ChannelActor, payload: string, id: string): Promise<boolean> {
  const pubsub = parseElement(publishIq(payload, { id })).children[0]
  if (typeof pubsub !== 'object') throw new Error('no request')
  const item = pubsub.getChild('publish')?.getChild('item')?.children[0]
  const xml = String(item)
  const prepared = preparePublish(
    { node: POSTS, item: { id, payload: { xml, name: 'entry', ns: ATOM } } },
    pubsub
  )
  return await succeeds(channels.write(who.bare, undefined, store => publish(channels, store, who, prepared)))
}

async function succeeds(act: Promise<unknown>): Promise<boolean> {
  try {
    await act
    return true
  } catch (error) {
    if (error instanceof PubsubError || isStanzaError(error)) return false
    throw error
  }
}

interface Row {
  id: number
  item_id: string
  kind: string
  parent_id: number | null
  rated_id: number | null
  seq: number
  thread: number | null
  updated: number
}

/** What the tables must always agree on. */
async function check(channels: Channels, database: Database): Promise<void> {
  const { knex, read } = database
  const node = await channels.reader.node(POSTS)
  assert.ok(node)
  const rows = await read.query<Row>(knex('channel_items').where('node_id', node.key).orderBy('seq'))
  const buried = await read.query<Row>(knex('channel_tombstones').where('node_id', node.key))
  assert.equal(node.itemCount, rows.length)
  assert.equal(node.tombstones, buried.length)
  assert.ok(rows.length <= channels.config.itemsPerNode)
  const live = new Map(rows.map(row => [row.id, row]))
  let before = 0
  for (const row of rows) {
    assert.ok(row.updated >= before, 'time follows the order of publication')
    before = row.updated
    assert.ok(row.seq <= node.seq)
    if (row.parent_id === null) assert.ok(row.thread !== null && row.thread >= row.seq)
    else {
      assert.equal(row.thread, null)
      assert.equal(live.get(row.parent_id)?.parent_id, null, 'the parent is there, and starts a thread')
    }
    if (row.kind === 'rating') assert.ok(row.rated_id !== null && live.has(row.rated_id))
  }
  assert.equal(new Set(rows.map(row => row.seq)).size, rows.length)
  for (const { item_id } of buried) assert.ok(!rows.some(row => row.item_id === item_id))
}

const command = fc.oneof(
  fc.record({ do: fc.constant('post' as const), id: fc.nat(9) }),
  fc.record({ do: fc.constant('reply' as const), id: fc.nat(9), to: fc.nat(9) }),
  fc.record({ do: fc.constant('rate' as const), id: fc.nat(9), to: fc.nat(9), of: fc.nat(9) }),
  fc.record({ do: fc.constant('retract' as const), id: fc.nat(9) })
)

forEachDatabase((name, opened) => {
  test('counters, threads and tombstones agree after whatever comes', async () => {
    const { database } = await opened()
    let runs = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { maxLength: 40 }),
        fc.integer({ min: 2, max: 6 }),
        async (commands, room) => {
          const channels = await open(database, { itemsPerNode: room })
          runs++
          for (const [step, one] of commands.entries()) {
            const id = `${one.id}`
            if (one.do === 'post') await tries(channels, juliet, entry(`${step}`), id)
            else if (one.do === 'reply')
              await tries(channels, juliet, entry(`${step}`, replyTo(`${one.to}`)), id)
            else if (one.do === 'rate') {
              await tries(channels, juliet, rating('5', `${one.to}`, `${one.of}`), id)
            } else {
              await succeeds(
                channels.write(JULIET, undefined, store =>
                  retract(channels, store, juliet, { node: POSTS, ids: [id] })
                )
              )
            }
            await check(channels, database)
          }
          await database.write(tx => tx.execute(database.knex('channels').delete()))
        }
      ),
      { numRuns: name === 'SQLite' ? 60 : 10 }
    )
    assert.ok(runs > 0)
  })

  test('names that only look the same are apart, byte for byte', async () => {
    const { database } = await opened()
    const channels = await open(database)
    const ids = ['a', 'A', 'á', 'a ', ' a', 'ａ', 'ß', 'ss', '🌹', 'x'.repeat(128), 'X'.repeat(128)]
    for (const id of ids) assert.ok(await tries(channels, juliet, entry(JSON.stringify(id)), id), id)
    const node = await channels.reader.node(POSTS)
    assert.equal(node?.itemCount, ids.length)
    for (const id of ids) {
      assert.ok(node)
      const item = await channels.reader.item(node, tag(id))
      assert.match(item?.payload ?? '', new RegExp(`<content type="text">${JSON.stringify(id)}</content>`))
    }
    const people = ['romeo@localhost', 'rómeo@localhost', 'romeo@localhosť', `${'r'.repeat(1023)}@localhost`]
    for (const jid of people) {
      await channels.write(jid, undefined, store =>
        subscribe(channels, store, actor(jid), { node: POSTS, jid })
      )
    }
    assert.ok(node)
    assert.equal(await channels.reader.countSubscribers(node), people.length + 1)
  })

  test('who is notified is who follows now, through whatever handle they came', async () => {
    const { database, again } = await opened()
    const here = await open(database)
    // another process on the same data
    const there = await open(await again())
    const recipients = async (channels: Channels, id: string): Promise<string[]> => {
      const pubsub = parseElement(publishIq(entry(id), { id })).children[0]
      if (typeof pubsub !== 'object') throw new Error('no request')
      const xml = entry(id)
      const prepared = preparePublish(
        { node: POSTS, item: { id, payload: { xml, name: 'entry', ns: ATOM } } },
        pubsub
      )
      const { deliveries } = await channels.write(JULIET, undefined, store =>
        publish(channels, store, juliet, prepared)
      )
      return deliveries.flatMap(one => [...one.recipients]).sort()
    }
    const follow = (channels: Channels, jid: string) =>
      channels.write(jid, undefined, store => subscribe(channels, store, actor(jid), { node: POSTS, jid }))
    assert.deepEqual(await recipients(here, '1'), [JULIET])
    await follow(there, 'romeo@localhost')
    assert.deepEqual(await recipients(here, '2'), [JULIET, 'romeo@localhost'])
    await follow(here, 'tybalt@localhost')
    assert.deepEqual(await recipients(there, '3'), [JULIET, 'romeo@localhost', 'tybalt@localhost'])
    await there.write(JULIET, undefined, store =>
      changeAffiliations(there, store, juliet, {
        node: POSTS,
        changes: [{ jid: 'tybalt@localhost', affiliation: 'outcast' }]
      })
    )
    assert.deepEqual(await recipients(here, '4'), [JULIET, 'romeo@localhost'])
    await here.write('romeo@localhost', undefined, store =>
      unsubscribe(here, store, actor('romeo@localhost'), { node: POSTS, jid: 'romeo@localhost' })
    )
    assert.deepEqual(await recipients(there, '5'), [JULIET])
  })

  test('the log tells who came and went, and by whose hand', async () => {
    const { database } = await opened()
    const channels = await open(database)
    const jid = 'romeo@localhost'
    const started = Date.now()
    await channels.write(jid, undefined, store =>
      subscribe(channels, store, actor(jid), { node: POSTS, jid })
    )
    await channels.write(JULIET, undefined, store =>
      changeAffiliations(channels, store, juliet, { node: POSTS, changes: [{ jid, affiliation: 'outcast' }] })
    )
    const { knex, read } = database
    const rows = await read.query<{
      subject: string
      actor: string
      at: number
      data: string
      channel: string
    }>(knex('channel_log').where('kind', 'membership').where('subject', jid).orderBy('id'))
    const told = rows.map(row => {
      assert.ok(row.at >= started && row.channel === JULIET)
      const { affiliation, subscription } = JSON.parse(row.data) as Record<string, string>
      return `${row.actor}: ${affiliation} ${subscription}`
    })
    assert.deepEqual(told, [`${jid}: member subscribed`, `${JULIET}: outcast none`])
    // and it is forgotten in time
    for (const table of [channels.tables.log, channels.tables.tombstones]) {
      await database.write(tx => table.expire(tx, Date.now() + 1000, 500))
    }
    assert.equal((await read.query(knex('channel_log'))).length, 0)
  })

  test('tombstones are forgotten in time, and counted', async () => {
    const { database } = await opened()
    const channels = await open(database)
    for (const id of ['1', '2', '3']) {
      assert.ok(await tries(channels, juliet, entry(id), id))
      await channels.write(JULIET, undefined, store =>
        retract(channels, store, juliet, { node: POSTS, ids: [id] })
      )
    }
    assert.equal(await database.write(tx => channels.tables.tombstones.expire(tx, Date.now() + 1000, 2)), 2)
    await check(channels, database)
    assert.equal((await channels.reader.node(POSTS))?.tombstones, 1)
  })
})
