import assert from 'node:assert/strict'
import test from 'node:test'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  asks,
  BUDDYCLOUD,
  configure,
  create,
  does,
  event,
  iq,
  isRefused,
  items,
  JULIET,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  PUBSUB,
  RSM,
  startChannels,
  subscribe,
  TOPICS,
  unsubscribe
} from './lib'

const NODES = ['posts', 'status', 'geoloc', 'geoloc-past', 'geoloc-future', 'public-key', 'mood']
const STATUS = node(JULIET, 'status')
const FORM = 'jabber:x:data'

/** What is told of somebody's standing; `undefined`: nothing of that. */
function standing(jid: string, now: { subscription?: string; affiliation?: string }, at = POSTS): string {
  const { subscription, affiliation } = now
  return event(
    (subscription === undefined
      ? `<subscription t:absent='yes'/>`
      : `<subscription node='${at}' jid='${jid}' subscription='${subscription}'/>`) +
      (affiliation === undefined
        ? `<affiliations t:absent='yes'/>`
        : `<affiliations node='${at}'><affiliation node='${at}' jid='${jid}' affiliation='${affiliation}'/></affiliations>`)
  )
}

function answered(jid: string, subscription: string, affiliation: string, at = POSTS): string {
  return `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscription node='${at}' jid='${jid}' subscription='${subscription}'/>
    <affiliation node='${at}' jid='${jid}' affiliation='${affiliation}'/></pubsub></iq>`
}

const owners = (jid: string, state: string, at = POSTS): string =>
  iq(
    'set',
    `<subscriptions node='${at}'><subscription jid='${jid}' subscription='${state}'/></subscriptions>`,
    OWNER
  )

async function forget(...players: Player[]): Promise<void> {
  for (const player of players) await player.forgets()
}

onEachDatabase('members', database => {
  test('protoXEP §5.4: whoever follows one node follows the channel, by any node', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio }) => {
      const jid = 'romeo@localhost'
      await isRefused(romeo, subscribe('benvolio@localhost'), 'modify bad-request invalid-jid')
      await isRefused(romeo, subscribe(jid, node('nobody@localhost', 'posts')), 'cancel item-not-found')
      await isRefused(
        romeo,
        subscribe(jid, 'nonsense'),
        'modify bad-request invalid-node-format',
        `${BUDDYCLOUD}/errors`
      )
      // with a resource or without: it is the person who follows
      await asks(romeo, subscribe('{romeo}', STATUS), answered(jid, 'subscribed', 'member', STATUS))
      await asks(romeo, subscribe(jid), answered(jid, 'subscribed', 'member'))
      await asks(
        romeo,
        iq('get', '<subscriptions/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions t:exact='yes'>${NODES.map(
          type => `<subscription node='${node(JULIET, type)}' jid='${jid}' subscription='subscribed'/>`
        ).join('')}</subscriptions></pubsub></iq>`
      )
      await asks(
        romeo,
        unsubscribe(jid, node(JULIET, 'mood')),
        answered(jid, 'none', 'none', node(JULIET, 'mood'))
      )
      await asks(
        romeo,
        iq('get', '<affiliations/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliations t:exact='yes'/></pubsub></iq>`
      )
      await isRefused(romeo, unsubscribe(jid), 'cancel unexpected-request not-subscribed')
      await forget(juliet, romeo)
      // everybody hears who comes and goes, once
      await does(romeo, subscribe(jid))
      await forget(juliet, romeo)
      await does(benvolio, subscribe('benvolio@localhost'))
      for (const player of [juliet, romeo, benvolio]) {
        await player.receives(
          standing('benvolio@localhost', { subscription: 'subscribed', affiliation: 'member' })
        )
      }
      await does(benvolio, unsubscribe('benvolio@localhost'))
      for (const player of [juliet, romeo, benvolio]) {
        await player.receives(standing('benvolio@localhost', { subscription: 'none', affiliation: 'none' }))
      }
      for (const player of [juliet, romeo, benvolio]) await player.receivesNothing()
    })
    assert.deepEqual(server.errors(), [])
  })

  test('who comes and goes in a big channel is told to those who manage it', async t => {
    const server = await startChannels(t, database, { channels: { memberNews: 2 } })
    await play(server, async ({ juliet, romeo, benvolio }) => {
      await does(romeo, subscribe('romeo@localhost'))
      await forget(juliet, romeo)
      await does(benvolio, subscribe('benvolio@localhost'))
      await juliet.receives(
        standing('benvolio@localhost', { subscription: 'subscribed', affiliation: 'member' })
      )
      await romeo.receivesNothing()
      await forget(benvolio)
      // what the owner does is still told to all
      await does(juliet, affiliate('benvolio@localhost', 'publisher'))
      for (const player of [juliet, romeo, benvolio]) {
        await player.receives(standing('benvolio@localhost', { affiliation: 'publisher' }))
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('bans and requests are told to managers and to whoever it is', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      for (const [player, name] of [
        [romeo, 'romeo'],
        [benvolio, 'benvolio'],
        [tybalt, 'tybalt']
      ] as const) {
        await does(player, subscribe(`${name}@localhost`))
      }
      await does(juliet, affiliate('benvolio@localhost', 'moderator'))
      await forget(juliet, romeo, benvolio, tybalt)
      await does(benvolio, affiliate('tybalt@localhost', 'outcast'))
      const ban = standing('tybalt@localhost', { subscription: 'none', affiliation: 'outcast' })
      for (const player of [juliet, benvolio, tybalt]) await player.receives(ban)
      await romeo.receives(standing('tybalt@localhost', { subscription: 'none', affiliation: 'none' }))
      // a pardon is nobody else’s business either
      await does(juliet, affiliate('tybalt@localhost', 'none'))
      for (const player of [juliet, benvolio, tybalt]) {
        await player.receives(standing('tybalt@localhost', { affiliation: 'none' }))
      }
      // nor a ban of a stranger
      await does(juliet, affiliate('mercutio@localhost', 'outcast'))
      for (const player of [juliet, benvolio]) {
        await player.receives(standing('mercutio@localhost', { affiliation: 'outcast' }))
      }
      await does(juliet, affiliate('benvolio@localhost', 'publisher'))
      for (const player of [juliet, romeo, benvolio]) {
        await player.receives(standing('benvolio@localhost', { affiliation: 'publisher' }))
      }
      for (const player of [juliet, romeo, benvolio, tybalt]) await player.receivesNothing()
    })
    assert.deepEqual(server.errors(), [])
  })

  test('a channel that approves: request, form, refusal, approval by either way', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      const jid = 'romeo@localhost'
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      await does(juliet, affiliate('benvolio@localhost', 'moderator'))
      await does(benvolio, subscribe('benvolio@localhost'))
      await forget(juliet, benvolio)
      await asks(romeo, subscribe(jid), answered(jid, 'pending', 'none'))
      await asks(romeo, subscribe(jid), answered(jid, 'pending', 'none'))
      const pending = standing(jid, { subscription: 'pending' })
      const form = `<message from='channels.localhost' type='normal'><x xmlns='${FORM}' type='form'>
        <field var='FORM_TYPE'><value>${PUBSUB}#subscribe_authorization</value></field>
        <field var='pubsub#node'><value>${POSTS}</value></field>
        <field var='pubsub#subscriber_jid'><value>${jid}</value></field><field var='pubsub#allow'/></x></message>`
      for (const player of [juliet, benvolio]) await player.receivesAll([form, pending])
      await romeo.receives(pending)
      await isRefused(romeo, items(), 'auth not-authorized pending-subscription')
      await isRefused(tybalt, items(), 'auth forbidden closed-node')

      const list = iq('get', `<subscriptions node='${POSTS}'/>`)
      const listed = (inside: string): string =>
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions node='${POSTS}'>${inside}</subscriptions></pubsub></iq>`
      await asks(benvolio, list, listed(`<subscription jid='${jid}' subscription='pending'/>`))

      await does(benvolio, owners(jid, 'none'))
      for (const player of [juliet, benvolio, romeo]) {
        await player.receives(standing(jid, { subscription: 'none' }))
      }
      await does(romeo, subscribe(jid))
      await forget(juliet, benvolio, romeo)
      const decision = (allow: string): string =>
        `<message to='channels.localhost' id='d'><x xmlns='${FORM}' type='submit'>
           <field var='FORM_TYPE'><value>${PUBSUB}#subscribe_authorization</value></field>
           <field var='pubsub#node'><value>${POSTS}</value></field>
           <field var='pubsub#subscriber_jid'><value>${jid}</value></field>
           <field var='pubsub#allow'><value>${allow}</value></field></x></message>`
      await tybalt.sends(decision('1'))
      await tybalt.receives(`<message type='error' id='d'><error type='auth'/></message>`)
      await juliet.sends(decision('true'))
      const joined = standing(jid, { subscription: 'subscribed', affiliation: 'member' })
      for (const player of [juliet, benvolio, romeo]) await player.receives(joined)
      await does(romeo, items())
      await asks(romeo, list, listed(`<subscription jid='benvolio@localhost'/><subscription jid='${jid}'/>`))

      // nobody is made a follower unasked; nobody sends away whom they could not demote, nor themselves
      await isRefused(juliet, owners('tybalt@localhost', 'subscribed'), 'modify unexpected-request')
      await isRefused(
        benvolio,
        owners(JULIET, 'none'),
        `cancel not-allowed node-must-have-owner`,
        `${BUDDYCLOUD}/errors`
      )
      await isRefused(
        juliet,
        owners(JULIET, 'none'),
        'cancel not-allowed can-not-modify-own-subscription',
        `${BUDDYCLOUD}/errors`
      )
      await isRefused(romeo, owners('benvolio@localhost', 'none'), 'auth forbidden')
      await does(juliet, owners('benvolio@localhost', 'none'))
      await isRefused(benvolio, items(), 'auth forbidden closed-node')
      // when the channel opens, whoever waits is in
      await does(tybalt, subscribe('tybalt@localhost'))
      await forget(tybalt)
      await does(juliet, configure({ 'pubsub#access_model': 'open' }))
      await tybalt.finds(standing('tybalt@localhost', { subscription: 'subscribed', affiliation: 'member' }))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('lists come in pages; all channels of a person in one', async t => {
    const server = await startChannels(t, database, { channels: { listPage: 5 } })
    await play(server, async ({ juliet, romeo }) => {
      for (const name of ['a', 'b', 'c']) await does(juliet, create(node(`${name}@${TOPICS}`, 'posts')))
      const names: string[] = []
      let set = ''
      for (;;) {
        const answer = await juliet.request(iq('get', `<subscriptions/>${set}`))
        const pubsub = answer.getChild('pubsub')
        const rows = pubsub?.getChild('subscriptions')?.getChildren('subscription') ?? []
        names.push(...rows.map(row => String(row.attrs.node)))
        const last = pubsub?.getChild('set')?.getChildText('last')
        if (rows.length < 5 || !last) break
        set = `<set xmlns='${RSM}'><after>${last}</after></set>`
      }
      const topics = ['a', 'b', 'c'].map(name => node(`${name}@${TOPICS}`, 'posts'))
      assert.deepEqual(names, [...NODES.map(type => node(JULIET, type)), ...topics])
      await asks(
        juliet,
        iq('get', `<affiliations/><set xmlns='${RSM}'><max>2</max><before/></set>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliations t:exact='yes'>
           <affiliation node='${node(`b@${TOPICS}`, 'posts')}' affiliation='owner'/>
           <affiliation node='${node(`c@${TOPICS}`, 'posts')}' affiliation='owner'/></affiliations></pubsub></iq>`
      )
      for (let i = 0; i < 7; i++) await does(juliet, affiliate(`follower${i}@localhost`, 'member'))
      const page = (after = ''): string =>
        iq('get', `<affiliations node='${POSTS}'/><set xmlns='${RSM}'><max>4</max>${after}</set>`, OWNER)
      await asks(
        romeo,
        page(),
        `<iq type='result'><pubsub xmlns='${OWNER}'><affiliations node='${POSTS}' t:ordered='yes'>
           <affiliation jid='${JULIET}'/><affiliation jid='follower0@localhost'/><affiliation/><affiliation/></affiliations>
           <set xmlns='${RSM}'><first index='0'>*</first><last>{last}</last></set></pubsub></iq>`
      )
      await asks(
        romeo,
        page('<after>{last}</after>'),
        `<iq type='result'><pubsub xmlns='${OWNER}'><affiliations node='${POSTS}' t:ordered='yes'>
           <affiliation jid='follower3@localhost'/><affiliation/><affiliation/><affiliation jid='follower6@localhost'/></affiliations></pubsub></iq>`
      )
      await isRefused(romeo, page('<after>nonsense</after>'), 'cancel item-not-found')
    })
    assert.deepEqual(server.errors(), [])
  })
})
