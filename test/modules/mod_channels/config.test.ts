import assert from 'node:assert/strict'
import test from 'node:test'
import {
  affiliate,
  asks,
  configure,
  create,
  does,
  entry,
  event,
  iq,
  isRefused,
  JULIET,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  publish,
  PUBSUB,
  RSM,
  SERVICE,
  startChannels,
  subscribe,
  tag,
  TOPICS
} from './lib'

const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const STATUS = node(JULIET, 'status')
const FORM = 'jabber:x:data'
const discover = (ns: string, of?: string, to = SERVICE, inside = ''): string =>
  `<iq type='get' to='${to}'><query xmlns='${ns}'${of === undefined ? '' : ` node='${of}'`}>${inside}</query></iq>`
const field = (name: string, value: string): string => `<field var='${name}'><value>${value}</value></field>`

onEachDatabase('configuration', database => {
  test('protoXEP §4: one configuration for all nodes; what the server sets stays', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const read = (of: string): string => iq('get', `<configure node='${of}'/>`, OWNER)
      const form = (of: string, fields: string): string =>
        `<iq type='result'><pubsub xmlns='${OWNER}'><configure node='${of}'><x xmlns='${FORM}' type='form'>${fields}</x></configure></pubsub></iq>`
      const common =
        field('FORM_TYPE', `${PUBSUB}#node_config`) +
        field('pubsub#description', '*') +
        field('pubsub#access_model', 'open') +
        field('buddycloud#default_affiliation', 'member') +
        field('buddycloud#channel_type', 'personal') +
        field('pubsub#type', 'http://www.w3.org/2005/Atom') +
        field('pubsub#creator', JULIET) +
        field('pubsub#owner', JULIET) +
        field('pubsub#creation_date', '{created}') +
        field('buddycloud#updated_date', '{updated}') +
        field('buddycloud#last_updated', '{updated}')
      await asks(
        juliet,
        read(POSTS),
        form(POSTS, field('pubsub#title', `${JULIET}'s Buddycloud channel`) + common)
      )
      assert.match(juliet.vars.get('created') ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      await isRefused(romeo, read(POSTS), 'auth forbidden')

      await does(romeo, subscribe('romeo@localhost'))
      await romeo.forgets()
      await does(
        juliet,
        configure(
          {
            'pubsub#title': 'Musings',
            'pubsub#description': 'Of love',
            'pubsub#creator': 'tybalt@localhost',
            'pubsub#creation_date': '1597-01-01T00:00:00Z',
            'buddycloud#channel_type': 'topic',
            'pubsub#type': 'urn:x',
            'pubsub#max_items': '1',
            'unknown#field': 'x'
          },
          STATUS
        )
      )
      juliet.vars.delete('updated')
      const changed =
        field('pubsub#title', 'Musings') +
        common.replace("'pubsub#description'><value>*", "'pubsub#description'><value>Of love")
      await asks(juliet, read(POSTS), form(POSTS, changed))
      // told once for the node that was named, and once for the one that tells of the channel
      for (const of of [STATUS, POSTS]) {
        await romeo.receives(
          event(`<configuration node='${of}'><x xmlns='${FORM}' type='result'>${field('pubsub#title', 'Musings')}
            ${field('buddycloud#updated_date', '{updated}')}</x></configuration>`)
        )
      }
      await romeo.receivesNothing()
      // nothing changed, nothing told
      await does(juliet, configure({ 'pubsub#title': 'Musings' }))
      await romeo.receivesNothing()
      // an empty title is the default one
      await does(juliet, configure({ 'pubsub#title': '' }))
      await asks(juliet, read(POSTS), form(POSTS, field('pubsub#title', `${JULIET}'s Buddycloud channel`)))

      const wrong: [Record<string, string>, string][] = [
        [{ 'pubsub#access_model': 'roster' }, 'modify not-acceptable unsupported-access-model'],
        [{ 'pubsub#access_model': '' }, 'modify not-acceptable'],
        [{ 'buddycloud#default_affiliation': 'owner' }, 'modify not-acceptable'],
        [{ 'buddycloud#advertise_node': 'maybe' }, 'modify not-acceptable'],
        [{ 'pubsub#title': 'x'.repeat(129) }, 'modify not-acceptable']
      ]
      for (const [values, error] of wrong) await isRefused(juliet, configure(values), error)
      await does(juliet, configure({ 'buddycloud#default_affiliation': 'publisher' }))
      await does(romeo, iq('set', `<unsubscribe node='${POSTS}' jid='romeo@localhost'/>`))
      await asks(
        romeo,
        subscribe('romeo@localhost'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliation affiliation='publisher'/></pubsub></iq>`
      )
      await asks(
        juliet,
        iq('get', '<default/>', OWNER),
        `<iq type='result'><pubsub xmlns='${OWNER}'><default><x xmlns='${FORM}' type='form'>${field('pubsub#access_model', 'open')}</x></default></pubsub></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('protoXEP §2: what the host is and has; what is not advertised is in no list', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      await asks(
        romeo,
        discover(INFO),
        `<iq type='result'><query xmlns='${INFO}'><identity category='pubsub' type='channels'/>
           <identity category='pubsub' type='inbox' t:absent='yes'/>
           <feature var='jabber:iq:register'/><feature var='${INFO}'/><feature var='${ITEMS}'/>
           <feature var='${PUBSUB}'/><feature var='${PUBSUB}#publish'/><feature var='${PUBSUB}#access-authorize'/>
           <feature var='${RSM}'/><feature var='${PUBSUB}#purge-nodes'/>
           <feature var='jabber:iq:search' t:absent='yes'/></query></iq>`
      )
      await asks(
        romeo,
        discover(ITEMS, undefined, TOPICS),
        `<iq type='result' from='${TOPICS}'><query xmlns='${ITEMS}' t:exact='yes'><item jid='${SERVICE}' name='buddycloud-server'/></query></iq>`
      )
      await asks(
        romeo,
        discover(INFO, undefined, TOPICS),
        `<iq type='result'><query xmlns='${INFO}'><identity category='component'/><identity category='pubsub' t:absent='yes'/></query></iq>`
      )
      await isRefused(romeo, discover(INFO, POSTS, TOPICS), 'cancel item-not-found')
      await isRefused(romeo, discover(INFO, '/user/nobody@localhost/posts'), 'cancel item-not-found')
      await isRefused(romeo, discover(INFO, 'nonsense'), 'cancel item-not-found')

      const crew = node(`crew@${TOPICS}`, 'posts')
      await does(juliet, create(crew, { 'pubsub#title': 'The crew', 'pubsub#access_model': 'authorize' }))
      await asks(
        romeo,
        discover(INFO, `/users/CREW@${TOPICS}/posts`),
        `<iq type='result'><query xmlns='${INFO}'><identity category='pubsub' type='leaf' name='The crew'/>
           <x xmlns='${FORM}' type='result'>${field('FORM_TYPE', `${PUBSUB}#meta-data`)}${field('pubsub#title', 'The crew')}
             ${field('buddycloud#channel_type', 'topic')}${field('pubsub#access_model', 'authorize')}
             ${field('pubsub#creator', JULIET)}${field('pubsub#owner', JULIET)}
             <field var='pubsub#num_subscribers' t:absent='yes'/></x></query></iq>`
      )
      await asks(
        juliet,
        discover(INFO, crew),
        `<iq type='result'><query xmlns='${INFO}'><x xmlns='${FORM}'>${field('pubsub#num_subscribers', '1')}</x></query></iq>`
      )
      await isRefused(romeo, discover(ITEMS, crew), 'auth forbidden')
      await does(juliet, publish(entry('one'), { id: 'one', to: crew }))
      await asks(
        juliet,
        discover(ITEMS, crew),
        `<iq type='result'><query xmlns='${ITEMS}'><item jid='${SERVICE}' name='${tag('one', crew)}'/></query></iq>`
      )

      // a model that looks at the person is looked at for whoever asks
      await does(juliet, configure({ 'pubsub#access_model': 'local' }))
      await does(juliet, configure({ 'buddycloud#advertise_node': '0' }, STATUS))
      await asks(
        romeo,
        discover(ITEMS),
        `<iq type='result'><query xmlns='${ITEMS}'><item jid='${SERVICE}' node='${POSTS}'/>
           <item jid='${SERVICE}' node='${node(JULIET, 'mood')}'/><item node='${STATUS}' t:absent='yes'/></query></iq>`
      )
      await asks(
        romeo,
        discover(INFO, STATUS),
        `<iq type='result'><query xmlns='${INFO}'><x xmlns='${FORM}' type='result'>${field('buddycloud#advertise_node', '0')}</x></query></iq>`
      )
      await asks(
        romeo,
        discover(ITEMS, undefined, SERVICE, `<set xmlns='${RSM}'><max>1</max></set>`),
        `<iq type='result'><query xmlns='${ITEMS}'><item node='${POSTS}'/><item node='${node(JULIET, 'mood')}' t:absent='yes'/>
           <set xmlns='${RSM}'><first>*</first></set></query></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('deleting a node, and what is not offered', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const remove = (of: string, inside = ''): string =>
        iq('set', `<delete node='${of}'>${inside}</delete>`, OWNER)
      const crew = node(`crew@${TOPICS}`, 'posts')
      await does(juliet, create(crew))
      await does(juliet, affiliate('romeo@localhost', 'moderator', crew))
      await does(romeo, subscribe('romeo@localhost', crew))
      await romeo.forgets()
      await isRefused(romeo, remove(crew), 'auth forbidden')
      await isRefused(juliet, remove(crew, "<redirect uri='xmpp:x'/>"), 'cancel feature-not-implemented')
      await does(juliet, remove(crew))
      await romeo.receives(event(`<delete node='${crew}'/>`))
      await isRefused(juliet, remove(crew), 'cancel item-not-found')
      // the channel went with its last node: its name is free
      await does(romeo, create(crew))
      for (const [request, error] of [
        [
          iq('get', `<options node='${crew}' jid='romeo@localhost'/>`),
          'cancel feature-not-implemented unsupported'
        ],
        [iq('get', `<dance xmlns='http://buddycloud.org/v1'/>`), 'cancel feature-not-implemented'],
        [iq('get', '<dance/>'), 'modify bad-request'],
        [iq('get', ''), 'modify bad-request'],
        [iq('get', `<items node='${crew}'/>`, PUBSUB, TOPICS), 'cancel service-unavailable']
      ] as const) {
        await isRefused(romeo, request, error)
      }
    })
    assert.deepEqual(server.errors(), [])
  })
})
