import assert from 'node:assert/strict'
import test from 'node:test'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  asks,
  configure,
  create,
  does,
  entry,
  iq,
  isRefused,
  items,
  JULIET,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  publish,
  PUBSUB,
  retract,
  startChannels,
  subscribe,
  tag,
  TOPICS,
  unsubscribe
} from './lib'

const ROLES = ['owner', 'moderator', 'publisher', 'member', 'none', 'outcast'] as const
type Role = (typeof ROLES)[number]

/** What a request comes to: `ok`, or condition and application's condition. */
async function outcome(player: Player, request: string): Promise<string> {
  const answer = await player.request(request)
  if (answer.attrs.type === 'result') return 'ok'
  const error = answer.getChild('error')
  const names = (error?.children ?? []).map(child => (typeof child === 'string' ? '' : child.name))
  return names.filter(name => name !== '' && name !== 'text').join(' ')
}

/** Makes somebody that in juliet's channel. */
async function become(juliet: Player, jid: string, role: Role): Promise<void> {
  await does(juliet, affiliate(jid, role))
}

onEachDatabase('rights', database => {
  test('protoXEP tables 5, 6 and 7: what each role may do in an open and in a closed channel', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio }) => {
      const who = 'romeo@localhost'
      await does(juliet, publish(entry('first'), { id: 'first' }))
      await does(benvolio, subscribe('benvolio@localhost'))

      const reads = {
        posts: items(),
        thread: items("parent-only='true'"),
        one: iq('get', `<items node='${POSTS}'><item id='first'/></items>`),
        followers: iq('get', `<subscriptions node='${POSTS}'/>`),
        members: iq('get', `<affiliations node='${POSTS}'/>`, OWNER)
      }
      const readable = async (): Promise<string[]> => {
        const found: string[] = []
        for (const request of Object.values(reads)) found.push(await outcome(romeo, request))
        return [...new Set(found)]
      }
      for (const model of ['open', 'authorize', 'whitelist', 'local']) {
        await does(juliet, configure({ 'pubsub#access_model': model }))
        const closed = model === 'authorize' || model === 'whitelist'
        for (const role of ['moderator', 'publisher', 'member', 'none', 'outcast'] as const) {
          await become(juliet, who, role)
          const wanted =
            role === 'outcast' ? 'forbidden' : role === 'none' && closed ? 'forbidden closed-node' : 'ok'
          assert.deepEqual(await readable(), [wanted], `${role} reads ${model}`)
        }
        // name, title and description are everybody's to know, also whoever is banned
        await asks(
          romeo,
          `<iq type='get' to='channels.localhost'><query xmlns='http://jabber.org/protocol/disco#info' node='${POSTS}'/></iq>`,
          `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data' type='result'>
             <field var='pubsub#title'><value>juliet@localhost's Buddycloud channel</value></field>
             <field var='pubsub#access_model'><value>${model}</value></field></x></query></iq>`
        )
        await become(juliet, who, 'none')
      }
      await does(juliet, configure({ 'pubsub#access_model': 'open' }))

      const writes: Record<string, (role: Role) => string> = {
        publish: role => publish(entry('mine'), { id: `mine-${role}` }),
        'delete own': role => retract(`mine-${role}`),
        'delete others’': () => retract('first'),
        title: () => configure({ 'pubsub#title': 'changed' }),
        description: () => configure({ 'pubsub#description': 'changed' }),
        'default role': () => configure({ 'buddycloud#default_affiliation': 'publisher' }),
        'access model': () => configure({ 'pubsub#access_model': 'authorize' }),
        configuration: () => iq('get', `<configure node='${POSTS}'/>`, OWNER),
        ban: () => affiliate('tybalt@localhost', 'outcast'),
        promote: () => affiliate('tybalt@localhost', 'moderator'),
        'delete node': () => iq('set', `<delete node='${POSTS}'/>`, OWNER),
        purge: () => iq('set', `<purge node='${POSTS}'/>`, OWNER)
      }
      const no = 'forbidden'
      const table: Record<string, Record<string, string>> = {
        moderator: {
          publish: 'ok',
          'delete own': 'ok',
          'delete others’': 'ok',
          title: 'ok',
          description: 'ok',
          'default role': 'ok',
          'access model': no,
          configuration: 'ok',
          ban: 'ok',
          promote: no,
          'delete node': no
        },
        publisher: { publish: 'ok', 'delete own': 'ok' },
        member: {},
        none: {},
        outcast: {}
      }
      for (const role of ['publisher', 'member', 'none', 'outcast', 'moderator'] as const) {
        await become(juliet, who, role)
        for (const [name, request] of Object.entries(writes)) {
          const absent = name === 'delete own' && table[role]?.publish === undefined
          const wanted = table[role]?.[name] ?? no
          // whoever reads learns what is there and what is not
          const told = absent && role === 'member' ? 'item-not-found' : wanted
          assert.equal(await outcome(romeo, request(role)), told, `${role}: ${name}`)
        }
      }
      await asks(
        juliet,
        items(),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'>
           <item id='${tag('first')}'><deleted-entry xmlns='http://purl.org/atompub/tombstones/1.0'/></item></items></pubsub></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('what is about the owner is the owner’s to publish', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const payloads: Record<string, string> = {
        status: entry('in love'),
        geoloc: `<geoloc xmlns='http://jabber.org/protocol/geoloc'><text>Verona</text></geoloc>`,
        'geoloc-past': `<geoloc xmlns='http://jabber.org/protocol/geoloc'><text>Mantua</text></geoloc>`,
        'geoloc-future': `<geoloc xmlns='http://jabber.org/protocol/geoloc'><text>Padua</text></geoloc>`,
        'public-key': `<pubkey xmlns='urn:xmpp:pubkey:2'/>`,
        mood: `<mood xmlns='http://jabber.org/protocol/mood'><in_love/></mood>`
      }
      for (const role of ['publisher', 'moderator', 'member'] as const) {
        await become(juliet, 'romeo@localhost', role)
        for (const [type, payload] of Object.entries(payloads)) {
          const to = node(JULIET, type)
          assert.equal(await outcome(romeo, publish(payload, { to })), 'forbidden', `${role}: ${type}`)
          // by another name too
          const other = `/users/JULIET@localhost/${type === 'geoloc' ? 'geo/current' : type}`
          assert.equal(
            await outcome(romeo, publish(payload, { to: other })),
            'forbidden',
            `${role}: ${other}`
          )
          assert.equal(
            await outcome(romeo, retract('x', to)),
            role === 'moderator' ? 'item-not-found' : 'item-not-found'
          )
        }
      }
      for (const [type, payload] of Object.entries(payloads)) {
        await does(juliet, publish(payload, { to: node(JULIET, type) }))
      }
      // on a topic channel moderators say how things stand
      const crew = `crew@${TOPICS}`
      for (const type of ['posts', 'status', 'geoloc']) await does(juliet, create(node(crew, type)))
      await does(juliet, affiliate('romeo@localhost', 'moderator', node(crew, 'posts')))
      await does(romeo, publish(entry('all is well'), { to: node(crew, 'status') }))
      assert.equal(
        await outcome(romeo, publish(payloads.geoloc ?? '', { to: node(crew, 'geoloc') })),
        'forbidden'
      )
      await does(juliet, affiliate('romeo@localhost', 'publisher', node(crew, 'posts')))
      assert.equal(await outcome(romeo, publish(entry('no'), { to: node(crew, 'status') })), 'forbidden')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('protoXEP §1.3: nobody creates a channel in another’s name', async t => {
    const server = await startChannels(t, database, { channels: { channelsPerUser: 1 } })
    await play(server, async ({ juliet, romeo }) => {
      const cases: Record<string, string> = {
        [node('tybalt@localhost', 'posts')]: 'forbidden',
        [node('nobody@localhost', 'posts')]: 'forbidden',
        [node('TYBALT@localhost', 'posts')]: 'forbidden',
        [node('ｔybalt@localhost', 'posts')]: 'forbidden',
        [node('someone@verona.lit', 'posts')]: 'not-acceptable',
        [node('someone@channels.localhost', 'posts')]: 'not-acceptable',
        [node('localhost', 'posts')]: 'bad-request invalid-node-format',
        '/user/../posts': 'bad-request invalid-node-format',
        nonsense: 'bad-request invalid-node-format',
        [POSTS]: 'forbidden'
      }
      for (const [name, wanted] of Object.entries(cases)) {
        assert.equal(await outcome(romeo, create(name)), wanted, name)
      }
      assert.equal(await outcome(romeo, iq('set', '<create/>')), 'not-acceptable nodeid-required')
      const own = node('romeo@localhost', 'posts')
      await does(romeo, create(own))
      assert.equal(await outcome(romeo, create(own)), 'conflict')
      const crew = node(`crew@${TOPICS}`, 'posts')
      await does(romeo, create(crew, { 'pubsub#title': 'The crew' }))
      assert.equal(await outcome(juliet, create(crew)), 'forbidden')
      assert.equal(await outcome(juliet, create(node(`crew@${TOPICS}`, 'status'))), 'forbidden')
      assert.equal(await outcome(romeo, create(crew)), 'conflict')
      assert.equal(
        await outcome(romeo, create(node(`more@${TOPICS}`, 'posts'))),
        'not-allowed max-nodes-exceeded'
      )
      await does(romeo, create(node(`crew@${TOPICS}`, 'status')))
      await isRefused(romeo, create(`/user/crew@${TOPICS}`), 'modify bad-request')
      await asks(
        romeo,
        iq('get', '<affiliations/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliations t:exact='yes'>
           <affiliation node='${own}' affiliation='owner'/>
           <affiliation node='${crew}' affiliation='owner'/>
           <affiliation node='${node(`crew@${TOPICS}`, 'status')}' affiliation='owner'/></affiliations></pubsub></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('roles: who gives which to whom, on whatever node; a ban cannot be evaded', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      const give = (jid: string, role: string): string =>
        affiliate(`${jid}@localhost`, role, node(JULIET, 'mood'))
      await isRefused(romeo, give('tybalt', 'outcast'), 'auth forbidden')
      await does(romeo, subscribe('romeo@localhost'))
      await does(juliet, give('romeo', 'moderator'))
      for (const role of ['publisher', 'none', 'outcast', 'member', 'outcast', 'none', 'member']) {
        await does(romeo, give('benvolio', role))
      }
      await isRefused(romeo, give('benvolio', 'moderator'), 'auth forbidden')
      await isRefused(romeo, give('benvolio', 'owner'), 'auth forbidden')
      await isRefused(romeo, give('juliet', 'member'), 'cancel not-allowed')
      await isRefused(
        romeo,
        give('romeo', 'owner'),
        'cancel not-allowed can-not-modify-own-affiliation',
        'http://buddycloud.org/v1/errors'
      )
      await isRefused(juliet, give('benvolio', 'king'), 'modify bad-request')
      // owner: all but the owner whose name the channel has
      await does(juliet, give('romeo', 'owner'))
      await isRefused(romeo, give('juliet', 'outcast'), 'cancel not-allowed')
      await does(juliet, give('romeo', 'member'))

      await does(tybalt, subscribe('tybalt@localhost'))
      await does(juliet, give('tybalt', 'outcast'))
      for (const request of [
        subscribe('tybalt@localhost'),
        subscribe('tybalt@localhost', node(JULIET, 'status')),
        items(),
        iq('get', `<subscriptions node='${POSTS}'/>`),
        publish(entry('I hate the word'))
      ]) {
        await isRefused(tybalt, request, 'auth forbidden')
      }
      await isRefused(tybalt, unsubscribe('tybalt@localhost'), 'cancel unexpected-request not-subscribed')
      await isRefused(tybalt, subscribe('tybalt@localhost'), 'auth forbidden')
      // managers see the ban, others do not
      const list = iq('get', `<affiliations node='${POSTS}'/>`)
      const banned = `<affiliation jid='tybalt@localhost' affiliation='outcast'/>`
      const answer = (inside: string): string =>
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliations node='${POSTS}'>${inside}</affiliations></pubsub></iq>`
      await asks(juliet, list, answer(banned))
      await asks(benvolio, list, answer(`<affiliation t:absent='yes' jid='tybalt@localhost'/>`))
      await isRefused(
        juliet,
        unsubscribe(JULIET),
        'cancel not-allowed node-must-have-owner',
        'http://buddycloud.org/v1/errors'
      )
    })
    assert.deepEqual(server.errors(), [])
  })
})
