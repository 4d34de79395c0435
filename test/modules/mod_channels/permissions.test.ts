import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import {
  changeTable,
  COLUMNS,
  readTable,
  writeTable,
  type Column,
  type PermissionRow
} from '../../../modules/mod_channels/permissions'
import { IM_HOST } from '../../lib/config'
import type { DatabaseName } from '../../lib/databases'
import { startTestServer, type TestServer } from '../../lib/server'
import { scenario, type Player } from '../../lib/wire'
import {
  affiliate,
  BUDDYCLOUD,
  configure,
  create,
  does,
  entry,
  iq,
  items,
  JULIET,
  node,
  onEachDatabase,
  OWNER,
  POSTS,
  publish,
  PUBSUB,
  register,
  replyTo,
  retract,
  ROMEO,
  SERVICE,
  subscribe,
  TOPICS,
  unsubscribe
} from './lib'

const MODELS = ['open', 'authorize', 'local', 'whitelist'] as const
const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const CREW = node(`crew@${TOPICS}`, 'posts')
const ROLES = ['owner', 'moderator', 'publisher', 'member', 'none', 'outcast'] as const

/*
 * protoXEP tables 5 and 6 as they are read here, in the order of COLUMNS: owner, moderator, follower+post, follower,
 * none, somebody of another domain, outcast. By hand: neither the code nor the page is asked.
 */
const TABLE5: Record<string, string> = {
  'name, title, description': 'yyyyyyy',
  'posts, replies, ratings open': 'yyyyyyn',
  'posts, replies, ratings authorize': 'yyyynnn',
  'posts, replies, ratings local': 'yyyyynn',
  'posts, replies, ratings whitelist': 'yyyynnn',
  'followers, moderators, owners open': 'yyyyyyn',
  'followers, moderators, owners authorize': 'yyyynnn',
  'followers, moderators, owners local': 'yyyyynn',
  'followers, moderators, owners whitelist': 'yyyynnn',
  bans: 'yynnnnn',
  'requests to follow, invitations': 'yynnnnn',
  'form of the configuration': 'yynnnnn',
  'follow open': 'yyyyyyn',
  'follow authorize': 'yyyyaan',
  'follow local': 'yyyyyan',
  'follow whitelist': 'yyyyaan'
}
const TABLE6: Record<string, string> = {
  title: 'yynnnnn',
  description: 'yynnnnn',
  'role of new followers': 'yynnnnn',
  'access model': 'ynnnnnn',
  'advertise a node': 'ynnnnnn',
  'ban, and pardon': 'yynnnnn',
  'approve requests': 'yynnnnn',
  'make moderators and owners': 'ynnnnnn',
  invite: 'yyyynnn',
  'publish on posts': 'yyynnnn',
  'publish on status of a person': 'ynnnnnn',
  'publish on status of a topic': 'yynnnnn',
  'publish on geoloc': 'ynnnnnn',
  'publish on geoloc-past': 'ynnnnnn',
  'publish on geoloc-future': 'ynnnnnn',
  'publish on public-key': 'ynnnnnn',
  'publish on mood': 'ynnnnnn',
  'delete own items': 'yyyynnn',
  'delete items of others': 'yynnnnn',
  'purge a node': 'ynnnnnn',
  'delete a node': 'ynnnnnn'
}
/** protoXEP table 7: what a moderator may make of whom; an owner anything of anybody. */
const MANAGED: readonly string[] = ['publisher', 'member', 'none', 'outcast']

const said = (cells: string): string[] =>
  [...cells].map(cell => ({ y: 'yes', n: 'no', a: 'asks' })[cell] as string)
const keyOf = ({ property, model }: PermissionRow): string =>
  model === 'all' ? property : `${property} ${model}`

type Cast = Record<Column | 'asker', Player>
type Probe = (player: Player, column: Column, cast: Cast) => Promise<boolean | string>

/** Whether the request was granted; what is no matter of rights is a fault. */
async function granted(player: Player, request: string): Promise<boolean> {
  const answer = await player.request(request)
  if (answer.attrs.type === 'result') return true
  assert.match(String(answer), /<forbidden |<not-allowed /, `${request}\n${String(answer)}`)
  return false
}

/** All of them or none. */
async function alike(player: Player, requests: readonly string[]): Promise<boolean> {
  const answers = []
  for (const request of requests) answers.push(await granted(player, request))
  const [first = false] = answers
  assert.deepEqual(
    answers,
    answers.map(() => first),
    requests.join('\n')
  )
  return first
}

/** Whether a list, where it is given, has that name in it. */
async function lists(player: Player, request: string, jid: string): Promise<boolean> {
  return String(await player.request(request)).includes(`jid="${jid}"`)
}

const info = (of: string): string =>
  `<iq type='get' to='${SERVICE}'><query xmlns='${INFO}' node='${of}'/></iq>`
const own = (name: string, of = POSTS): string =>
  iq('get', `<${name} xmlns='${BUDDYCLOUD}' node='${of}' item_id='first'/>`)
const followers = (ns: string): string => iq('get', `<subscriptions node='${POSTS}'/>`, ns)
const members = (ns: string): string => iq('get', `<affiliations node='${POSTS}'/>`, ns)
const asSubscriber = (jid: string, state: string): string =>
  iq(
    'set',
    `<subscriptions node='${POSTS}'><subscription jid='${jid}' subscription='${state}'/></subscriptions>`,
    OWNER
  )

const READS: Record<string, Probe> = {
  'name, title, description': async player => /verse/.test(String(await player.request(info(POSTS)))),
  'posts, replies, ratings': player =>
    alike(player, [
      items(),
      items("parent-only='true'"),
      iq('get', `<items node='${POSTS}'><item id='first'/></items>`),
      items('', '', node(JULIET, 'status')),
      own('replies'),
      own('thread'),
      iq('get', `<threads xmlns='${BUDDYCLOUD}' node='${POSTS}'/>`),
      `<iq type='get' to='${SERVICE}'><query xmlns='${ITEMS}' node='${POSTS}'/></iq>`
    ]),
  'followers, moderators, owners': async player => {
    const may = await alike(player, [followers(PUBSUB), followers(OWNER), members(PUBSUB), members(OWNER)])
    assert.equal(/num_subscribers/.test(String(await player.request(info(POSTS)))), may, 'their number')
    return may
  },
  bans: player => lists(player, members(OWNER), 'tybalt@localhost'),
  'requests to follow, invitations': async player => {
    const asks = await lists(player, followers(OWNER), 'asker@localhost')
    assert.equal(await lists(player, followers(OWNER), 'invited@localhost'), asks)
    return asks
  },
  'form of the configuration': player => granted(player, iq('get', `<configure node='${POSTS}'/>`, OWNER)),
  follow: async (player, column) => {
    const jid = player.jid.replace(/\/.*/, '')
    const answer = await player.request(subscribe(jid))
    const state: unknown = answer.getChild('pubsub')?.getChild('subscription')?.attrs.subscription
    if (column === 'none' || column === 'elsewhere') await does(player, unsubscribe(jid))
    return state === 'pending' ? 'asks' : state === 'subscribed'
  }
}

const GEOLOC = `<geoloc xmlns='http://jabber.org/protocol/geoloc'><text>Verona</text></geoloc>`
const PAYLOADS: Record<string, string> = {
  geoloc: GEOLOC,
  'geoloc-past': GEOLOC,
  'geoloc-future': GEOLOC,
  'public-key': `<pubkey xmlns='urn:xmpp:pubkey:2'/>`,
  mood: `<mood xmlns='http://jabber.org/protocol/mood'><in_love/></mood>`
}

const WRITES: Record<string, Probe> = {
  title: (player, column) => granted(player, configure({ 'pubsub#title': `by ${column}` })),
  description: (player, column) => granted(player, configure({ 'pubsub#description': `by ${column}` })),
  'role of new followers': async (player, _, { owner }) => {
    const may = await granted(player, configure({ 'buddycloud#default_affiliation': 'publisher' }))
    await does(owner, configure({ 'buddycloud#default_affiliation': 'member' }))
    return may
  },
  'access model': player => granted(player, configure({ 'pubsub#access_model': 'local' })),
  'advertise a node': player => granted(player, configure({ 'buddycloud#advertise_node': '0' })),
  'ban, and pardon': async (player, column) => {
    const may = await granted(player, affiliate(`for-${column}@localhost`, 'outcast'))
    if (may) await does(player, affiliate(`for-${column}@localhost`, 'none'))
    return may
  },
  'approve requests': async (player, _, { owner, asker }) => {
    await does(owner, configure({ 'pubsub#access_model': 'authorize' }))
    await does(asker, subscribe('asker@localhost'))
    const may = await granted(player, asSubscriber('asker@localhost', 'subscribed'))
    await does(asker, unsubscribe('asker@localhost'))
    await does(owner, configure({ 'pubsub#access_model': 'open' }))
    return may
  },
  'make moderators and owners': (player, column) =>
    alike(player, [
      affiliate(`for-${column}@localhost`, 'moderator'),
      affiliate(`for-${column}@localhost`, 'owner')
    ]),
  invite: (player, column) => granted(player, asSubscriber(`guest-${column}@localhost`, 'invited')),
  'publish on posts': player => alike(player, [publish(entry('x')), publish(entry('x', replyTo('first')))]),
  'publish on status of a person': player =>
    granted(player, publish(entry('x'), { to: node(JULIET, 'status') })),
  'publish on status of a topic': player =>
    granted(player, publish(entry('x'), { to: node(`crew@${TOPICS}`, 'status') })),
  ...Object.fromEntries(
    Object.entries(PAYLOADS).map(([type, payload]): [string, Probe] => [
      `publish on ${type}`,
      player =>
        alike(player, [
          publish(payload, { to: node(JULIET, type) }),
          publish(payload, { to: node(`crew@${TOPICS}`, type) })
        ])
    ])
  ),
  'delete own items': (player, column) => granted(player, retract(`by-${column}`)),
  'delete items of others': async (player, column, { owner }) => {
    await does(owner, publish(entry('x'), { id: `for-${column}` }))
    return granted(player, retract(column === 'owner' ? 'of-romeo' : `for-${column}`))
  },
  'purge a node': player =>
    granted(player, iq('set', `<purge node='${node(`crew@${TOPICS}`, 'status')}'/>`, OWNER)),
  'delete a node': player =>
    granted(player, iq('set', `<delete node='${node(`crew@${TOPICS}`, 'mood')}'/>`, OWNER))
}

const CAST: Record<Column | 'asker', string> = {
  owner: `${JULIET}/balcony`,
  moderator: 'mercutio@localhost/street',
  publisher: `${ROMEO}/orchard`,
  member: 'benvolio@localhost/street',
  none: 'nurse@localhost/house',
  // its accounts have no channels here
  elsewhere: 'escalus@verona/palace',
  outcast: 'tybalt@localhost/square',
  asker: 'asker@localhost/street'
}
const AFFILIATED = ['moderator', 'publisher', 'member', 'outcast'] as const

function bareOf(column: Column): string {
  return CAST[column].replace(/\/.*/, '')
}

function start(t: TestContext, database: DatabaseName): Promise<TestServer> {
  return startTestServer(t, {
    database,
    hosts: {
      localhost: IM_HOST,
      verona: IM_HOST,
      [SERVICE]: { type: 'component', modules: { channels: {}, recent_items: {}, ratings: {} } }
    }
  })
}

/** Juliet's channel and a topic channel of hers, with somebody of each kind; everybody has written something. */
async function stage(server: TestServer, script: (cast: Cast) => Promise<void>): Promise<void> {
  await scenario(
    server,
    CAST,
    async cast => {
      const { owner } = cast
      await does(owner, register())
      await does(owner, configure({ 'pubsub#title': 'verse' }))
      for (const type of ['posts', 'status', ...Object.keys(PAYLOADS)]) {
        await does(owner, create(node(`crew@${TOPICS}`, type)))
      }
      await does(owner, publish(entry('first'), { id: 'first' }))
      for (const column of COLUMNS) {
        const jid = bareOf(column)
        if (column !== 'owner') {
          for (const of of [POSTS, CREW]) await does(owner, affiliate(jid, 'publisher', of))
        }
        await does(cast[column], publish(entry('x'), { id: `by-${column}` }))
      }
      await does(cast.publisher, publish(entry('x'), { id: 'of-romeo' }))
      for (const of of [POSTS, CREW]) {
        for (const column of ['none', 'elsewhere'] as const)
          await does(owner, affiliate(bareOf(column), 'none', of))
        for (const column of AFFILIATED) await does(owner, affiliate(bareOf(column), column, of))
        for (const column of ['moderator', 'publisher', 'member'] as const)
          await does(cast[column], subscribe(bareOf(column), of))
      }
      await script(cast)
    },
    { hosts: [SERVICE] }
  )
}

/** Asks for every cell of a row, the owner last: what was granted changes nothing for the others. */
async function probe(row: PermissionRow, probes: Record<string, Probe>, cast: Cast): Promise<string[]> {
  const ask = probes[row.property]
  assert.ok(ask, `nothing tries "${row.property}"`)
  const found = new Map<Column, string>()
  for (const column of [...COLUMNS].reverse()) {
    const answer = await ask(cast[column], column, cast)
    found.set(column, answer === true ? 'yes' : answer === false ? 'no' : answer)
  }
  return COLUMNS.map(column => found.get(column) as string)
}

onEachDatabase('permissions', database => {
  test('§5.2 table 5: each cell through the wire, for each access model', async t => {
    const server = await start(t, database)
    const { rows } = readTable()
    await stage(server, async cast => {
      await does(cast.owner, asSubscriber('invited@localhost', 'invited'))
      const tried = new Set<string>()
      for (const model of MODELS) {
        await does(cast.owner, configure({ 'pubsub#access_model': model }))
        for (const row of rows.filter(one => one.model === model || one.model === 'all')) {
          const requests = row.property.startsWith('requests')
          // an open channel approves at once: nobody waits there
          if (requests && (model === 'open' || model === 'local')) continue
          if (requests) await does(cast.asker, subscribe('asker@localhost'))
          const wanted = said(TABLE5[keyOf(row)] ?? '')
          assert.deepEqual(await probe(row, READS, cast), wanted, `${keyOf(row)}, ${model}`)
          assert.deepEqual(Object.values(row.cells), wanted, `the page: ${keyOf(row)}`)
          if (requests) await does(cast.asker, unsubscribe('asker@localhost'))
          tried.add(keyOf(row))
        }
      }
      assert.deepEqual([...tried].sort(), Object.keys(TABLE5).sort())
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§5.3 table 6, §4.3, §4.4: each cell through the wire', async t => {
    const server = await start(t, database)
    const { rows } = writeTable()
    await stage(server, async cast => {
      for (const row of rows) {
        const wanted = said(TABLE6[keyOf(row)] ?? '')
        assert.deepEqual(await probe(row, WRITES, cast), wanted, keyOf(row))
        assert.deepEqual(Object.values(row.cells), wanted, `the page: ${keyOf(row)}`)
      }
      assert.deepEqual(rows.map(keyOf).sort(), Object.keys(TABLE6).sort())
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§8.1 table 7: any role becomes any other at the hand of who may do it', async t => {
    const server = await start(t, database)
    await stage(server, async ({ owner, moderator }) => {
      for (const [by, player] of [
        ['owner', owner],
        ['moderator', moderator]
      ] as const) {
        for (const from of ROLES) {
          for (const to of ROLES.filter(role => role !== from)) {
            const target = affiliate('peter@localhost', from, CREW)
            await does(owner, target)
            const wanted = by === 'owner' || (MANAGED.includes(from) && MANAGED.includes(to))
            const found = await granted(player, affiliate('peter@localhost', to, CREW))
            assert.equal(found, wanted, `${by}: ${from} to ${to}`)
            assert.equal(
              changeTable(by).from[from]?.includes(to),
              wanted,
              `the page: ${by}: ${from} to ${to}`
            )
          }
        }
      }
    })
    assert.deepEqual(server.errors(), [])
  })
})

test('docs/protocol.md has the tables of the code', () => {
  const root = path.resolve(__dirname, '../../..')
  execFileSync(process.execPath, [path.join(root, 'tools/channel-permissions.mjs'), '--check'])
})
