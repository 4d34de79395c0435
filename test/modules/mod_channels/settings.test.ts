import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { stringify } from 'yaml'
import { IM_HOST, testConfig } from '../../lib/config'
import { startTestServer, TestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'
import { advice } from '../../../modules/mod_channels/advice'
import { config as schema } from '../../../modules/mod_channels/config'
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
  items,
  JULIET,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  publish,
  PUBSUB,
  register,
  ROMEO,
  SERVICE,
  startChannels,
  subscribe,
  tag,
  TOPICS
} from './lib'

const INFO = 'http://jabber.org/protocol/disco#info'
const FORM = 'jabber:x:data'
const GEOLOC = 'http://jabber.org/protocol/geoloc'
const MOOD = 'http://jabber.org/protocol/mood'
const PUBKEY = 'urn:xmpp:pubkey:2'
const BALCONY = path.resolve(__dirname, '../../../bin/balcony.js')

const info = (of: string): string =>
  `<iq type='get' to='${SERVICE}'><query xmlns='${INFO}' node='${of}'/></iq>`
const shown = (fields: string): string =>
  `<iq type='result'><query xmlns='${INFO}'><x xmlns='${FORM}' type='result'>${fields}</x></query></iq>`
const field = (name: string, value: string): string => `<field var='${name}'><value>${value}</value></field>`
const absent = (name: string): string => `<field var='${name}' t:absent='yes'/>`
const submit = (fields: string): string =>
  iq(
    'set',
    `<configure node='${POSTS}'><x xmlns='${FORM}' type='submit'><field var='FORM_TYPE' type='hidden'><value>${PUBSUB}#node_config</value></field>${fields}</x></configure>`,
    OWNER
  )

onEachDatabase('settings', database => {
  test('§4.3 table 1: every field in disco#info, with its default, for everybody', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, tybalt }) => {
      await does(juliet, affiliate('tybalt@localhost', 'outcast'))
      const defaults =
        field('FORM_TYPE', `${PUBSUB}#meta-data`) +
        field('pubsub#title', `${JULIET}'s Buddycloud channel`) +
        field('pubsub#description', '') +
        field('pubsub#access_model', 'open') +
        field('pubsub#creator', JULIET) +
        field('pubsub#owner', JULIET) +
        field('buddycloud#default_affiliation', 'member') +
        field('buddycloud#channel_type', 'personal') +
        field('pubsub#creation_date', '{made}') +
        field('buddycloud#updated_date', '{updated}') +
        field('buddycloud#last_updated', '{updated}') +
        field('pubsub#type', 'http://www.w3.org/2005/Atom')
      for (const player of [juliet, romeo, tybalt]) await asks(player, info(POSTS), shown(defaults))
      // XEP-0082 §3.2, in UTC
      for (const name of ['made', 'updated'])
        assert.match(romeo.vars.get(name) ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      // of everything that a node has only the content type is its own (§4.4)
      for (const [type, ns] of [
        ['geoloc', GEOLOC],
        ['public-key', PUBKEY],
        ['mood', MOOD]
      ] as const) {
        await asks(
          romeo,
          info(node(JULIET, type)),
          shown(field('pubsub#type', ns) + field('pubsub#title', `${JULIET}'s Buddycloud channel`))
        )
      }
      // what is set is there on every node, the dates too
      await does(juliet, configure({ 'pubsub#title': 'Musings' }, node(JULIET, 'mood')))
      juliet.vars.delete('updated')
      await asks(
        romeo,
        info(node(JULIET, 'geoloc-past')),
        shown(
          field('pubsub#title', 'Musings') +
            field('pubsub#creation_date', '{made}') +
            field('buddycloud#updated_date', '{updated}') +
            field('buddycloud#last_updated', '{updated}')
        )
      )
      // on a closed channel who follows is not everybody’s to count
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      await asks(
        romeo,
        info(POSTS),
        shown(field('pubsub#title', 'Musings') + absent('pubsub#num_subscribers'))
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§4.3 table 3: a local channel is a closed one to all who are not of here', async t => {
    const server = await startTestServer(t, {
      database,
      hosts: {
        localhost: IM_HOST,
        verona: IM_HOST,
        [SERVICE]: {
          type: 'component',
          modules: { channels: { defaultAffiliation: 'publisher', newPublishers: 'local' } }
        }
      }
    })
    const escalus = 'escalus@verona'
    await scenario(
      server,
      {
        juliet: `${JULIET}/b`,
        romeo: { jid: `${ROMEO}/o`, presence: true },
        prince: { jid: `${escalus}/p`, presence: true }
      },
      async ({ juliet, romeo, prince }) => {
        await does(juliet, register())
        // §10.2: who writes at once is kept to the users of here
        const role = (jid: string, affiliation: string): string =>
          `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliation jid='${jid}' affiliation='${affiliation}'/></pubsub></iq>`
        await asks(romeo, subscribe(ROMEO), role(ROMEO, 'publisher'))
        await asks(prince, subscribe(escalus), role(escalus, 'member'))
        await asks(
          juliet,
          iq('get', `<configure node='${POSTS}'/>`, OWNER),
          `<iq type='result'><pubsub xmlns='${OWNER}'><configure><x xmlns='${FORM}'><field var='buddycloud#default_affiliation'>
             <option label='Read'/><option label='Read and write, for the users of this server; all others read'/></field></x></configure></pubsub></iq>`
        )
        await romeo.forgets()
        await prince.forgets()
        await does(juliet, configure({ 'pubsub#access_model': 'local' }))
        const told = (model: string): string =>
          event(
            `<configuration node='${POSTS}'><x xmlns='${FORM}'>${field('pubsub#access_model', model)}</x></configuration>`
          )
        await romeo.receives(told('local'))
        await prince.receives(told('authorize'))
        await asks(romeo, info(POSTS), shown(field('pubsub#access_model', 'local')))
        await asks(prince, info(POSTS), shown(field('pubsub#access_model', 'authorize')))
        // a follower reads on
        await does(prince, items())
      },
      { hosts: [SERVICE] }
    )
    assert.deepEqual(server.errors(), [])
  })

  test('§4.4 table 4: each node takes its payload and no other; three hold one item; old names are taken', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet }) => {
      const payloads: Record<string, string> = {
        status: entry('in love'),
        geoloc: `<geoloc xmlns='${GEOLOC}'><text>Verona</text></geoloc>`,
        'geoloc-past': `<geoloc xmlns='${GEOLOC}'><text>Mantua</text></geoloc>`,
        'geoloc-future': `<geoloc xmlns='${GEOLOC}'><text>Padua</text></geoloc>`,
        'public-key': `<pubkey xmlns='${PUBKEY}'/>`,
        mood: `<mood xmlns='${MOOD}'><in_love/></mood>`
      }
      for (const [type, right] of Object.entries(payloads)) {
        const to = node(JULIET, type)
        for (const wrong of [...Object.values(payloads), `<x xmlns='urn:x'/>`, entry('x')]) {
          const rootOf = (xml: string): string => /^<([a-z]+)/.exec(xml)?.[1] ?? ''
          if (rootOf(wrong) === rootOf(right)) continue
          const { attrs, children } = await juliet.request(publish(wrong, { to }))
          assert.equal(attrs.type, 'error', `${type}: ${wrong}`)
          assert.match(String(children), /invalid-payload|entry-element-required/, `${type}: ${wrong}`)
        }
        // the namespace alone is not enough
        const ns = /xmlns='([^']+)'/.exec(right)?.[1] ?? ''
        const other = await juliet.request(publish(`<other xmlns='${ns}'/>`, { to }))
        assert.equal(other.attrs.type, 'error', type)
        for (const id of ['one', 'two']) await does(juliet, publish(right, { to, id }))
        const answer = await juliet.request(items('', '', to))
        const ids = answer
          .getChild('pubsub')
          ?.getChild('items')
          ?.getChildren('item')
          .filter(item => item.getChild('deleted-entry') === undefined)
          .map(item => String(item.attrs.id))
        const atom = type === 'status'
        const named = (id: string): string => (atom ? tag(id, to) : id)
        const single = ['status', 'geoloc', 'mood'].includes(type)
        assert.deepEqual(ids, single ? [named('two')] : [named('two'), named('one')], type)
      }
      for (const [old, type] of [
        ['geo/previous', 'geoloc-past'],
        ['geo/current', 'geoloc'],
        ['geo/next', 'geoloc-future'],
        ['geo/future', 'geoloc-future']
      ] as const) {
        await asks(
          juliet,
          items('', '', `/users/${JULIET}/${old}`),
          `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${node(JULIET, type)}'/></pubsub></iq>`
        )
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('bad input: forms with unknown fields, wrong types, two values', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const two = (name: string, ...values: string[]): string =>
        `<field var='${name}'>${values.map(value => `<value>${value}</value>`).join('')}</field>`
      for (const fields of [
        two('pubsub#title', 'one', 'two'),
        two('pubsub#access_model', 'open', 'local'),
        two('buddycloud#default_affiliation', 'member', 'publisher'),
        two('buddycloud#advertise_node', '1', '0'),
        field('buddycloud#ephemeral', 'perhaps'),
        field('pubsub#access_model', 'OPEN'),
        field('pubsub#access_model', '__proto__'),
        field('buddycloud#default_affiliation', 'owner'),
        field('buddycloud#default_affiliation', 'outcast'),
        field('pubsub#description', 'x'.repeat(1025)),
        field('pubsub#title', 'one') + field('pubsub#title', 'two')
      ]) {
        const answer = await juliet.request(submit(fields))
        assert.match(String(answer), /<not-acceptable |<bad-request /, fields)
        assert.doesNotMatch(String(answer), /internal-server-error/, fields)
      }
      // half a form is none of it
      await isRefused(
        juliet,
        submit(field('pubsub#title', 'half') + field('pubsub#access_model', 'roster')),
        'modify not-acceptable unsupported-access-model'
      )
      await isRefused(juliet, iq('set', `<configure node='${POSTS}'/>`, OWNER), 'modify bad-request')
      // XEP-0004 §3.1: what nobody knows is ignored, and so is what the server sets
      await does(
        juliet,
        submit(
          field('pubsub#max_items', '1') +
            field('constructor', 'x') +
            field('pubsub#creator', ROMEO) +
            field('pubsub#owner', ROMEO) +
            field('buddycloud#updated_date', 'never') +
            field('buddycloud#last_updated', 'never') +
            field('pubsub#type', 'urn:x') +
            field('pubsub#node_type', 'collection')
        )
      )
      await asks(
        romeo,
        info(POSTS),
        shown(
          field('pubsub#title', `${JULIET}'s Buddycloud channel`) +
            field('pubsub#creator', JULIET) +
            field('pubsub#owner', JULIET) +
            field('pubsub#type', 'http://www.w3.org/2005/Atom')
        )
      )
      // the same in a form that makes a channel: nothing of it is there afterwards
      const crew = node(`crew@${TOPICS}`, 'posts')
      const wrong: Record<string, string>[] = [
        { 'pubsub#access_model': 'roster' },
        { 'buddycloud#default_affiliation': 'moderator' },
        { 'buddycloud#advertise_node': 'maybe' }
      ]
      for (const values of wrong) {
        await isRefused(juliet, create(crew, values), 'modify not-acceptable')
        await isRefused(juliet, items('', '', crew), 'cancel item-not-found')
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('bad input: names with every trick, none of which is somebody else’s', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const escaped = (text: string): string =>
        text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;')
      const none = [
        'xmpp:/user/juliet@localhost/posts',
        'http://localhost/user/juliet@localhost/posts',
        '/user/juliet@localhost/./posts',
        '/user/juliet@localhost/../romeo@localhost/posts',
        '/user/juliet@localhost//posts',
        '//user/juliet@localhost/posts',
        '/user/juliet@localhost/posts/',
        '/user/juliet@localhost/POSTS',
        '/user/juliet@localhost/posts ',
        '/user/juliet@localhost/posts\u200b',
        '/user/juliet@localhost/po\u0301sts',
        '/user/juliet@localhost/geo/elsewhere',
        '/user/juliet@localhost/__proto__',
        '/user/juliet@localhost/-posts',
        '/user/juliet@localhost/balcony/posts',
        '/user/@localhost/posts',
        '/user/localhost/posts',
        '/user/juliet@/posts',
        '/user/juliet%40localhost/posts',
        '/user/juliet\\40localhost@localhost/',
        '/userss/juliet@localhost/posts',
        '/USER/juliet@localhost/posts',
        `/user/${'j'.repeat(3072)}@localhost/posts`,
        `/user/juliet@localhost/${'p'.repeat(3072)}`,
        `/user/juliet@${'localhost.'.repeat(300)}/posts`
      ]
      for (const name of none) {
        for (const request of [
          create(escaped(name)),
          items('', '', escaped(name)),
          publish(entry('x'), { to: escaped(name) }),
          configure({ 'pubsub#title': 'x' }, escaped(name)),
          subscribe(ROMEO, escaped(name)),
          iq('set', `<purge node='${escaped(name)}'/>`, OWNER),
          iq('set', `<delete node='${escaped(name)}'/>`, OWNER)
        ]) {
          await isRefused(
            romeo,
            request,
            'modify bad-request invalid-node-format',
            'http://buddycloud.org/v1/errors'
          )
        }
      }
      // other spellings of her name are her name: nothing else is made, and nothing of it is his
      for (const name of [
        'JULIET@localhost',
        'ｊｕｌｉｅｔ@localhost',
        'juliet@LOCALHOST',
        'juliet@ｌocalhost',
        'juliet@localhost.'
      ]) {
        for (const type of ['posts', 'diary'])
          await isRefused(romeo, create(node(name, type)), 'auth forbidden')
        await isRefused(romeo, publish(entry('x'), { to: node(name, 'posts') }), 'auth forbidden')
        await asks(
          romeo,
          items('', '', node(name, 'posts')),
          `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'/></pubsub></iq>`
        )
      }
      await does(juliet, create(node('JULIET@localhost', 'diary')))
      await isRefused(juliet, create(node(JULIET, 'diary')), 'cancel conflict')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('XEP-0060 §8.5: the owner purges a node, the followers hear of it once', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio }) => {
      await does(romeo, subscribe(ROMEO))
      await does(juliet, affiliate('benvolio@localhost', 'moderator'))
      for (const id of ['one', 'two']) await does(juliet, publish(entry('x'), { id }))
      await does(juliet, publish(entry('still'), { to: node(JULIET, 'status') }))
      const purge = iq('set', `<purge node='${POSTS}'/>`, OWNER)
      await isRefused(benvolio, purge, 'auth forbidden')
      await romeo.forgets()
      await does(juliet, purge)
      await romeo.receives(event(`<purge node='${POSTS}'/>`))
      await romeo.receivesNothing()
      await asks(
        romeo,
        items(),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items t:exact='yes' node='${POSTS}'/></pubsub></iq>`
      )
      const status = await romeo.request(items('', '', node(JULIET, 'status')))
      assert.match(String(status), /still/)
      await does(juliet, publish(entry('anew'), { id: 'one' }))
      await does(romeo, items())
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§4.3 what is said of a further node is said of the whole channel', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const crew = node(`crew@${TOPICS}`, 'posts')
      const status = node(`crew@${TOPICS}`, 'status')
      await does(juliet, create(crew, { 'pubsub#title': 'The crew' }))
      await does(romeo, subscribe(ROMEO, crew))
      await romeo.forgets()
      await does(juliet, create(status, { 'pubsub#access_model': 'authorize', 'pubsub#title': '' }))
      await romeo.receives(
        event(
          `<configuration node='${status}'><x xmlns='${FORM}'>${field('pubsub#access_model', 'authorize')}</x></configuration>`
        )
      )
      for (const one of [crew, status]) {
        await asks(
          romeo,
          info(one),
          shown(field('pubsub#title', 'The crew') + field('pubsub#access_model', 'authorize'))
        )
      }
      // a form of defaults, as clients send it back, changes nothing of the channel
      await does(
        juliet,
        create(node(`crew@${TOPICS}`, 'geoloc'), { 'pubsub#access_model': 'open', 'pubsub#description': '' })
      )
      await asks(romeo, info(crew), shown(field('pubsub#access_model', 'authorize')))
    })
    assert.deepEqual(server.errors(), [])
  })
})

test('§10.2 `config check` names strangers who write in new channels', async t => {
  const options = (given: object): ReturnType<typeof schema.parse> => schema.parse(given)
  const view = (modules: Record<string, unknown>) => ({
    host: SERVICE,
    options: (name: string) => modules[name]
  })
  const writers = options({ defaultAffiliation: 'publisher' })
  assert.equal(advice(writers, view({ s2s: {} })).length, 1)
  assert.equal(advice(writers, view({ upstream: {} })).length, 1)
  assert.equal(advice(writers, view({ s2s: {}, s2s_policy: { policy: 'open' } })).length, 1)
  assert.deepEqual(advice(writers, view({ s2s: {}, s2s_policy: { policy: 'buddies' } })), [])
  assert.deepEqual(advice(writers, view({})), [])
  assert.deepEqual(advice(options({}), view({ s2s: {} })), [])
  const local = options({ defaultAffiliation: 'publisher', newPublishers: 'local' })
  assert.deepEqual(advice(local, view({ s2s: {} })), [])

  const server = new TestServer()
  t.after(() => fs.rmSync(server.folder, { recursive: true, force: true }))
  const hosts = {
    localhost: IM_HOST,
    [SERVICE]: { type: 'component', modules: { channels: { defaultAffiliation: 'publisher' } } }
  }
  const file = await testConfig({ hosts, modules: { s2s: {} } }, path.join(server.folder, 'data'))
  fs.writeFileSync(server.configFile, stringify(file))
  const said = execFileSync(process.execPath, [BALCONY, 'config', 'check', '--config', server.configFile], {
    encoding: 'utf8'
  })
  assert.match(
    said,
    /warning: channels\.localhost: channels: defaultAffiliation is publisher .* invitation to spam/
  )
})
