import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import test from 'node:test'
import { parseElement } from '../../../core/xml'
import { join } from '../../lib/wire'
import {
  ADMIN,
  asks,
  configuration,
  create,
  does,
  event,
  iq,
  isRefused,
  NODE,
  onEachDatabase,
  OWNER,
  play,
  publish,
  PUBSUB,
  SERVICE,
  startPubsub,
  subscribe
} from './lib'

const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const discover = (ns: string, node?: string, inside = ''): string =>
  `<iq type='get' to='${SERVICE}'><query xmlns='${ns}'${node === undefined ? '' : ` node='${node}'`}>${inside}</query></iq>`
const configure = (values: Record<string, string>, node = NODE): string =>
  iq('set', `<configure node='${node}'>${configuration(values)}</configure>`, OWNER)
const remove = (inside = '', node = NODE): string =>
  iq('set', `<delete node='${node}'>${inside}</delete>`, OWNER)
const field = (name: string, value: string): string =>
  `<field var='pubsub#${name}'><value>${value}</value></field>`

onEachDatabase(database => {
  test('XEP-0060 §8.1: a node is created once; an instant node is given a name', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await asks(
        hamlet,
        iq('set', `<create node='${NODE}'/>`),
        `<iq type='result' t:exact='yes' id='*' from='*' to='*'/>`
      )
      await isRefused(francisco, iq('set', `<create node='${NODE}'/>`), 'cancel conflict')
      await asks(
        francisco,
        iq('set', '<create/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><create node='{instant}'/></pubsub></iq>`
      )
      await asks(
        francisco,
        iq('get', '<affiliations/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliations t:exact='yes'><affiliation node='{instant}' affiliation='owner'/></affiliations></pubsub></iq>`
      )
    })
  })

  test('who may create nodes is the config’s to say', async t => {
    const options = { createNodes: 'admins', instantNodes: false, nodesPerUser: 2 }
    const server = await startPubsub(t, database, options)
    await play(server, async ({ hamlet }) => {
      const admin = await join(server, 'admin', { jid: `${ADMIN}/x` }, hamlet.vars)
      t.after(() => admin.destroy())
      await isRefused(hamlet, create(), 'auth forbidden')
      await isRefused(admin, iq('set', '<create/>'), 'modify not-acceptable nodeid-required')
      // an administrator has no quota
      for (const node of ['1', '2', '3']) await does(admin, create({}, node))
      const members = `<affiliations node='1'><affiliation jid='hamlet@localhost' affiliation='owner'/><affiliation jid='${ADMIN}' affiliation='none'/></affiliations>`
      await does(admin, iq('set', members, OWNER))
      // and the rights of an owner everywhere
      await does(admin, configure({ title: 'mine' }, '1'))
    })
  })

  test('an account creates so many nodes and no more; redirects count', async t => {
    const server = await startPubsub(t, database, { nodesPerUser: 2 })
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({}, 'one'))
      await does(hamlet, create({}, 'two'))
      await isRefused(hamlet, create({}, 'three'), 'cancel not-allowed max-nodes-exceeded')
      await does(hamlet, remove('', 'one'))
      await does(hamlet, create({}, 'three'))
      await does(hamlet, remove(`<redirect uri='xmpp:elsewhere'/>`, 'three'))
      await isRefused(hamlet, create({}, 'four'), 'cancel not-allowed max-nodes-exceeded')
      await does(francisco, create({}, 'four'))
      // taking the name back takes the redirect away
      await isRefused(hamlet, create({}, 'three'), 'cancel not-allowed max-nodes-exceeded')
    })
  })

  test('§8.1.3: create and configure, all of it or nothing', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await isRefused(
        hamlet,
        create({ access_model: 'friends' }),
        'modify not-acceptable unsupported-access-model'
      )
      await isRefused(hamlet, create({ max_items: '0' }), 'modify not-acceptable')
      await isRefused(
        hamlet,
        create({ node_type: 'collection' }),
        'cancel feature-not-implemented unsupported collections'
      )
      await isRefused(hamlet, iq('get', `<items node='${NODE}'/>`), 'cancel item-not-found')
      await does(hamlet, create({ title: 'Musings', access_model: 'whitelist', max_items: '7' }))
      await asks(
        hamlet,
        iq('get', `<configure node='${NODE}'/>`, OWNER),
        `<iq type='result'><pubsub xmlns='${OWNER}'><configure node='${NODE}'><x xmlns='jabber:x:data' type='form'>
           <field var='FORM_TYPE' type='hidden'><value>${PUBSUB}#node_config</value></field>
           ${field('title', 'Musings')}${field('access_model', 'whitelist')}${field('max_items', '7')}
           ${field('persist_items', '1')}${field('notification_type', 'headline')}</x></configure></pubsub></iq>`
      )
    })
  })

  test('§8.2: an owner changes the configuration, and subscribers hear of it where they should', async t => {
    const server = await startPubsub(t, database, { itemsPerNode: 50 })
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe('francisco@localhost'))
      await isRefused(francisco, configure({ title: 'Mine' }), 'auth forbidden')
      await isRefused(francisco, iq('get', `<configure node='${NODE}'/>`, OWNER), 'auth forbidden')
      await isRefused(hamlet, iq('get', `<configure/>`, OWNER), 'modify bad-request nodeid-required')
      await isRefused(hamlet, configure({ title: 'x' }, 'elsewhere'), 'cancel item-not-found')
      await isRefused(hamlet, configure({ max_items: '51' }), 'modify not-acceptable')
      await isRefused(hamlet, configure({ publish_model: 'nobody' }), 'modify not-acceptable')
      await isRefused(hamlet, iq('set', `<configure node='${NODE}'/>`, OWNER), 'modify bad-request')
      for (let i = 1; i <= 4; i++) await does(hamlet, publish(`${i}`))
      await francisco.forgets()
      await does(hamlet, configure({ max_items: '2', notify_config: 'true', title: 'Thoughts' }))
      await francisco.receives(
        event(
          `<configuration node='${NODE}'><x xmlns='jabber:x:data' type='result'>${field('title', 'Thoughts')}</x></configuration>`
        )
      )
      const kept = await hamlet.request(iq('get', `<items node='${NODE}'/>`))
      assert.deepEqual(kept.toString().match(/id="\d"/g), ['id="3"', 'id="4"'])
      // XEP-0060 example 147
      const cancelled = `<configure node='${NODE}'><x xmlns='jabber:x:data' type='cancel'/></configure>`
      await does(hamlet, iq('set', cancelled, OWNER))
      await francisco.receivesNothing()
    })
  })

  test('§8.3: the default configuration is the config’s', async t => {
    const defaults = { accessModel: 'authorize', maxItems: 20, whenFull: 'reject', notifySub: true }
    const server = await startPubsub(t, database, { defaults })
    await play(server, async ({ hamlet }) => {
      await asks(
        hamlet,
        iq('get', '<default/>', OWNER),
        `<iq type='result'><pubsub xmlns='${OWNER}'><default><x xmlns='jabber:x:data' type='form'>
           ${field('access_model', 'authorize')}${field('max_items', '20')}
           ${field('publish_node_full', 'reject')}${field('notify_sub', '1')}</x></default></pubsub></iq>`
      )
      await does(hamlet, iq('set', `<create node='${NODE}'/>`))
      await isRefused(
        hamlet,
        iq('get', `<default type='collection'/>`, OWNER),
        'cancel feature-not-implemented unsupported collections'
      )
    })
  })

  test('§8.4: a node is deleted by its owner, with what hangs on it; a redirect is remembered', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ access_model: 'authorize' }))
      await does(francisco, subscribe('francisco@localhost'))
      await hamlet.finds(`<message><x xmlns='jabber:x:data' type='form'/></message>`)
      await does(hamlet, publish('one'))
      await isRefused(francisco, remove(), 'auth forbidden')
      await does(hamlet, remove(`<redirect uri='xmpp:other.example?;node=x'/>`))
      // those too who wait for an answer
      await francisco.receives(
        event(`<delete node='${NODE}'><redirect uri='xmpp:other.example?;node=x'/></delete>`)
      )
      await isRefused(hamlet, remove(), 'modify gone')
      await asks(
        bernardo,
        subscribe('bernardo@localhost'),
        `<iq type='error'><error type='modify'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:other.example?;node=x</gone></error></iq>`
      )
      await does(bernardo, create())
      await asks(
        bernardo,
        iq('get', `<items node='${NODE}'/>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items t:exact='yes' node='${NODE}'/></pubsub></iq>`
      )
      await asks(
        francisco,
        iq('get', '<subscriptions/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions t:exact='yes'/></pubsub></iq>`
      )
      await does(bernardo, remove())
      await isRefused(bernardo, remove(), 'cancel item-not-found')
    })
  })

  test('§5: what the service is, which nodes it has, what they are and hold', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      const features = [
        '',
        '#publish',
        '#create-nodes',
        '#persistent-items',
        '#access-open',
        '#access-authorize',
        '#access-whitelist',
        '#rsm',
        '#retract-items'
      ]
      await asks(
        francisco,
        discover(INFO),
        `<iq type='result'><query xmlns='${INFO}'><identity category='pubsub' type='service'/>
           <feature var='http://jabber.org/protocol/rsm'/>
           ${features.map(name => `<feature var='${PUBSUB}${name}'/>`).join('')}</query></iq>`
      )
      await asks(francisco, discover(ITEMS), `<iq type='result'><query xmlns='${ITEMS}' t:exact='yes'/></iq>`)
      await does(hamlet, create({ title: 'Musings' }))
      await does(hamlet, create({ access_model: 'whitelist' }, 'secret'))
      await does(francisco, subscribe('francisco@localhost'))
      await does(hamlet, publish('one'))
      await does(hamlet, publish('two'))
      await francisco.forgets()
      await asks(
        francisco,
        discover(ITEMS),
        `<iq type='result'><query xmlns='${ITEMS}' t:exact='yes'><item jid='${SERVICE}' node='${NODE}' name='Musings'/></query></iq>`
      )
      await asks(
        hamlet,
        discover(ITEMS, undefined, `<set xmlns='http://jabber.org/protocol/rsm'><max>1</max><before/></set>`),
        `<iq type='result'><query xmlns='${ITEMS}'><item jid='${SERVICE}' node='secret'/>
           <item t:absent='yes' node='${NODE}'/><set xmlns='http://jabber.org/protocol/rsm'><first>*</first></set></query></iq>`
      )
      await asks(
        francisco,
        discover(INFO, NODE),
        `<iq type='result'><query xmlns='${INFO}' node='${NODE}'><identity category='pubsub' type='leaf' name='Musings'/>
           <feature var='${PUBSUB}'/><x xmlns='jabber:x:data' type='result'>
           <field var='FORM_TYPE' type='hidden'><value>${PUBSUB}#meta-data</value></field>
           ${field('title', 'Musings')}${field('owner', 'hamlet@localhost')}${field('creator', 'hamlet@localhost')}
           ${field('num_subscribers', '1')}</x></query></iq>`
      )
      await asks(
        francisco,
        discover(ITEMS, NODE),
        `<iq type='result'><query xmlns='${ITEMS}' node='${NODE}' t:exact='yes' t:ordered='yes'>
           <item jid='${SERVICE}' name='one'/><item jid='${SERVICE}' name='two'/></query></iq>`
      )
      const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas'
      for (const ns of [INFO, ITEMS])
        await asks(
          francisco,
          discover(ns, 'nowhere'),
          `<iq type='error'><error type='cancel'><item-not-found xmlns='${stanzas}'/></error></iq>`
        )
      await asks(
        francisco,
        discover(ITEMS, 'secret'),
        `<iq type='error'><error type='cancel'><not-allowed xmlns='${stanzas}'/></error></iq>`
      )
    })
  })

  test('a node does not take the name of another module’s', async t => {
    const server = await startPubsub(t, database)
    const commands = 'http://jabber.org/protocol/commands'
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ title: 'mine' }, commands))
      await asks(
        francisco,
        discover(INFO, commands),
        `<iq type='result'><query xmlns='${INFO}' node='${commands}'><identity category='automation' type='command-list'/></query></iq>`
      )
    })
  })

  test('requests that are none', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      await isRefused(hamlet, iq('set', ''), 'modify bad-request')
      await isRefused(hamlet, iq('set', '<dance/>'), 'modify bad-request')
      await isRefused(hamlet, iq('get', `<create node='x'/>`), 'modify bad-request')
      await isRefused(hamlet, iq('set', `<create node='x'/><publish node='${NODE}'/>`), 'modify bad-request')
      await isRefused(hamlet, iq('set', `<create node='x'/><create node='y'/>`), 'modify bad-request')
      await isRefused(hamlet, iq('set', `<create node='x'/><x xmlns='urn:other'/>`), 'modify bad-request')
      await isRefused(hamlet, iq('set', `<constructor node='x'/>`), 'modify bad-request')
      await isRefused(hamlet, iq('set', `<create node='x'/><configure node='x'/>`), 'modify bad-request')
      await isRefused(hamlet, iq('set', `<create node='x'/>`, OWNER), 'modify bad-request')
      await isRefused(
        hamlet,
        iq('get', `<options node='${NODE}' jid='hamlet@localhost'/>`),
        'modify unexpected-request not-subscribed'
      )
      const two = `<pubsub xmlns='${PUBSUB}'><create node='x'/></pubsub>`
      await isRefused(hamlet, `<iq type='set' to='${SERVICE}'>${two}${two}</iq>`, 'modify bad-request')
      await isRefused(hamlet, iq('get', `<items node='x'/>`), 'cancel item-not-found')
    })
  })

  test('everything is there after a restart', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ title: 'Musings' }))
      await does(francisco, subscribe('francisco@localhost'))
      await does(hamlet, publish('one'))
    })
    await server.restart()
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, publish('two'))
      await francisco.receives(event(`<items node='${NODE}'><item id='two'/></items>`))
      const items = await francisco.request(iq('get', `<items node='${NODE}'/>`))
      assert.deepEqual(items.toString().match(/id="(one|two)"/g), ['id="one"', 'id="two"'])
    })
  })

  test('strangers from other servers create nothing, unless they may', async t => {
    const server = await startPubsub(t, database, { creatorDomains: ['denmark.example'] })
    const { api } = server.server
    const sends = (from: string, origin: string, node: string): void =>
      api.route(remote(from, node), { kind: 's2s', name: origin })
    await play(server, async ({ hamlet }) => {
      sends('ghost@england.example/x', 'england.example', 'english')
      sends('hamlet@localhost/x', 'england.example', 'forged')
      sends('ghost@denmark.example/x', 'denmark.example', 'danish')
      // whose answers go nowhere: the last one is there when the others have been dealt with
      let answer = ''
      for (let tries = 0; tries < 1000 && !answer.includes('<items'); tries++)
        answer = (await hamlet.request(iq('get', `<items node='danish'/>`))).toString()
      assert.match(answer, /type="result"/)
      await isRefused(hamlet, iq('get', `<items node='english'/>`), 'cancel item-not-found')
      await isRefused(hamlet, iq('get', `<items node='forged'/>`), 'cancel item-not-found')
    })
  })

  test('the config is changed while the service runs', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({}, 'before'))
      const { configFile } = server
      const before = await fs.readFile(configFile, 'utf8')
      await fs.writeFile(
        configFile,
        before.replace(
          'pubsub: {}',
          'pubsub: { createNodes: admins, itemsPerNode: 3, defaults: { accessModel: whitelist } }'
        )
      )
      const report = await server.server.api.config.reload()
      assert.ok(report.ok, report.lines.join('\n'))
      await isRefused(hamlet, create({}, 'after'), 'auth forbidden')
      for (let i = 0; i < 5; i++) await does(hamlet, publish(`n${i}`, 'x', 'before'))
      const items = await francisco.request(iq('get', `<items node='before'/>`))
      assert.equal(items.toString().match(/<item /g)?.length, 3)
      await asks(
        hamlet,
        discover(INFO),
        `<iq type='result'><query xmlns='${INFO}'><feature var='${PUBSUB}#access-whitelist'/><feature t:absent='yes' var='${PUBSUB}#auto-create'/></query></iq>`
      )
      const admin = await join(server, 'admin', { jid: `${ADMIN}/x` }, hamlet.vars)
      t.after(() => admin.destroy())
      await does(admin, create({}, 'after'))
    })
  })
})

function remote(from: string, node: string) {
  return parseElement(
    `<iq type='set' id='1' from='${from}' to='${SERVICE}'><pubsub xmlns='${PUBSUB}'><create node='${node}'/></pubsub></iq>`
  )
}
