/*
 * How long it takes to answer recent-items, and to read the newest 50 items of a node, by how much is stored and how
 * many channels are followed. On SQLite in a temporary folder, without a server and without a wire around it: ratios
 * are what counts. Run: node --require ./bin/register.js bench/micro/recent.ts [--full]
 *
 * Without --full at most 100,000 items are stored (some seconds); with it 1,000,000 (a minute or two, 1 GiB of disk).
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Context } from '../../core'
import { Host } from '../../core/hosts/host'
import { openDatabase, type Database } from '../../core/storage'
import { serialize } from '../../core/xml'
import { createLogger } from '../../core/log'
import { NO_WISH } from '../../modules/lib_channels'
import type { ChannelActor } from '../../modules/mod_channels/access'
import { channelsApi } from '../../modules/mod_channels/api'
import { config, type ChannelsConfig } from '../../modules/mod_channels/config'
import { listed } from '../../modules/mod_channels/requests/items'
import { Channels } from '../../modules/mod_channels/service'
import { NodeItems } from '../../modules/mod_channels/store/item-source'
import { answerOf } from '../../modules/mod_recent_items/answer'
import { Feed } from '../../modules/mod_recent_items/feed'
import { Pulse } from '../../modules/mod_recent_items/pulse'

const SERVICE = 'channels.localhost'
const ROMEO = 'romeo@localhost'
const romeo: ChannelActor = { jid: ROMEO, bare: ROMEO, local: true }
const PAGE = 50
/** Milliseconds between two publications. */
const STEP = 1000

/** A database with that many channels, all followed by Romeo, and that many items in each; one in five is a post. */
async function stored(channels: number, each: number, work: (open: Opened) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-bench-'))
  const database = await openDatabase(
    { driver: 'sqlite', path: path.join(folder, 'balcony.sqlite'), durability: 'normal' },
    createLogger({ level: 'error' })
  )
  try {
    const modules = path.join(__dirname, '../../modules')
    await database.migrate('mod_channels', path.join(modules, 'mod_channels', 'migrations'))
    const service = open(database)
    await fill(service, database, channels, each)
    await work({ service, database })
  } finally {
    await database.close()
    fs.rmSync(folder, { recursive: true })
  }
}

interface Opened {
  service: Channels
  database: Database
}

function open(database: Database): Channels {
  const host = new Host(SERVICE, 'component')
  const ctx = {
    db: database,
    host,
    config: config.parse({ itemsPerNode: 1_000_000 }),
    run: (name: string, event: object) => host.hooks.run(name, event),
    send() {},
    // nobody is banned, and nobody has limits of their own
    store: () => ({})
  } as unknown as Context<ChannelsConfig>
  return new Channels(ctx, {
    isLocal: () => true,
    isAccount: () => Promise.resolve(true),
    kindOf: () => 'topic'
  })
}

async function fill(service: Channels, database: Database, channels: number, each: number): Promise<void> {
  for (let i = 0; i < channels; i++) {
    const owner = `u${i % 50}@localhost`
    const name = `/user/c${i}@topics.localhost/posts`
    await service.write(owner, undefined, async store => {
      await service.engine.create(store, { jid: owner, bare: owner, local: true } as ChannelActor, {
        node: name
      })
      const outcome = await service.engine.subscribe(store, romeo, { node: name, jid: ROMEO })
      return { result: undefined, notifications: [], deliveries: [], ...(outcome && {}) }
    })
  }
  // publications of all channels take turns, as they do in life
  const total = channels * each
  const [first] = await database.read.query<{ id: number }>(database.knex('channel_nodes').min({ id: 'id' }))
  const node = `${first?.id ?? 1} + n % ${channels}`
  const seq = `n / ${channels} + 1`
  const time = `1700000000000 + n * ${STEP}`
  const payload = `<entry xmlns="http://www.w3.org/2005/Atom"><content type="text">${'x'.repeat(300)}</content></entry>`
  const post = `(n / ${channels}) % 5 = 0`
  // the post that a comment answers came in the same channel before it: ids follow n
  const parent = `CASE WHEN ${post} THEN NULL ELSE n + 1 - ((n / ${channels}) % 5) * ${channels} END`
  const statements = [
    `INSERT INTO channel_items (id, node_id, item_id, kind, author, author_hash, parent_id, created, updated, seq, thread, payload)
     WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${total - 1})
     SELECT n + 1, ${node}, 'i' || n, CASE WHEN ${post} THEN 'post' ELSE 'comment' END, 'u@localhost', x'00', ${parent},
       ${time}, ${time}, ${seq}, CASE WHEN ${post} THEN ${seq} ELSE NULL END, '${payload}' FROM numbers`,
    `UPDATE channel_nodes SET item_count = ${each}, seq = ${each},
       last_item = (SELECT max(updated) FROM channel_items WHERE node_id = channel_nodes.id),
       last_root = (SELECT max(updated) FROM channel_items WHERE node_id = channel_nodes.id AND kind = 'post')`
  ].map(sql => database.statement(knex => knex.raw(sql)))
  for (const statement of statements) await database.write(async tx => void (await tx.run(statement, {})))
}

/** Answers a request, whole, as it would be sent. */
function recent(
  { service }: Opened,
  { parentOnly, hide, since }: { parentOnly: boolean; hide: boolean; since: number }
) {
  const api = channelsApi(service)
  const feed = new Feed(api, new Pulse(nodes => api.newest(nodes)), SERVICE, { page: PAGE, perChannel: 250 })
  return async () => {
    const page = await feed.page(ROMEO, {
      since,
      max: PAGE,
      parentOnly,
      allNodes: false,
      page: { max: PAGE },
      wish: { ...NO_WISH, hide }
    })
    const items = await api.items(page.places.map(place => place.key))
    const answer = serialize(answerOf(page, items, { asked: true, extras: undefined }))
    if (since === 0 && page.places.length !== PAGE) throw new Error(`${page.places.length} items are no page`)
    return answer
  }
}

async function newest({ service }: Opened) {
  const node = await service.reader.node('/user/c0@topics.localhost/posts')
  if (node === undefined) throw new Error('the node is not there')
  return async () => {
    const source = new NodeItems(service.reader, node, { parentOnly: false, noRatings: false })
    return serialize(
      await listed(service, romeo, { node, source, max: PAGE, page: { max: PAGE }, wish: NO_WISH })
    )
  }
}

/** Microseconds of one answer: the median of the best of five rounds. */
async function measure(answer: () => Promise<string>): Promise<number> {
  const turns = 40
  let least = Infinity
  for (let round = 0; round < 5; round++) {
    const times: number[] = []
    for (let turn = 0; turn < turns; turn++) {
      const begun = process.hrtime.bigint()
      await answer()
      times.push(Number(process.hrtime.bigint() - begun) / 1000)
    }
    times.sort((a, b) => a - b)
    least = Math.min(least, times[turns >> 1] ?? Infinity)
  }
  return least
}

const REQUESTS = {
  'recent-items': { parentOnly: false, hide: false, since: 0 },
  'recent-items parent-only': { parentOnly: true, hide: false, since: 0 },
  'recent-items without ratings': { parentOnly: false, hide: true, since: 0 },
  'recent-items, nothing new': { parentOnly: false, hide: false, since: 9e12 }
}

type Times = Record<string, number>

async function times(channels: number, each: number): Promise<Times> {
  const found: Times = {}
  await stored(channels, each, async opened => {
    for (const [name, request] of Object.entries(REQUESTS))
      found[name] = await measure(recent(opened, request))
    found['newest 50 of a node'] = await measure(await newest(opened))
  })
  return found
}

function table(title: string, few: Times, many: Times, bound: string): void {
  console.log(`\n${title}`)
  for (const name of Object.keys(few)) {
    const [a = 0, b = 0] = [few[name], many[name]]
    console.log(
      `${name.padEnd(32)}${a.toFixed(0).padStart(8)}${b.toFixed(0).padStart(8)}  ${(b / a).toFixed(2)}`
    )
  }
  console.log(bound)
}

async function main(): Promise<void> {
  // what the database waits for at its end does not keep the process
  const awake = setInterval(() => {}, 60_000)
  const most = process.argv.includes('--full') ? 1_000_000 : 100_000
  const few = await times(100, 100)
  table(
    `microseconds: 10,000 and ${most.toLocaleString('en')} items stored, in 100 channels that are followed`,
    few,
    await times(100, most / 100),
    'recent-items is to stay within 1.5'
  )
  table(
    'microseconds: 10 and 1,000 channels followed, with 100 items each',
    await times(10, 100),
    await times(1000, 100),
    'recent-items is to stay within 3'
  )
  clearInterval(awake)
}

void main()
