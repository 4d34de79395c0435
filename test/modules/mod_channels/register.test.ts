import assert from 'node:assert/strict'
import test from 'node:test'
import { HANDLED, type StanzaEvent } from '#core'
import type { Database } from '../../../core/storage'
import { nameHash } from '../../../core/storage/names'
import { parseElement } from '../../../core/xml'
import type { TestServer } from '../../lib/server'
import {
  affiliate,
  asks,
  create,
  does,
  entry,
  event,
  iq,
  isRefused,
  items,
  JULIET,
  node,
  onEachDatabase,
  play,
  POSTS,
  publish,
  PUBSUB,
  rating,
  register,
  replyTo,
  SERVICE,
  startChannels,
  subscribe,
  tag,
  TOPICS,
  withDatabase
} from './lib'

const REGISTER = 'jabber:iq:register'
const TABLES = [
  'channels',
  'channel_nodes',
  'channel_members',
  'channel_items',
  'channel_tombstones',
  'channel_log',
  'channel_ghosts',
  'channel_bounces',
  'channel_ratings'
]

/** Everything that the tables of channels hold, as text. */
async function dump({ knex, read }: Database): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const table of TABLES) {
    const rows = await read.query<Record<string, unknown>>(knex(table))
    found[table] = rows.map(row =>
      JSON.stringify(row, (key, value: unknown) =>
        value !== null && (key.endsWith('_hash') || key === 'ghost')
          ? Buffer.from((value as { data: number[] }).data ?? value).toString('hex')
          : value
      )
    )
  }
  return found
}

onEachDatabase('registration', database => {
  test('protoXEP §3: registering makes the channel, and later what it lacks', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const get = `<iq type='get' to='${SERVICE}'><query xmlns='${REGISTER}'/></iq>`
      await asks(
        romeo,
        get,
        `<iq type='result'><query xmlns='${REGISTER}'><instructions/><registered t:absent='yes'/></query></iq>`
      )
      await asks(juliet, get, `<iq type='result'><query xmlns='${REGISTER}'><registered/></query></iq>`)
      await does(juliet, publish(entry('x'), { id: 'x' }))
      await does(juliet, iq('set', `<delete node='${node(JULIET, 'mood')}'/>`, `${PUBSUB}#owner`))
      await does(juliet, register())
      await does(juliet, items('', '', node(JULIET, 'mood')))
      await asks(
        juliet,
        items(),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'><item id='${tag('x')}'/></items></pubsub></iq>`
      )
      await does(juliet, register())
      await isRefused(juliet, register('<remove/><username>x</username>'), 'modify bad-request')
      await isRefused(romeo, register('<remove/>'), 'auth registration-required')
      // at the domains of topics there is no such service
      await isRefused(
        juliet,
        `<iq type='set' to='${TOPICS}'><query xmlns='${REGISTER}'/></iq>`,
        'cancel service-unavailable'
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('an account of another server does not register, and nobody speaks for one of this', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ romeo }) => {
      await does(romeo, subscribe('romeo@localhost'))
      const { api } = server.server
      const answers = new Map<string, string>()
      const host = api.host(SERVICE)
      assert.ok(host)
      host.hooks.add<StanzaEvent>(
        'route/remote',
        ({ stanza }) => {
          const found = /<(not-allowed|forbidden|not-acceptable|not-authorized|subscription) /.exec(
            String(stanza)
          )
          if (stanza.name === 'iq') answers.set(String(stanza.attrs.id), found?.[1] ?? 'result')
          return HANDLED
        },
        { module: 'test', host: SERVICE, begin() {}, end() {} }
      )
      const send = (id: string, inside: string, from = 'escalus@verona.lit/palace'): void =>
        api.route(parseElement(`<iq type='set' id='${id}' from='${from}' to='${SERVICE}'>${inside}</iq>`), {
          kind: 's2s',
          name: 'verona.lit'
        })
      const pubsub = (inside: string): string => `<pubsub xmlns='${PUBSUB}'>${inside}</pubsub>`
      send('register', `<query xmlns='${REGISTER}'/>`)
      send('personal', pubsub(`<create node='${node('escalus@verona.lit', 'posts')}'/>`))
      send('topic', pubsub(`<create node='${node(`crew@${TOPICS}`, 'posts')}'/>`))
      send('follow', pubsub(`<subscribe node='${POSTS}' jid='escalus@verona.lit'/>`))
      await romeo.finds(
        event(`<subscription node='${POSTS}' jid='escalus@verona.lit' subscription='subscribed'/>`)
      )
      await romeo.fence(SERVICE)
      assert.deepEqual(Object.fromEntries(answers), {
        register: 'not-allowed',
        personal: 'not-acceptable',
        topic: 'forbidden',
        follow: 'subscription'
      })
      // a stream of another server that says it is juliet
      send(
        'juliet@localhost/palace',
        `<pubsub xmlns='${PUBSUB}'><publish node='${POSTS}'><item>${entry('x')}</item></publish></pubsub>`
      )
      await romeo.fence(SERVICE)
      await asks(
        romeo,
        items(),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}' t:exact='yes'/></pubsub></iq>`
      )
    })
  })

  for (const [how, leave] of Object.entries({
    unregistering: async (server: TestServer, asJuliet: (request: string) => Promise<void>) => {
      await asJuliet(register('<remove/>'))
      return server
    },
    'removing the account': async (server: TestServer) => {
      assert.ok(await server.server.api.accounts.remove('juliet', 'localhost'))
      return server
    }
  })) {
    test(`${how} takes away what is the user’s, tells the followers, and leaves the name nowhere`, async t => {
      const server = await startChannels(t, database)
      await play(server, async ({ juliet, romeo, benvolio }) => {
        const crew = node(`crew@${TOPICS}`, 'posts')
        const club = node(`club@${TOPICS}`, 'posts')
        const romeos = node('romeo@localhost', 'posts')
        await does(romeo, register())
        // a channel of hers alone, one with another owner, one of somebody else
        await does(juliet, create(crew))
        await does(juliet, create(club))
        await does(juliet, affiliate('benvolio@localhost', 'owner', club))
        await does(romeo, affiliate(JULIET, 'publisher', romeos))
        await does(romeo, affiliate('benvolio@localhost', 'publisher', romeos))
        await does(juliet, subscribe(JULIET, romeos))
        for (const of of [crew, club]) await does(benvolio, subscribe('benvolio@localhost', of))
        await does(benvolio, subscribe('benvolio@localhost', romeos))
        await does(benvolio, subscribe('benvolio@localhost', POSTS))
        await does(juliet, publish(entry('mine'), { id: 'mine' }))
        await does(romeo, publish(entry('his'), { id: 'his', to: romeos }))
        await does(juliet, publish(entry('her answer', replyTo('his')), { id: 'answer', to: romeos }))
        await does(juliet, publish(entry('her thread'), { id: 'thread', to: romeos }))
        await does(benvolio, publish(entry('answered', replyTo('thread')), { id: 'answered', to: romeos }))
        await does(juliet, publish(rating('3', 'his'), { id: 'rated', to: romeos }))
        await does(benvolio, publish(rating('4', 'his', 'answer'), { id: 'rating', to: romeos }))
        await benvolio.forgets()

        await leave(server, request => does(juliet, request))
        for (const type of ['posts', 'mood'])
          await benvolio.finds(event(`<delete node='${node(JULIET, type)}'/>`))
        await benvolio.finds(event(`<delete node='${crew}'/>`))
        await benvolio.finds(event(`<subscription node='${club}' jid='${JULIET}' subscription='none'/>`))
        await benvolio.finds(event(`<subscription node='${romeos}' jid='${JULIET}' subscription='none'/>`))
        await benvolio.finds(
          event(
            `<items node='${romeos}'>${['answer', 'thread', 'answered', 'rated', 'rating']
              .map(id => `<retract id='${tag(id, romeos)}'/>`)
              .join('')}</items>`
          )
        )
        await asks(
          benvolio,
          iq('get', '<subscriptions/>'),
          `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions t:exact='yes'>
             <subscription node='${club}' jid='*' subscription='subscribed'/>
             ${['posts', 'status', 'geoloc', 'geoloc-past', 'geoloc-future', 'public-key', 'mood']
               .map(
                 type =>
                   `<subscription node='${node('romeo@localhost', type)}' jid='*' subscription='subscribed'/>`
               )
               .join('')}</subscriptions></pubsub></iq>`
        )
        const rows = await withDatabase(server, dump)
        const hash = nameHash(JULIET).toString('hex')
        for (const [table, lines] of Object.entries(rows)) {
          for (const line of lines) {
            assert.ok(!line.includes(JULIET), `${table}: ${line}`)
            assert.ok(!line.includes(hash), `${table}: ${line}`)
          }
        }
        assert.equal(rows.channel_ratings?.length, 0)
        assert.equal(rows.channel_items?.length, 1)
      })
      assert.deepEqual(server.errors(), [])
    })
  }
})
