import fs from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { describe } from 'node:test'
import { IM_HOST, type Options } from '../../lib/config'
import { parse } from 'yaml'
import { openDatabase, type Database, type StorageOptions } from '../../../core/storage'
import { forEachDatabase, testLog, type DatabaseName } from '../../lib/databases'
import { startTestServer, type TestServer } from '../../lib/server'
import { scenario, type Part, type Player } from '../../lib/wire'

export const SERVICE = 'channels.localhost'
export const TOPICS = 'topics.localhost'
export const PUBSUB = 'http://jabber.org/protocol/pubsub'
export const OWNER = `${PUBSUB}#owner`
export const EVENT = `${PUBSUB}#event`
export const ERRORS = `${PUBSUB}#errors`
export const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
export const RSM = 'http://jabber.org/protocol/rsm'
export const ATOM = 'http://www.w3.org/2005/Atom'
export const BUDDYCLOUD = 'http://buddycloud.org/v1'
export const ACTIVITY = 'http://activitystrea.ms/spec/1.0/'
export const THREAD = 'http://purl.org/syndication/thread/1.0'
export const REVIEW = 'http://activitystrea.ms/schema/1.0/review'
export const TOMBSTONE = 'http://purl.org/atompub/tombstones/1.0'

export const JULIET = 'juliet@localhost'
export const ROMEO = 'romeo@localhost'
export const POSTS = node(JULIET, 'posts')

/** The name of a node. */
export function node(channel: string, type: string): string {
  return `/user/${channel}/${type}`
}

/** The global id of an item. */
export function tag(local: string, name = POSTS): string {
  return `tag:${SERVICE},${name},${local}`
}

export interface ChannelServerOptions {
  channels?: Options
  recentItems?: Options | false
  ratings?: Options | false
  config?: Options
}

/** A server with a channel host beside a host with accounts. */
export function startChannels(
  t: TestContext,
  database: DatabaseName,
  options: ChannelServerOptions = {}
): Promise<TestServer> {
  const { channels = {}, recentItems = {}, ratings = {}, config = {} } = options
  return startTestServer(t, {
    database,
    hosts: {
      localhost: IM_HOST,
      [SERVICE]: { type: 'component', modules: { channels, recent_items: recentItems, ratings } }
    },
    config
  })
}

/** Describes the tests once for each database that is there. */
export function onEachDatabase(name: string, tests: (database: DatabaseName) => void): void {
  describe(name, () => forEachDatabase(database => tests(database)))
}

type Cast = 'juliet' | 'romeo' | 'benvolio' | 'tybalt'
export type Players = Record<Cast, Player>

/** Juliet, whose channel it is, and three others. Juliet has registered. */
export async function play(server: TestServer, script: (players: Players) => Promise<void>): Promise<void> {
  const cast: Record<Cast, Part> = {
    juliet: { jid: `${JULIET}/balcony`, presence: true },
    romeo: { jid: `${ROMEO}/orchard`, presence: true },
    benvolio: { jid: 'benvolio@localhost/street', presence: true },
    tybalt: { jid: 'tybalt@localhost/square', presence: true }
  }
  await scenario(
    server,
    cast,
    async players => {
      await does(players.juliet, register())
      await script(players)
    },
    { hosts: [SERVICE] }
  )
}

/** An iq to the service. */
export function iq(type: 'get' | 'set', inside: string, ns = PUBSUB, to = SERVICE): string {
  return `<iq type='${type}' to='${to}'><pubsub xmlns='${ns}'>${inside}</pubsub></iq>`
}

export function register(inside = ''): string {
  return `<iq type='set' to='${SERVICE}'><query xmlns='jabber:iq:register'>${inside}</query></iq>`
}

/** Asks the service, and compares what comes back with a pattern (test/lib/pattern.ts). */
export async function asks(player: Player, request: string, answer: string): Promise<void> {
  player.unread.unshift(await player.request(request))
  await player.receives(answer)
}

/** The same where all that matters is that it is done. */
export async function does(player: Player, request: string): Promise<void> {
  await asks(player, request, `<iq type='result'/>`)
}

/** `type condition` of RFC 6120, and perhaps the application's condition: `cancel not-allowed closed-node`. */
export async function isRefused(player: Player, request: string, error: string, ns = ERRORS): Promise<void> {
  const [type, condition, app] = error.split(' ')
  const more = app ? `<${app} xmlns='${ns}'/>` : ''
  await asks(
    player,
    request,
    `<iq type='error'><error type='${type}'><${condition} xmlns='${STANZAS}'/>${more}</error></iq>`
  )
}

/** An Atom entry with that text, and more inside. */
export function entry(text: string, more = ''): string {
  return `<entry xmlns='${ATOM}'><content>${text}</content>${more}</entry>`
}

export function replyTo(id: string): string {
  return `<in-reply-to xmlns='${THREAD}' ref='${id}'/>`
}

export function target(id: string): string {
  return `<target xmlns='${ACTIVITY}'><id>${id}</id></target>`
}

/** An entry that rates an item in a thread. */
export function rating(value: string, parent: string, id = parent): string {
  return `<entry xmlns='${ATOM}'>${replyTo(parent)}${target(id)}<rating xmlns='${REVIEW}'>${value}</rating></entry>`
}

export function publish(payload: string, options: { id?: string; to?: string } = {}): string {
  const { id, to = POSTS } = options
  const attr = id === undefined ? '' : ` id='${id}'`
  return iq('set', `<publish node='${to}'><item${attr}>${payload}</item></publish>`)
}

export function retract(id: string, from = POSTS): string {
  return iq('set', `<retract node='${from}'><item id='${id}'/></retract>`)
}

export function subscribe(jid: string, to = POSTS): string {
  return iq('set', `<subscribe node='${to}' jid='${jid}'/>`)
}

export function unsubscribe(jid: string, from = POSTS): string {
  return iq('set', `<unsubscribe node='${from}' jid='${jid}'/>`)
}

export function affiliate(jid: string, affiliation: string, to = POSTS): string {
  return iq(
    'set',
    `<affiliations node='${to}'><affiliation jid='${jid}' affiliation='${affiliation}'/></affiliations>`,
    OWNER
  )
}

/** A form of the channel's configuration, to be submitted: full field names and values. */
export function configuration(values: Record<string, string>): string {
  const fields = Object.entries(values).map(
    ([name, value]) => `<field var='${name}'><value>${value}</value></field>`
  )
  const type = `<field var='FORM_TYPE' type='hidden'><value>${PUBSUB}#node_config</value></field>`
  return `<x xmlns='jabber:x:data' type='submit'>${type}${fields.join('')}</x>`
}

export function configure(values: Record<string, string>, of = POSTS): string {
  return iq('set', `<configure node='${of}'>${configuration(values)}</configure>`, OWNER)
}

export function create(name: string, values: Record<string, string> = {}): string {
  return iq('set', `<create node='${name}'/><configure>${configuration(values)}</configure>`)
}

/** Items of a node; `inside` is `<set/>`. */
export function items(attrs = '', inside = '', of = POSTS): string {
  return iq('get', `<items node='${of}' ${attrs}/>${inside}`)
}

/** A notification with that event. */
export function event(inside: string): string {
  return `<message from='${SERVICE}' type='headline' id='*'><event xmlns='${EVENT}'>${inside}</event></message>`
}

/** Looks into the database of a server, beside it. */
export async function withDatabase<T>(
  server: TestServer,
  look: (database: Database) => Promise<T>
): Promise<T> {
  const { data, storage } = parse(fs.readFileSync(server.configFile, 'utf8')) as {
    data: string
    storage: StorageOptions
  }
  const options =
    storage.driver === 'sqlite' ? { ...storage, path: path.join(data, 'balcony.sqlite') } : storage
  const database = await openDatabase(options, testLog())
  try {
    return await look(database)
  } finally {
    await database.close()
  }
}

/** Number of rows in a table. */
export function count(server: TestServer, table: string): Promise<number> {
  return withDatabase(server, async ({ knex, read }) => {
    const [row] = await read.query<{ n: number }>(knex(table).count({ n: '*' }))
    return row?.n ?? 0
  })
}
