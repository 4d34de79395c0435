import assert from 'node:assert/strict'
import test from 'node:test'
import { HANDLED, type Origin, type StanzaEvent } from '#core'
import { parseElement } from '../../../core/xml'
import type { TestServer } from '../../lib/server'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  asks,
  configuration,
  count,
  does,
  entry,
  event,
  iq,
  isRefused,
  items,
  JULIET,
  onEachDatabase,
  play,
  POSTS,
  publish,
  PUBSUB,
  ROMEO,
  SERVICE,
  startChannels,
  subscribe,
  withDatabase
} from './lib'

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const DAY = 86_400_000

/** The id of the notification of a publication that a follower gets now. */
async function notified(juliet: Player, follower: Player, text: string): Promise<string> {
  await does(juliet, publish(entry(text)))
  const found = await follower.finds(event(`<items node='${POSTS}'/>`))
  return String(found.attrs.id)
}

/** It comes back. `from` is the bare JID where the address itself is meant. */
function comesBack(id: string, condition: string, from = ''): string {
  return `<message type='error' to='${SERVICE}' id='${id}'${from}><error type='cancel'><${condition} xmlns='${STANZAS}'/></error></message>`
}

async function isFollowing(player: Player, follows: boolean): Promise<void> {
  const at = follows ? '' : ` t:absent='yes'`
  await asks(
    player,
    iq('get', '<subscriptions/>'),
    `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions><subscription node='${POSTS}'${at}/></subscriptions></pubsub></iq>`
  )
}

/** Puts what has been counted some days back. */
function days(server: TestServer, number: number): Promise<void> {
  const long = Math.round(number * DAY)
  return withDatabase(server, async database => {
    await database.write(tx =>
      tx.execute(
        database.knex('channel_bounces').update({ first: Date.now() - long, last: Date.now() - DAY })
      )
    )
  })
}

onEachDatabase('delivery', database => {
  test('an address that is gone follows nothing any more, at once', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio }) => {
      for (const condition of ['gone', 'item-not-found']) {
        await does(romeo, subscribe(ROMEO))
        await does(benvolio, subscribe('benvolio@localhost'))
        const id = await notified(juliet, romeo, condition)
        // what a resource says of itself, what answers nothing, what is somebody else’s
        await romeo.sends(comesBack(id, condition))
        await romeo.fence(SERVICE)
        await isFollowing(romeo, true)
        await juliet.forgets()
        fromAccount(server, ROMEO, comesBack(`${id}x`, condition))
        fromAccount(server, ROMEO, comesBack(id.replace(/-./, '-~'), condition))
        fromAccount(server, ROMEO, comesBack('channel-1', condition))
        await romeo.fence(SERVICE)
        await isFollowing(romeo, true)
        fromAccount(server, ROMEO, comesBack(id, condition))
        await juliet.finds(event(`<subscription node='${POSTS}' jid='${ROMEO}' subscription='none'/>`))
        await isFollowing(romeo, false)
        await isFollowing(benvolio, true)
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('other errors count, each once, and end it after a number over at least seven days', async t => {
    const server = await startChannels(t, database, { channels: { errorsToLeave: 3 } })
    await play(server, async ({ juliet, romeo }) => {
      await does(romeo, subscribe(ROMEO))
      const error = 'service-unavailable'
      const first = await notified(juliet, romeo, 'one')
      // the same one again and again counts once
      for (let i = 0; i < 5; i++) fromAccount(server, ROMEO, comesBack(first, error))
      for (const text of ['two', 'three', 'four', 'five'])
        fromAccount(server, ROMEO, comesBack(await notified(juliet, romeo, text), error))
      await romeo.fence(SERVICE)
      await isFollowing(romeo, true)
      assert.equal(await count(server, 'channel_bounces'), 1)
      await withDatabase(server, async ({ knex, read }) => {
        const [row] = await read.query<{ count: number }>(knex('channel_bounces'))
        assert.equal(row?.count, 3, 'counted no further than the number')
      })
      // a resource was not notified, the account was
      await romeo.sends(comesBack(first, error))
      await days(server, 6.9)
      fromAccount(server, ROMEO, comesBack(await notified(juliet, romeo, 'six'), error))
      await romeo.fence(SERVICE)
      await isFollowing(romeo, true)
      await days(server, 7.1)
      // an old one does not count
      fromAccount(server, ROMEO, comesBack(first, error))
      await romeo.fence(SERVICE)
      await isFollowing(romeo, true)
      fromAccount(server, ROMEO, comesBack(await notified(juliet, romeo, 'seven'), error))
      await juliet.finds(event(`<subscription node='${POSTS}' jid='${ROMEO}' subscription='none'/>`))
      await isFollowing(romeo, false)
      assert.equal(await count(server, 'channel_bounces'), 0)
      // whoever is not notified cannot make rows
      fromAccount(server, ROMEO, comesBack(first, error))
      await romeo.fence(SERVICE)
      assert.equal(await count(server, 'channel_bounces'), 0)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('what another server says of its users counts, and what this one says of servers that it cannot reach', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const { api } = server.server
      const prince = 'escalus@verona.lit'
      const sent: string[] = []
      api.host(SERVICE)?.hooks.add<StanzaEvent>(
        'route/remote',
        ({ stanza }) => {
          if (stanza.name === 'message') sent.push(String(stanza.attrs.id))
          return HANDLED
        },
        { module: 'test', host: SERVICE, begin() {}, end() {} }
      )
      const send = (stanza: string, origin: Origin): void => {
        const element = parseElement(stanza)
        element.attrs.from = prince
        api.route(element, origin)
      }
      const verona = { kind: 's2s', name: 'verona.lit' } as const
      const follow = `<iq type='set' id='f' to='${SERVICE}'><pubsub xmlns='${PUBSUB}'><subscribe node='${POSTS}' jid='${prince}'/></pubsub></iq>`
      send(follow, verona)
      await juliet.finds(event(`<subscription node='${POSTS}' jid='${prince}' subscription='subscribed'/>`))
      await does(juliet, publish(entry('one')))
      const id = sent.at(-1) ?? ''
      send(comesBack(id, 'remote-server-not-found'), { kind: 'local', name: SERVICE })
      await romeo.fence(SERVICE)
      await juliet.fence(SERVICE)
      assert.equal(await count(server, 'channel_bounces'), 1)
      send(comesBack(id, 'gone'), verona)
      await juliet.finds(event(`<subscription node='${POSTS}' jid='${prince}' subscription='none'/>`))
      assert.equal(await count(server, 'channel_bounces'), 0)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('who follows again begins anew; the last owner stays; a ban stays', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, tybalt }) => {
      await does(romeo, subscribe(ROMEO))
      await does(tybalt, subscribe('tybalt@localhost'))
      const id = await notified(juliet, romeo, 'one')
      await juliet.forgets()
      fromAccount(server, ROMEO, comesBack(id, 'service-unavailable'))
      await romeo.fence(SERVICE)
      assert.equal(await count(server, 'channel_bounces'), 1)
      await does(romeo, iq('set', `<unsubscribe node='${POSTS}' jid='${ROMEO}'/>`))
      await does(romeo, subscribe(ROMEO))
      assert.equal(await count(server, 'channel_bounces'), 0)
      await does(juliet, affiliate('tybalt@localhost', 'outcast'))
      fromAccount(server, 'tybalt@localhost', comesBack(id, 'gone'))
      fromAccount(server, JULIET, comesBack(id, 'gone'))
      await tybalt.fence(SERVICE)
      await isRefused(tybalt, items(), 'auth forbidden')
      await isFollowing(juliet, true)
      await does(juliet, publish(entry('still here')))
      // an ephemeral channel ends with the subscription that delivery ends
      const answer = await romeo.request(
        iq('set', `<create/><configure>${configuration({ 'buddycloud#ephemeral': '1' })}</configure>`)
      )
      const channel = String(answer.getChild('pubsub')?.getChild('create')?.attrs.node)
      await does(romeo, publish(entry('x'), { to: channel }))
      const { attrs } = await romeo.finds(event(`<items node='${channel}'/>`))
      await juliet.forgets()
      fromAccount(server, ROMEO, comesBack(String(attrs.id), 'gone'))
      await juliet.finds(event(`<subscription node='${POSTS}' jid='${ROMEO}' subscription='none'/>`))
      await isRefused(romeo, items('', '', channel), 'cancel item-not-found')
    })
    assert.deepEqual(server.errors(), [])
  })
})

/** A stanza as another server or the router would send it for a bare address. */
function fromAccount(server: TestServer, jid: string, stanza: string): void {
  const element = parseElement(stanza)
  element.attrs.from = jid
  server.server.api.route(element, { kind: 'local', name: 'localhost' })
}
