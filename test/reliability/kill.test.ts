// time limit: 600 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { openDatabase } from '../../core/storage'
import type { StorageOptions } from '../../core/storage'
import { forEachDatabase, testLog } from '../lib/databases'
import type { DatabaseName } from '../lib/databases'
import { spawnTestServer } from '../lib/spawn'
import type { SpawnedServer } from '../lib/spawn'
import { join } from '../lib/wire'
import type { Player } from '../lib/wire'
import { BuddyChanges, Publications, RosterChanges } from './lib/changes'
import type { Changes } from './lib/changes'
import { everything } from './lib/everything'

/** How often the server is killed. */
const LIVES: Readonly<Record<DatabaseName, number>> = { SQLite: 20, MariaDB: 4 }
/** After how many acknowledgements it is killed: so many and up to as many again. */
const ENOUGH = 250

const PUBSUB = 'pubsub.localhost'
const CHANNELS = 'channels.localhost'
const POSTS = '/user/romeo@localhost/posts'
const NS_PUBSUB = 'http://jabber.org/protocol/pubsub'

/** Who does what, and who is told of it. */
interface Troupe {
  doers: { name: string; changes: Changes }[]
  publications: Publications[]
}

function troupe(): Troupe {
  const numbers = new Publications(PUBSUB, 'numbers', n => `<number xmlns='urn:balcony:test'>${n}</number>`)
  const posts = new Publications(
    CHANNELS,
    POSTS,
    n => `<entry xmlns='http://www.w3.org/2005/Atom'><content>${n}</content></entry>`
  )
  return {
    doers: [
      { name: 'juliet', changes: numbers },
      { name: 'romeo', changes: posts },
      { name: 'mercutio', changes: new RosterChanges() },
      { name: 'admin', changes: new BuddyChanges('localhost') }
    ],
    publications: [numbers, posts]
  }
}

type People = Map<string, Player>

async function everybody(server: SpawnedServer, names: readonly string[]): Promise<People> {
  const people: People = new Map()
  for (const name of names)
    people.set(name, await join(server, name, { jid: `${name}@localhost`, presence: true }))
  return people
}

function person(people: People, name: string): Player {
  const found = people.get(name)
  assert.ok(found, name)
  return found
}

/** What must be there before the first change. */
async function prepare(people: People): Promise<void> {
  const asks = async (name: string, to: string, payload: string): Promise<void> => {
    const answer = await person(people, name).request(`<iq type='set' to='${to}'>${payload}</iq>`)
    assert.equal(answer.attrs.type, 'result', answer.toString())
  }
  const pubsub = (payload: string): string => `<pubsub xmlns='${NS_PUBSUB}'>${payload}</pubsub>`
  await asks('juliet', PUBSUB, pubsub(`<create node='numbers'/>`))
  await asks('romeo', CHANNELS, `<query xmlns='jabber:iq:register'/>`)
  await asks('benvolio', PUBSUB, pubsub(`<subscribe node='numbers' jid='benvolio@localhost'/>`))
  await asks('benvolio', CHANNELS, pubsub(`<subscribe node='${POSTS}' jid='benvolio@localhost'/>`))
}

/** Everybody does what they do until the server dies of it; resolves with how many changes were acknowledged. */
async function liveAndDie(
  server: SpawnedServer,
  people: People,
  { doers, publications }: Troupe
): Promise<number> {
  const enough = ENOUGH + Math.floor(Math.random() * ENOUGH)
  let acknowledged = 0
  let dying: Promise<unknown> | undefined
  const lane = async (doer: Player, changes: Changes): Promise<void> => {
    for (;;) {
      try {
        await changes.change(doer)
      } catch (error) {
        if (doer.closed) return
        throw error
      }
      if (++acknowledged >= enough) dying ??= server.kill('SIGKILL')
    }
  }
  const listens = async (): Promise<void> => {
    const benvolio = person(people, 'benvolio')
    for (;;) {
      try {
        const stanza = await benvolio.next()
        for (const one of publications) one.told(stanza)
      } catch (error) {
        if (benvolio.closed) return
        throw error
      }
    }
  }
  await Promise.all([
    listens(),
    ...doers.flatMap(({ name, changes }) =>
      Array.from({ length: changes.window }, () => lane(person(people, name), changes))
    )
  ])
  assert.equal(await dying, 'SIGKILL')
  return acknowledged
}

/** What the database finds in itself, as the dead server has left it. */
async function integrity(server: SpawnedServer, t: TestContext): Promise<string[]> {
  const { storage } = parse(fs.readFileSync(server.configFile, 'utf8')) as { storage: StorageOptions }
  const database = await openDatabase(storage.driver === 'sqlite' ? copyOf(server, t) : storage, testLog())
  try {
    return await database.integrityCheck()
  } finally {
    await database.close()
  }
}

/** A copy, so that it is the server's own next start that repairs what the kill has left half done. */
function copyOf(server: SpawnedServer, t: TestContext): StorageOptions {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-killed-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  for (const file of ['balcony.sqlite', 'balcony.sqlite-wal'])
    fs.copyFileSync(path.join(server.folder, 'data', file), path.join(folder, file))
  return { driver: 'sqlite', path: path.join(folder, 'balcony.sqlite') }
}

forEachDatabase(database => {
  const lives = LIVES[database]
  test(`killed ${lives} times, the server keeps what it has acknowledged, and nothing twice`, async t => {
    const { hosts, modules } = everything()
    const durable = { storage: { driver: 'sqlite', durability: 'full' } }
    const config = database === 'SQLite' ? durable : {}
    const server = await spawnTestServer(t, { hosts, modules, database, config })
    const cast = troupe()
    const names = [...cast.doers.map(({ name }) => name), 'benvolio']
    let people = await everybody(server, names)
    t.after(() => people.forEach(one => one.destroy()))
    await prepare(people)
    let total = 0
    for (let life = 1; life <= lives; life++) {
      total += await liveAndDie(server, people, cast)
      assert.deepEqual(await integrity(server, t), [], `after ${life} lives`)
      await server.start()
      people = await everybody(server, names)
      for (const { name, changes } of cast.doers)
        assert.deepEqual(await changes.audit(person(people, name)), [], `after ${life} lives`)
    }
    t.diagnostic(`${total} changes were acknowledged`)
    const trouble = server.output.split('\n').filter(line => /"level":"(error|fatal)"/.test(line))
    assert.deepEqual(trouble, [])
  })
})
