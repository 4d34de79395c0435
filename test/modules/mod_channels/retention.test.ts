import assert from 'node:assert/strict'
import path from 'node:path'
import test, { describe } from 'node:test'
import type { Context } from '../../../core'
import { nameHash, type Database } from '../../../core/storage'
import { config, type ChannelsConfig } from '../../../modules/mod_channels/config'
import { Retention } from '../../../modules/mod_channels/retention'
import type { Rule } from '../../../modules/mod_channels/retention-policy'
import { Channels } from '../../../modules/mod_channels/service'
import { forEachDatabase } from '../../lib/databases'

/*
 * Retention against a model that looks at all items at once: what is shown before goes, and nothing else. Threads of
 * all ages and lengths, with news that was deleted since.
 */

const DAY = 86_400_000
const HOST = 'channels.localhost'
const MIGRATIONS = path.resolve(__dirname, '../../../modules/mod_channels/migrations')

interface Row {
  seq: number
  /** seq of what starts the thread; its own for that. */
  root: number
  updated: number
  payload: string
}

/** Numbers that are the same at each run (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** A node's items, and for each thread the place of its newest, which may be deleted. */
function written(
  pick: (below: number) => number,
  now: number
): { rows: Row[]; threads: Map<number, number> } {
  const rows: Row[] = []
  const threads = new Map<number, number>()
  const total = pick(60)
  for (let seq = 1; seq <= total; seq++) {
    const roots = [...threads.keys()]
    const root = roots.length > 0 && pick(2) === 0 ? (roots[pick(roots.length)] ?? seq) : seq
    threads.set(root, seq)
    // in order of time, from 100 days ago
    const updated = now - Math.floor(((total - seq) / total) * 100 * DAY)
    rows.push({ seq, root, updated, payload: 'é'.repeat(pick(20)) })
  }
  const kept = rows.filter(row => row.root === row.seq || pick(4) > 0)
  return { rows: kept, threads }
}

/** What stays, by the rule as people read it. */
function model({ rows, threads }: ReturnType<typeof written>, { days, items }: Rule, now: number): Row[] {
  const young = rows.find(row => row.updated >= now - days * DAY)
  const boundary = days === 0 ? -1 : (young?.seq ?? Infinity)
  const left = new Set(rows)
  for (const [root, news] of [...threads].sort(([, a], [, b]) => a - b)) {
    const tooMany = items > 0 && left.size > items
    if (news >= boundary && !tooMany) break
    for (const row of rows) if (row.root === root) left.delete(row)
  }
  return [...left]
}

async function fill(
  database: Database,
  channel: string,
  type: string,
  { rows, threads }: ReturnType<typeof written>
): Promise<number> {
  const { knex } = database
  const named = { jid: channel, jid_hash: nameHash(channel), creator: '', creator_hash: nameHash('') }
  return await database.write(async tx => {
    const texts = { access_model: 'open', title: '', description: '', default_affiliation: 'member' }
    const times = { created: 1, updated: 1 }
    const made = { ...named, ...texts, ...times, host: HOST, kind: 'personal', members_version: 0 }
    const { lastId: id } = await tx.execute(knex('channels').insert(made))
    const counts = { item_count: rows.length, tombstone_count: 0, seq: 1000, last_item: 1, last_root: 1 }
    const place = { channel_id: id, type, place: 0, advertise: 1, created: 1 }
    const { lastId: node } = await tx.execute(
      knex('channel_nodes').insert({ ...place, ...counts, host: HOST })
    )
    const keys = new Map<number, number>()
    for (const { seq, root, updated, payload } of rows) {
      const { lastId } = await tx.execute(
        knex('channel_items').insert({
          node_id: node,
          item_id: `i${seq}`,
          kind: root === seq ? 'post' : 'comment',
          author: channel,
          author_hash: nameHash(channel),
          parent_id: root === seq ? null : keys.get(root),
          thread: root === seq ? threads.get(root) : null,
          created: updated,
          updated,
          seq,
          payload
        })
      )
      keys.set(seq, lastId)
    }
    return node
  })
}

/** What of a module's context is needed; nobody listens. */
function contextOf(db: Database, options: Partial<ChannelsConfig>): Context<ChannelsConfig> {
  const log = { info: () => undefined, error: () => undefined }
  const context = {
    db,
    log,
    module: 'channels',
    host: { name: HOST, hooks: { has: () => false } },
    config: { ...config.parse({}), ...options },
    signal: new AbortController().signal,
    store: (name: string, schema: never) => db.store(HOST, 'channels', name, schema),
    add: () => () => undefined,
    run: () => undefined,
    send: () => assert.fail('nobody is told')
  }
  return context as unknown as Context<ChannelsConfig>
}

function retentionOf(db: Database, options: Partial<ChannelsConfig> = {}): Retention {
  const context = contextOf(db, options)
  const around = {
    isLocal: () => true,
    kindOf: () => 'personal' as const,
    isAccount: () => Promise.resolve(true)
  }
  return new Retention(context, new Channels(context, around))
}

async function left(database: Database, node: number): Promise<number[]> {
  const { knex, read } = database
  const rows = await read.query<{ seq: number }>(
    knex('channel_items').select('seq').where('node_id', node).orderBy('seq')
  )
  return rows.map(row => row.seq)
}

describe('retention, against a model', () => {
  forEachDatabase((_, open) => {
    test('what is shown goes, and nothing else', async () => {
      const { database } = await open()
      await database.migrate('mod_channels', MIGRATIONS)
      const retention = retentionOf(database)
      let went = 0
      for (let seed = 1; seed <= 40; seed++) {
        const pick = numbers(seed)
        const now = Date.now()
        const rule = { days: pick(2) * (1 + pick(110)), items: pick(2) * (1 + pick(40)) }
        const channel = `c${seed}@localhost`
        const all = written(pick, now)
        const node = await fill(database, channel, 'posts', all)
        const stays = model(all, rule, now)
        const goes = all.rows.filter(row => !stays.includes(row))
        const what = `seed ${seed}, ${JSON.stringify(rule)}`

        const { more, ...shown } = await retention.preview(rule, channel)
        assert.equal(more, false)
        const roots = goes.filter(row => row.root === row.seq)
        assert.deepEqual(
          shown,
          {
            items: goes.length,
            channels: goes.length > 0 ? 1 : 0,
            bytes: goes.reduce((sum, row) => sum + Buffer.byteLength(row.payload), 0),
            oldest: roots.length > 0 ? Math.min(...roots.map(row => row.updated)) : undefined,
            most: goes.length > 0 ? [[channel, goes.length]] : []
          },
          what
        )
        assert.equal((await left(database, node)).length, all.rows.length, `${what}: nothing goes before`)
        const done = await retention.run(rule, channel)
        assert.equal(done.items, goes.length, what)
        assert.deepEqual(
          await left(database, node),
          stays.map(row => row.seq),
          what
        )
        const [counted] = await database.read.query<{ item_count: number }>(
          database.knex('channel_nodes').select('item_count').where('id', node)
        )
        assert.equal(counted?.item_count, stays.length, what)
        went += goes.length
      }
      assert.ok(went > 100)
    })

    test('by the hour: as the file says, or as a command has said, on all channels; nodes of one item keep it', async () => {
      const { database } = await open()
      await database.migrate('mod_channels', MIGRATIONS)
      const pick = numbers(7)
      const old = Date.now() - 200 * DAY
      const row = { seq: 1, root: 1, updated: old, payload: 'x' }
      const one = { rows: [row], threads: new Map([[1, 1]]) }
      const nodes: number[] = []
      // more than one page of nodes
      for (let i = 0; i < 230; i++) nodes.push(await fill(database, `c${i}@localhost`, 'posts', one))
      const status = await fill(database, 's@localhost', 'status', one)
      const young = await fill(database, 'y@localhost', 'posts', written(pick, Date.now()))
      const before = await left(database, young)

      await retentionOf(database).sweep()
      for (const node of nodes) assert.equal((await left(database, node)).length, 1)
      const retention = retentionOf(database, { retentionDays: 150 })
      await retention.policy.set({ days: 0, items: 0, by: 'boss@localhost', at: 1 })
      await retention.sweep()
      assert.equal((await left(database, nodes[0] ?? 0)).length, 1)
      // it is there again after a restart
      const again = retentionOf(database, { retentionDays: 150 })
      await again.policy.load()
      assert.deepEqual(again.policy.inForce, { days: 0, items: 0 })
      await again.policy.set(undefined)
      assert.equal((await again.preview(again.policy.inForce, undefined)).items, 230)
      await again.sweep()
      for (const node of nodes) assert.deepEqual(await left(database, node), [])
      assert.deepEqual(await left(database, status), [1])
      assert.deepEqual(await left(database, young), before)
    })
  })
})
