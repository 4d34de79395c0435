import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test from 'node:test'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  asks,
  BUDDYCLOUD,
  configuration,
  configure,
  count,
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
  OWNER,
  play,
  publish,
  PUBSUB,
  register,
  ROMEO,
  SERVICE,
  startChannels,
  subscribe,
  TOPICS,
  unsubscribe
} from './lib'

const EPHEMERAL = { 'buddycloud#ephemeral': 'true' }
const ERRORS = `${BUDDYCLOUD}/errors`
const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'

const remove = (of: string): string => iq('set', `<delete node='${of}'/>`, OWNER)
const mine = (list: 'subscriptions' | 'affiliations'): string =>
  iq('get', `<${list} xmlns:bc='${BUDDYCLOUD}' bc:ephemeral='true'/>`)

/** Makes an ephemeral channel without saying how it is called. */
async function open(player: Player): Promise<string> {
  const answer = await player.request(
    iq('set', `<create/><configure>${configuration(EPHEMERAL)}</configure>`)
  )
  const name: unknown = answer.getChild('pubsub')?.getChild('create')?.attrs.node
  assert.match(String(name), /^\/user\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@localhost\/posts$/)
  return String(name)
}

onEachDatabase('ephemeral channels', database => {
  test('§1.3 one lives as long as somebody takes part, and everybody who does is a moderator', async t => {
    const server = await startChannels(t, database, { recentItems: {} })
    await play(server, async ({ juliet, romeo, benvolio }) => {
      const channel = await open(juliet)
      const name = channel.slice('/user/'.length, -'/posts'.length)
      await asks(
        romeo,
        `<iq type='get' to='${SERVICE}'><query xmlns='${INFO}' node='${channel}'/></iq>`,
        `<iq type='result'><query xmlns='${INFO}'><x xmlns='jabber:x:data'>
           <field var='buddycloud#channel_type'><value>ephemeral</value></field>
           <field var='buddycloud#default_affiliation'><value>moderator</value></field></x></query></iq>`
      )
      await asks(
        romeo,
        subscribe(ROMEO, channel),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliation node='${channel}' jid='${ROMEO}' affiliation='moderator'/></pubsub></iq>`
      )
      await does(romeo, publish(entry('hist'), { to: channel }))
      await does(romeo, configure({ 'pubsub#title': 'Tonight' }, channel))
      // every participant is a moderator, and remains one
      for (const role of ['publisher', 'member', 'none', 'outcast']) {
        await isRefused(juliet, affiliate(ROMEO, role, channel), 'cancel not-allowed')
      }
      await does(juliet, affiliate(ROMEO, 'owner', channel))
      await does(juliet, affiliate(ROMEO, 'moderator', channel))
      // what makes it ephemeral cannot be changed, and it is never advertised
      await does(
        juliet,
        configure(
          {
            'buddycloud#ephemeral': '0',
            'buddycloud#advertise_node': '1',
            'buddycloud#default_affiliation': 'member'
          },
          channel
        )
      )
      await asks(
        juliet,
        iq('get', `<configure node='${channel}'/>`, OWNER),
        `<iq type='result'><pubsub xmlns='${OWNER}'><configure><x xmlns='jabber:x:data'>
           <field var='buddycloud#ephemeral'><value>1</value></field>
           <field var='buddycloud#advertise_node'><value>0</value></field>
           <field var='buddycloud#default_affiliation'><value>moderator</value>
             <option><value>moderator</value></option></field></x></configure></pubsub></iq>`
      )

      // in no default list, in no disco, in no recent items; in the list that is asked for by name
      const absent = `t:absent='yes' node='${channel}'`
      await asks(
        juliet,
        iq('get', '<subscriptions/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions><subscription ${absent}/></subscriptions></pubsub></iq>`
      )
      await asks(
        juliet,
        iq('get', '<affiliations/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliations><affiliation ${absent}/></affiliations></pubsub></iq>`
      )
      await asks(
        juliet,
        `<iq type='get' to='${SERVICE}'><query xmlns='${ITEMS}'/></iq>`,
        `<iq type='result'><query xmlns='${ITEMS}'><item ${absent}/></query></iq>`
      )
      await asks(
        juliet,
        iq('get', `<recent-items xmlns='${BUDDYCLOUD}' since='2020-01-01T00:00:00Z' max='10'/>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items ${absent}/></pubsub></iq>`
      )
      await asks(
        romeo,
        mine('subscriptions'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions t:exact='yes'><subscription node='${channel}' jid='${ROMEO}' subscription='subscribed'/></subscriptions></pubsub></iq>`
      )
      await asks(
        juliet,
        mine('affiliations'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliations t:exact='yes'><affiliation node='${channel}' affiliation='owner'/></affiliations></pubsub></iq>`
      )

      await isRefused(juliet, remove(channel), 'cancel not-allowed can-not-delete-ephemeral-node', ERRORS)
      await isRefused(benvolio, remove(channel), 'auth forbidden')
      await isRefused(benvolio, create(channel), 'auth forbidden')
      await isRefused(romeo, create(`/user/${name}/status`), 'auth forbidden')
      await does(juliet, create(`/user/${name}/status`))
      await does(romeo, publish(entry('here we are'), { to: `/user/${name}/status` }))

      // the owner may leave: somebody is still there
      await does(juliet, unsubscribe(JULIET, channel))
      await does(romeo, items('', '', channel))
      await does(
        romeo,
        iq(
          'set',
          `<subscriptions node='${channel}'><subscription jid='benvolio@localhost' subscription='invited'/></subscriptions>`,
          OWNER
        )
      )
      await benvolio.forgets()
      await does(romeo, unsubscribe(ROMEO, channel))
      await benvolio.finds(event(`<delete node='${channel}'/>`))
      await isRefused(romeo, items('', '', channel), 'cancel item-not-found')
      await isRefused(romeo, items('', '', `/user/${name}/status`), 'cancel item-not-found')
      assert.equal(await count(server, 'channel_items'), 0)
      assert.equal(await count(server, 'channels'), 1)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§1.3 a client may choose the UUID, where nobody has that name; users have so many at a time', async t => {
    const server = await startChannels(t, database, { channels: { ephemeralPerUser: 2 } })
    await play(server, async ({ juliet, romeo }) => {
      const taken = randomUUID()
      await server.addUser(`${taken}@localhost`, 'a password for tests')
      await isRefused(juliet, create(node(`${taken}@localhost`, 'posts'), EPHEMERAL), 'cancel conflict')
      for (const wrong of ['romance@localhost', `${TOPICS}`, `x${randomUUID()}@localhost`, ROMEO, JULIET]) {
        const { attrs, children } = await juliet.request(create(node(wrong, 'mine'), EPHEMERAL))
        assert.equal(attrs.type, 'error', wrong)
        assert.match(String(children), /not-acceptable|bad-request|conflict/, wrong)
      }
      await isRefused(
        juliet,
        create(node(`${randomUUID()}@verona.lit`, 'posts'), EPHEMERAL),
        'modify not-acceptable'
      )
      // without the flag such a name is like any other
      await isRefused(juliet, create(node(`${randomUUID()}@localhost`, 'posts')), 'auth forbidden')
      const first = node(`${randomUUID()}@localhost`, 'posts')
      await does(juliet, create(first, EPHEMERAL))
      await isRefused(romeo, create(first, EPHEMERAL), 'auth forbidden')
      await isRefused(juliet, create(first, EPHEMERAL), 'cancel conflict')
      await does(juliet, create(node(`${randomUUID().toUpperCase()}@${TOPICS}`, 'posts'), EPHEMERAL))
      await isRefused(
        juliet,
        create(node(`${randomUUID()}@localhost`, 'posts'), EPHEMERAL),
        'cancel not-allowed max-nodes-exceeded'
      )
      await does(juliet, unsubscribe(JULIET, first))
      await does(juliet, create(node(`${randomUUID()}@localhost`, 'posts'), EPHEMERAL))
      // a role of that name is for these channels alone
      await isRefused(
        juliet,
        configure({ 'buddycloud#default_affiliation': 'moderator' }),
        'modify not-acceptable'
      )
      await does(juliet, configure({ 'buddycloud#ephemeral': '1' }))
      await does(juliet, iq('set', `<delete node='${node(JULIET, 'mood')}'/>`, OWNER))
    })
    assert.deepEqual(server.errors(), [])
  })

  for (const [how, leave] of Object.entries({
    'the account is removed': async ({ server }: Awaited<ReturnType<typeof startChannels>>) => {
      await server.api.accounts.remove('romeo', 'localhost')
    },
    'the user unregisters': async (_: unknown, romeo: Player) => {
      await does(romeo, register('<remove/>'))
    }
  })) {
    test(`§1.3 it goes as well where ${how}`, async t => {
      const server = await startChannels(t, database)
      await play(server, async ({ juliet, romeo }) => {
        await does(romeo, register())
        const channel = await open(romeo)
        await does(juliet, subscribe(JULIET, channel))
        await does(juliet, publish(entry('hist'), { to: channel }))
        const own = await open(romeo)
        await leave(server, romeo)
        await isRefused(juliet, items('', '', own), 'cancel item-not-found')
        // the one that has somebody left stays, though nobody owns it
        await does(juliet, items('', '', channel))
        await does(juliet, unsubscribe(JULIET, channel))
        await isRefused(juliet, items('', '', channel), 'cancel item-not-found')
        assert.equal(await count(server, 'channels'), 1)
      })
      assert.deepEqual(server.errors(), [])
    })
  }
})
