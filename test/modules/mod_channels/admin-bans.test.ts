import assert from 'node:assert/strict'
import test from 'node:test'
import { IM_HOST } from '../../lib/config'
import { startTestServer } from '../../lib/server'
import { PASSWORD, scenario, type Player } from '../../lib/wire'
import { rowsOf } from '../mod_adhoc_admin/helpers'
import { governed, isDone, isFaulty, orders, outcomeOf, startGoverned } from './admin-lib'
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
  POSTS,
  publish,
  register,
  ROMEO,
  SERVICE,
  subscribe,
  tag,
  TOPICS,
  withDatabase
} from './lib'

const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const discover = (ns: string, of?: string): string =>
  `<iq type='get' to='${SERVICE}'><query xmlns='${ns}'${of === undefined ? '' : ` node='${of}'`}/></iq>`
const recent = iq(
  'get',
  `<recent-items xmlns='http://buddycloud.org/v1' since='2010-01-01T00:00:00Z' max='10'/>`
)
const DECISION = `<message to='${SERVICE}'><x xmlns='jabber:x:data' type='submit'>
  <field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#subscribe_authorization</value></field>
  <field var='pubsub#node'><value>${POSTS}</value></field>
  <field var='pubsub#subscriber_jid'><value>x@localhost</value></field>
  <field var='pubsub#allow'><value>1</value></field></x></message>`

onEachDatabase('bans from the channel host', database => {
  test('whoever is banned may ask for nothing and is sent nothing; when it is lifted, all is as before', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, juliet, romeo, tybalt }) => {
      await does(romeo, subscribe(ROMEO))
      await does(tybalt, subscribe('tybalt@localhost'))
      await does(juliet, affiliate(ROMEO, 'moderator'))
      await does(romeo, publish(entry('before'), { id: 'before' }))
      await does(romeo, create(node(`mine@${TOPICS}`, 'posts')))
      for (const one of [juliet, romeo, tybalt]) await one.forgets()

      isDone(
        await orders(boss, 'channel-ban', { who: 'ROMEO@localhost/orchard', reason: 'spam' }),
        'info: romeo@localhost is banned'
      )
      // nobody is told
      for (const one of [juliet, romeo, tybalt]) await one.receivesNothing()

      for (const request of [
        items(),
        publish(entry('after')),
        subscribe(ROMEO),
        iq('set', `<unsubscribe node='${POSTS}' jid='${ROMEO}'/>`),
        iq('get', '<subscriptions/>'),
        iq('get', `<affiliations node='${POSTS}'/>`),
        create(node(`other@${TOPICS}`, 'posts')),
        affiliate('tybalt@localhost', 'outcast'),
        recent,
        register(),
        register('<remove/>'),
        discover(ITEMS),
        discover(ITEMS, POSTS),
        discover(INFO, POSTS),
        // whether there is such a node is told no more than anything else
        items('', '', node('nobody@localhost', 'posts'))
      ]) {
        await isRefused(romeo, request, 'auth forbidden')
      }
      // what the host is, is no secret: whoever asks must find that out
      await asks(romeo, discover(INFO), `<iq type='result'><query xmlns='${INFO}'/></iq>`)
      romeo.send(DECISION)
      await romeo.receives(
        `<message type='error'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
      )

      await does(juliet, publish(entry('news'), { id: 'news' }))
      await tybalt.receives(event(`<items node='${POSTS}'><item id='${tag('news')}'/></items>`))
      await romeo.receivesNothing()
      // what they wrote and own is there
      await asks(
        tybalt,
        items(),
        `<iq type='result'><pubsub><items node='${POSTS}'><item id='${tag('news')}'/><item id='${tag('before')}'/></items></pubsub></iq>`.replaceAll(
          '<pubsub>',
          "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        )
      )

      isDone(await orders(boss, 'channel-unban', { who: [ROMEO] }), `info: ${ROMEO} is banned no more`)
      await juliet.forgets()
      await tybalt.forgets()
      await does(juliet, publish(entry('more'), { id: 'more' }))
      await romeo.receives(event(`<items node='${POSTS}'><item id='${tag('more')}'/></items>`))
      await does(romeo, affiliate('tybalt@localhost', 'outcast'))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('a domain, and all below one; other forms of a name are the same', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, romeo }) => {
      await does(romeo, subscribe(ROMEO))
      isDone(
        await orders(boss, 'channel-ban', { who: 'Far.Example\n*.BÜCHER.example\nxn--bcher-kva.example' }),
        /.*/
      )
      const listed = rowsOf(await orders(boss, 'channel-bans', {}))
      assert.deepEqual(
        listed.map(row => row.who),
        ['*.bücher.example', 'bücher.example', 'far.example']
      )
      for (const row of listed) assert.equal(row.by, 'boss@localhost')
      await does(romeo, items())
      isDone(await orders(boss, 'channel-bans', { text: 'FAR', max_items: '25' }))
      const page = await orders(boss, 'channel-bans', { after: 'bücher.example' })
      assert.deepEqual(
        rowsOf(page).map(row => row.who),
        ['far.example']
      )
      isDone(await orders(boss, 'channel-ban', { who: 'far.example', reason: 'again' }), /was banned already/)
      isDone(
        await orders(boss, 'channel-unban', { who: ['far.example', 'near.example'] }),
        'warn: far.example is banned no more\nnear.example: was not banned'
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('all of a domain are refused and hear nothing, whoever joins it later too; those below it by * alone', async t => {
    const server = await startTestServer(t, {
      database,
      hosts: {
        localhost: { ...IM_HOST, admins: [] },
        'guests.localhost': IM_HOST,
        'club.guests.localhost': IM_HOST,
        [SERVICE]: { type: 'component', admins: ['boss@localhost'], modules: { channels: {} } }
      },
      modules: { adhoc_admin: {} }
    })
    const cast = {
      boss: 'boss@localhost/desk',
      juliet: { jid: `${JULIET}/x`, presence: true },
      guest: { jid: 'guest@guests.localhost/x', presence: true },
      member: { jid: 'member@club.guests.localhost/x', presence: true }
    }
    await scenario(
      server,
      cast,
      async ({ boss, juliet, guest, member }) => {
        await does(juliet, register())
        await does(guest, subscribe('guest@guests.localhost'))
        await does(member, subscribe('member@club.guests.localhost'))
        const hear = async (id: string, who: Player, not: Player): Promise<void> => {
          for (const one of [juliet, guest, member]) await one.forgets()
          await does(juliet, publish(entry(id), { id }))
          await who.receives(event(`<items node='${POSTS}'><item id='${tag(id)}'/></items>`))
          await not.receivesNothing()
          await does(who, items())
          await isRefused(not, items(), 'auth forbidden')
        }
        // all below localhost are the channel host, too
        isFaulty(await orders(boss, 'channel-ban', { who: '*.localhost' }), /this host itself/)
        isDone(await orders(boss, 'channel-ban', { who: 'GUESTS.localhost' }), /./)
        await hear('one', member, guest)
        isDone(await orders(boss, 'channel-unban', { who: ['guests.localhost'] }), /./)
        isDone(await orders(boss, 'channel-ban', { who: '*.guests.localhost' }), /./)
        await hear('two', guest, member)
        // an account of it that is lifted by its name is banned with it still
        const lifted = await orders(boss, 'channel-unban', { who: ['member@club.guests.localhost'] })
        assert.equal(outcomeOf(lifted), 'item-not-found')
        await isRefused(member, items(), 'auth forbidden')
      },
      { hosts: [SERVICE] }
    )
    assert.deepEqual(server.errors(), [])
  })

  test('nobody bans themselves, another administrator or the host, nor what is no name', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss }) => {
      for (const [who, fault] of [
        ['boss@localhost/other', /where you are yourself/],
        ['localhost', /where you are yourself/],
        ['DEPUTY@localhost', /deputy@localhost, who administers this host/],
        [SERVICE, /this host itself/],
        [TOPICS, /this host itself/],
        ['not a name', /expected an account, a domain/],
        ['*.', /expected an account, a domain/],
        ['romeo@localhost\n@@', /expected an account, a domain/],
        [Array.from({ length: 101 }, (_, i) => `u${i}@far.example`).join('\n'), /at most 100/]
      ] as const) {
        isFaulty(await orders(boss, 'channel-ban', { who }), fault)
      }
      assert.deepEqual(rowsOf(await orders(boss, 'channel-bans', {})), [])
      isFaulty(await orders(boss, 'channel-ban', { who: 'x@far.example', reason: 'y'.repeat(201) }), /reason/)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('a ban outlives a reload, and the account: its name stays nowhere, and is banned when it is made again', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, juliet, romeo }) => {
      isDone(await orders(boss, 'channel-ban', { who: ROMEO, reason: `for ${ROMEO}` }), /is banned/)
      assert.ok((await server.server.api.modules.reload('channels')).ok)
      await isRefused(romeo, items(), 'auth forbidden')
      await does(juliet, items())
      assert.ok(await server.server.accounts.remove('romeo', 'localhost'))
      const kept = await withDatabase(server, ({ knex, read }) =>
        read.query<Record<string, unknown>>(knex('entries').where('module', 'channels'))
      )
      assert.equal(kept.length, 1)
      assert.doesNotMatch(JSON.stringify(kept), /romeo/)
      assert.deepEqual(rowsOf(await orders(boss, 'channel-bans', {})), [])

      await server.server.accounts.create('romeo', 'localhost', PASSWORD)
      const [row] = rowsOf(await orders(boss, 'channel-bans', {}))
      assert.equal(row?.who, ROMEO)
      assert.match(row?.reason ?? '', /before the account was removed/)
    })
    await governed(server, async ({ boss, romeo }) => {
      await isRefused(romeo, items(), 'auth forbidden')
      // lifted while there is no account, it is lifted too
      assert.ok(await server.server.accounts.remove('romeo', 'localhost'))
      isDone(await orders(boss, 'channel-unban', { who: [ROMEO] }), `info: ${ROMEO} is banned no more`)
      await server.server.accounts.create('romeo', 'localhost', PASSWORD)
      assert.deepEqual(rowsOf(await orders(boss, 'channel-bans', {})), [])
    })
    assert.deepEqual(server.errors(), [])
  })
})
