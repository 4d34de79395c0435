import assert from 'node:assert/strict'
import test from 'node:test'
import { scenario } from '../../lib/wire'
import {
  affiliate,
  asks,
  BUDDYCLOUD,
  configuration,
  configure,
  does,
  event,
  iq,
  isRefused,
  items,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  PUBSUB,
  register,
  ROMEO,
  SERVICE,
  startChannels,
  subscribe,
  unsubscribe,
  withDatabase,
  EVENT
} from './lib'

const BENVOLIO = 'benvolio@localhost'
const TYBALT = 'tybalt@localhost'

function invite(...jids: string[]): string {
  const rows = jids.map(jid => `<subscription jid='${jid}' subscription='invited'/>`)
  return iq('set', `<subscriptions node='${POSTS}'>${rows.join('')}</subscriptions>`, OWNER)
}

function withdraw(jid: string): string {
  return iq(
    'set',
    `<subscriptions node='${POSTS}'><subscription jid='${jid}' subscription='none'/></subscriptions>`,
    OWNER
  )
}

/** What is told of an invitation. */
function invitation(jid: string, by: string): string {
  return `<subscription node='${POSTS}' jid='${jid}' subscription='invited' invited-by='${by}'/>`
}

onEachDatabase('invitations', database => {
  test('§8 whoever is invited by a manager follows without being approved', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      await does(juliet, invite(ROMEO, BENVOLIO))
      // it waits for them, and they find it in their list
      await romeo.receives(
        `<message from='${SERVICE}' type='normal'><event xmlns='${EVENT}'>${invitation(ROMEO, 'juliet@localhost')}</event></message>`
      )
      await asks(
        romeo,
        iq('get', '<subscriptions/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions>${invitation(ROMEO, 'juliet@localhost')}</subscriptions></pubsub></iq>`
      )
      // it opens nothing yet
      await isRefused(romeo, items(), 'auth forbidden closed-node')
      await asks(
        romeo,
        subscribe(ROMEO),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscription subscription='subscribed'/></pubsub></iq>`
      )
      await does(romeo, items())
      await benvolio.forgets()

      // a follower’s invitation needs approval all the same
      await tybalt.forgets()
      await does(romeo, invite(TYBALT))
      await tybalt.receives(
        `<message type='normal'><event xmlns='${EVENT}'>${invitation(TYBALT, ROMEO)}</event></message>`
      )
      await asks(
        tybalt,
        subscribe(TYBALT),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscription subscription='pending'/></pubsub></iq>`
      )
      // declined, withdrawn, and nobody invites who does not follow
      await isRefused(benvolio, invite('mercutio@localhost'), 'auth forbidden')
      await does(benvolio, unsubscribe(BENVOLIO))
      await isRefused(benvolio, unsubscribe(BENVOLIO), 'cancel unexpected-request not-subscribed')
      await does(juliet, invite(BENVOLIO))
      await does(juliet, withdraw(BENVOLIO))
      await asks(
        benvolio,
        subscribe(BENVOLIO),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscription subscription='pending'/></pubsub></iq>`
      )
      await isRefused(
        juliet,
        invite('juliet@localhost'),
        'cancel not-allowed can-not-modify-own-subscription',
        `${BUDDYCLOUD}/errors`
      )
      await isRefused(juliet, invite(ROMEO, ROMEO), 'modify bad-request')
      await isRefused(juliet, invite('not a jid@'), 'modify bad-request invalid-jid')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§5.1 an invitation tells a follower nothing of bans and requests, and nobody else of itself', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      await does(romeo, subscribe(ROMEO))
      await does(benvolio, subscribe(BENVOLIO))
      await does(juliet, affiliate(TYBALT, 'outcast'))
      await does(juliet, affiliate('mercutio@localhost', 'moderator'))
      for (const player of [juliet, romeo, benvolio, tybalt]) await player.forgets()
      await does(romeo, invite(TYBALT, BENVOLIO, 'juliet@localhost'))
      for (const player of [juliet, benvolio, tybalt]) await player.receivesNothing()
      // owner and moderators are told
      await asks(
        juliet,
        invite(TYBALT),
        `<iq type='error'><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
      )
      await isRefused(tybalt, subscribe(TYBALT), 'auth forbidden')
      await does(romeo, invite('nurse@localhost'))
      await juliet.receives(event(invitation('nurse@localhost', ROMEO)))
      await benvolio.receivesNothing()
      const list = iq('get', `<subscriptions node='${POSTS}'/>`, OWNER)
      const answer = (inside: string): string =>
        `<iq type='result'><pubsub xmlns='${OWNER}'><subscriptions>${inside}</subscriptions></pubsub></iq>`
      await asks(juliet, list, answer(`<subscription jid='nurse@localhost' subscription='invited'/>`))
      await asks(romeo, list, answer(`<subscription t:absent='yes' jid='nurse@localhost'/>`))
      // who is banned is not invited any more
      await does(juliet, affiliate('nurse@localhost', 'outcast'))
      await asks(juliet, list, answer(`<subscription t:absent='yes' jid='nurse@localhost'/>`))
      // the name of who invited goes with their account
      await does(romeo, invite('peter@localhost'))
      await server.server.api.accounts.remove('romeo', 'localhost')
      await withDatabase(server, async ({ knex, read }) => {
        const rows = await read.query<{ invited_by: string }>(
          knex('channel_members').where('subscription', 'invited')
        )
        assert.deepEqual(
          rows.map(row => row.invited_by),
          ['']
        )
      })
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§7, §8 requests and invitations wait for who is away, and are in the lists as well', async t => {
    const server = await startChannels(t, database)
    // connected, and not yet there (RFC 6121 §4.2)
    const cast = { juliet: 'juliet@localhost/balcony', romeo: 'romeo@localhost/orchard' }
    await scenario(server, cast, async ({ juliet, romeo }) => {
      await does(juliet, register())
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      await does(romeo, register())
      await does(romeo, subscribe(ROMEO))
      await does(romeo, invite('juliet@localhost').replaceAll(POSTS, node(ROMEO, 'posts')))
      await asks(
        juliet,
        iq('get', `<subscriptions node='${POSTS}'/>`, OWNER),
        `<iq type='result'><pubsub xmlns='${OWNER}'><subscriptions><subscription jid='${ROMEO}' subscription='pending'/></subscriptions></pubsub></iq>`
      )
      await juliet.sends('<presence/>')
      const form = await juliet.finds(
        `<message from='${SERVICE}'><x xmlns='jabber:x:data' type='form'>
           <field var='pubsub#node'><value>${POSTS}</value></field>
           <field var='pubsub#subscriber_jid'><value>${ROMEO}</value></field></x></message>`
      )
      assert.equal(form.attrs.type, 'normal')
      await juliet.finds(
        `<message from='${SERVICE}'><event xmlns='${EVENT}'><subscription node='${node(ROMEO, 'posts')}' subscription='invited'/></event></message>`
      )
      const values = { 'pubsub#node': POSTS, 'pubsub#subscriber_jid': ROMEO, 'pubsub#allow': '1' }
      const decision = configuration(values).replace('#node_config', '#subscribe_authorization')
      await juliet.sends(`<message to='${SERVICE}'>${decision}</message>`)
      await juliet.fence(SERVICE)
      await asks(
        romeo,
        iq('get', '<subscriptions/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions><subscription node='${POSTS}' subscription='subscribed'/></subscriptions></pubsub></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§8 invitations are bounded, by channel and by person', async t => {
    const server = await startChannels(t, database, { channels: { invitationsPerChannel: 4 } })
    await play(server, async ({ juliet, romeo }) => {
      await does(romeo, subscribe(ROMEO))
      await does(romeo, invite('a@localhost', 'b@localhost'))
      await isRefused(romeo, invite('c@localhost'), 'modify not-acceptable')
      // the owner has room left, and what does not fit undoes the whole
      await isRefused(juliet, invite('c@localhost', 'd@localhost', 'e@localhost'), 'modify not-acceptable')
      await does(juliet, invite('c@localhost', 'd@localhost'))
      await does(juliet, withdraw('a@localhost'))
      await does(juliet, invite('e@localhost'))
      const many = Array.from({ length: 101 }, (_, i) => `u${i}@localhost`)
      await isRefused(juliet, invite(...many), 'modify not-acceptable')
    })
    assert.deepEqual(server.errors(), [])
  })
})
