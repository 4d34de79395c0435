import assert from 'node:assert/strict'
import test from 'node:test'
import type { DatabaseName } from '../lib/databases'
import type { TestContext } from 'node:test'
import { Abroad } from '../lib/abroad'
import { startTestServer, type TestServer } from '../lib/server'
import { scenario, type Player } from '../lib/wire'
import {
  affiliate,
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
} from '../modules/mod_pubsub/lib'
import { hasFeatures, info, result } from './xep0060-lib'

const HAMLET = 'hamlet@localhost'
const FRANCISCO = 'francisco@localhost'
const BERNARDO = 'bernardo@localhost'
const NEED_PRESENCE = 'auth not-authorized presence-subscription-required'
const NEED_GROUP = 'auth not-authorized not-in-roster-group'
const UNSUPPORTED = 'modify not-acceptable unsupported-access-model'
const MODELS = ['presence', 'roster'].map(model => `${PUBSUB}#access-${model}`)

const items = iq('get', `<items node='${NODE}'/>`)
const news = (id: string): string => event(`<items node='${NODE}'><item id='${id}'/></items>`)
const ended = (jid: string): string =>
  event(`<subscription node='${NODE}' jid='${jid}' subscription='none'/>`)
const configuring = (values: Record<string, string>): string =>
  iq('set', `<configure node='${NODE}'>${configuration(values)}</configure>`, OWNER)
const asksForm = iq('get', `<configure node='${NODE}'/>`, OWNER)
const groupsForm = (model: string, groups: readonly string[]): string => {
  const values = groups.map(group => `<value>${group}</value>`).join('')
  return `<x xmlns='jabber:x:data' type='submit'>
    <field var='FORM_TYPE' type='hidden'><value>${PUBSUB}#node_config</value></field>
    <field var='pubsub#access_model'><value>${model}</value></field>
    <field var='pubsub#roster_groups_allowed'>${values}</field></x>`
}
/** A node for those in these groups of its owner's roster. */
const createFor = (...groups: string[]): string =>
  iq('set', `<create node='${NODE}'/><configure>${groupsForm('roster', groups)}</configure>`)

/** Puts a contact in groups of one's roster. */
async function sorts(player: Player, jid: string, ...groups: string[]): Promise<void> {
  const inside = groups.map(group => `<group>${group}</group>`).join('')
  const answer = await player.request(
    `<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${jid}'>${inside}</item></query></iq>`
  )
  assert.equal(answer.attrs.type, 'result')
}

async function removes(player: Player, jid: string): Promise<void> {
  await player.request(
    `<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${jid}' subscription='remove'/></query></iq>`
  )
}

/** Somebody asks for somebody's presence, and is let. */
async function befriend(asker: Player, owner: Player): Promise<void> {
  const [from, to] = [asker.jid.split('/')[0], owner.jid.split('/')[0]]
  await asker.sends(`<presence to='${to}' type='subscribe'/>`)
  await owner.finds(`<presence from='${from}' type='subscribe'/>`)
  await owner.sends(`<presence to='${from}' type='subscribed'/>`)
  await asker.finds(`<presence from='${owner.jid}' type='!'/>`)
}

/** Two hosts with accounts of which one has no rosters. */
function startWithout(t: TestContext, database: DatabaseName): Promise<TestServer> {
  return startTestServer(t, {
    database,
    hosts: {
      localhost: { modules: { saslauth: {}, message: {} } },
      [SERVICE]: { type: 'component', modules: { pubsub: {} } }
    }
  })
}

onEachDatabase(database => {
  test('XEP-0060 §10: the models of rosters are in disco#info', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ francisco }) => {
      await asks(francisco, info(), hasFeatures([...MODELS, `${PUBSUB}#access-open`]))
    })
  })

  test('XEP-0060 §8.1.2: where no host has rosters, they are neither offered nor taken', async t => {
    const server = await startWithout(t, database)
    await scenario(server, { hamlet: `${HAMLET}/elsinore` }, async ({ hamlet }) => {
      await asks(hamlet, info(), hasFeatures([`${PUBSUB}#access-open`], MODELS))
      await isRefused(hamlet, create({ access_model: 'presence' }), UNSUPPORTED)
      await isRefused(hamlet, createFor('Friends'), UNSUPPORTED)
      await does(hamlet, create())
      await isRefused(hamlet, configuring({ access_model: 'presence' }), UNSUPPORTED)
      const form = await hamlet.request(asksForm)
      assert.doesNotMatch(form.toString(), /roster_groups_allowed|<value>presence</)
    })
  })

  test('XEP-0060 §8.1.2: owners elsewhere are not offered them', async t => {
    const server = await startPubsub(t, database, { createNodes: 'anyone' })
    const abroad = new Abroad(server, SERVICE)
    const says = (request: string, id: string): Promise<void> =>
      abroad.says(request.replace('<iq ', `<iq from='bard@abroad.example/x' id='${id}' `))
    await says(create({ access_model: 'presence' }), 'one')
    await abroad.finds(
      `<iq type='error' id='one'><error type='modify'><unsupported-access-model xmlns='${PUBSUB}#errors'/></error></iq>`
    )
    await says(create(), 'two')
    await abroad.finds(`<iq type='result' id='two'/>`)
    await says(asksForm, 'three')
    const form = await abroad.finds(`<iq type='result' id='three'/>`)
    assert.match(form.toString(), /<value>whitelist</)
    assert.doesNotMatch(form.toString(), /roster_groups_allowed|<value>presence</)
    await play(server, async ({ hamlet, francisco }) => {
      // an owner of here makes the difference, as long as they are one
      await says(affiliate(HAMLET, 'owner'), 'four')
      await abroad.finds(`<iq type='result' id='four'/>`)
      await befriend(francisco, hamlet)
      await does(hamlet, configuring({ access_model: 'presence' }))
      await does(francisco, subscribe(FRANCISCO))
      await says(items, 'five')
      await abroad.finds(`<iq type='result' id='five'/>`)
    })
  })

  test('XEP-0060 §4.5, §6.1.3.2, §6.5.9.5: presence is for those who get the presence of the owner', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ access_model: 'presence' }))
      await does(hamlet, publish('one'))
      await isRefused(francisco, subscribe(FRANCISCO), NEED_PRESENCE)
      await isRefused(francisco, items, NEED_PRESENCE)
      await isRefused(bernardo, subscribe(BERNARDO), NEED_PRESENCE)
      // the other way round is not enough: hamlet gets bernardo's
      await befriend(hamlet, bernardo)
      await isRefused(bernardo, subscribe(BERNARDO), NEED_PRESENCE)
      await befriend(francisco, hamlet)
      // without a subscription to the node as well
      await asks(francisco, items, result(`<items node='${NODE}'><item id='one'/></items>`))
      await does(francisco, subscribe(FRANCISCO))
      await does(hamlet, publish('two'))
      await francisco.finds(news('two'))
      // XEP-0163 §7: recalculated when the presence subscription ends
      await hamlet.sends(`<presence to='${FRANCISCO}' type='unsubscribed'/>`)
      await francisco.finds(ended(FRANCISCO))
      await does(hamlet, publish('three'))
      await isRefused(francisco, items, NEED_PRESENCE)
      await isRefused(francisco, subscribe(FRANCISCO), NEED_PRESENCE)
      assert.deepEqual(
        francisco.unread.filter(one => one.name === 'message'),
        []
      )
    })
  })

  test('XEP-0060 §4.5: removed from the roster, the subscriber is removed from the node', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await befriend(francisco, hamlet)
      await does(hamlet, create({ access_model: 'presence', notify_sub: '1' }))
      await does(francisco, subscribe(FRANCISCO))
      await does(francisco, subscribe(`${FRANCISCO}/barracks`))
      await removes(hamlet, FRANCISCO)
      await hamlet.finds(ended(FRANCISCO))
      await hamlet.finds(ended(`${FRANCISCO}/barracks`))
      await isRefused(francisco, items, NEED_PRESENCE)
    })
  })

  test('XEP-0060 §4.5, §6.1.3.3, §6.5.9.6: roster is for those in the groups that are allowed', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await sorts(hamlet, FRANCISCO, 'Friends', 'Guards')
      await sorts(hamlet, BERNARDO, 'Guards')
      await does(hamlet, createFor('Friends', 'Enemies'))
      await does(hamlet, publish('one'))
      await isRefused(bernardo, subscribe(BERNARDO), NEED_GROUP)
      await isRefused(bernardo, items, NEED_GROUP)
      await does(francisco, subscribe(FRANCISCO))
      await asks(francisco, items, result(`<items node='${NODE}'><item id='one'/></items>`))
      await sorts(hamlet, FRANCISCO, 'Enemies')
      await does(hamlet, publish('two'))
      await francisco.finds(news('two'))
      // XEP-0163 §7: recalculated when the contact is moved
      await sorts(hamlet, FRANCISCO, 'Guards')
      await francisco.finds(ended(FRANCISCO))
      await isRefused(francisco, items, NEED_GROUP)
      // and when other groups are allowed
      await does(
        hamlet,
        iq('set', `<configure node='${NODE}'>${groupsForm('roster', ['Guards'])}</configure>`, OWNER)
      )
      await does(bernardo, subscribe(BERNARDO))
      await does(
        hamlet,
        iq('set', `<configure node='${NODE}'>${groupsForm('roster', [])}</configure>`, OWNER)
      )
      await bernardo.finds(ended(BERNARDO))
      await isRefused(bernardo, subscribe(BERNARDO), NEED_GROUP)
    })
  })

  test('XEP-0060 §16.4.4: the owner chooses among the groups of the roster, and nobody else sees them', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await sorts(hamlet, FRANCISCO, 'Friends', 'Guards')
      await does(hamlet, createFor('Friends'))
      await asks(
        hamlet,
        asksForm,
        `<iq type='result'><pubsub xmlns='${OWNER}'><configure node='${NODE}'><x xmlns='jabber:x:data' type='form'>
          <field var='pubsub#access_model'><option><value>presence</value></option><value>roster</value></field>
          <field var='pubsub#roster_groups_allowed' type='list-multi'><option><value>Friends</value></option>
            <option><value>Guards</value></option><value>Friends</value></field></x></configure></pubsub></iq>`
      )
      await does(francisco, subscribe(FRANCISCO))
      await does(hamlet, configuring({ title: 'Musings', notify_config: '1' }))
      const told = await francisco.finds(event(`<configuration node='${NODE}'/>`))
      assert.match(told.toString(), /Musings/)
      assert.doesNotMatch(told.toString(), /roster_groups|Guards/)
      const meta = await francisco.request(info(NODE))
      assert.doesNotMatch(meta.toString(), /roster_groups|Guards/)
    })
  })

  test('XEP-0060 §4.1: members and publishers need not be in the roster, outcasts are kept out of it', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await befriend(bernardo, hamlet)
      await does(hamlet, create({ access_model: 'presence' }))
      await does(hamlet, affiliate(FRANCISCO, 'member'))
      await does(francisco, subscribe(FRANCISCO))
      await does(bernardo, subscribe(BERNARDO))
      await does(hamlet, publish('one'))
      await francisco.finds(news('one'))
      await bernardo.finds(news('one'))
      await does(hamlet, affiliate(BERNARDO, 'outcast'))
      await bernardo.finds(ended(BERNARDO))
      await isRefused(bernardo, subscribe(BERNARDO), 'auth forbidden')
      // who is no longer a member has the roster alone
      await does(hamlet, affiliate(FRANCISCO, 'none'))
      await francisco.finds(ended(FRANCISCO))
      // §8.8.2: nor can an owner subscribe those who have no access
      const enlist = `<subscriptions node='${NODE}'><subscription jid='${FRANCISCO}' subscription='subscribed'/></subscriptions>`
      await isRefused(hamlet, iq('set', enlist, OWNER), 'modify not-acceptable')
    })
  })

  test('XEP-0060 §14.3: what a roster has said while the service was away counts at once', async t => {
    const server = await startPubsub(t, database)
    const { modules } = server.server.api
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await befriend(francisco, hamlet)
      await befriend(bernardo, hamlet)
      await does(hamlet, create({ access_model: 'presence', publish_model: 'subscribers' }))
      await does(francisco, subscribe(FRANCISCO))
      await does(bernardo, subscribe(BERNARDO))
      assert.ok((await modules.unload('pubsub', SERVICE)).ok)
      await hamlet.sends(`<presence to='${FRANCISCO}' type='unsubscribed'/>`)
      await francisco.finds(`<presence from='${hamlet.jid}' type='unavailable'/>`)
      assert.ok((await modules.load('pubsub', SERVICE)).ok)
      await does(bernardo, publish('one'))
      await bernardo.finds(news('one'))
      await isRefused(francisco, items, NEED_PRESENCE)
      await isRefused(francisco, publish('two'), 'auth forbidden')
      await francisco.fence(SERVICE)
      assert.deepEqual(
        francisco.unread.filter(one => one.name === 'message'),
        []
      )
    })
  })

  test('XEP-0060 §4.5: a roster that is not in memory is read, in the middle of a write too', async t => {
    const server = await startPubsub(t, database)
    const { modules } = server.server.api
    const forget = async (): Promise<void> => assert.ok((await modules.reload('roster')).ok)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await befriend(francisco, hamlet)
      await does(hamlet, create({ access_model: 'presence', publish_model: 'open' }))
      await does(hamlet, affiliate(BERNARDO, 'owner'))
      await forget()
      await isRefused(francisco, subscribe(BERNARDO), 'modify bad-request invalid-jid')
      await does(francisco, subscribe(FRANCISCO))
      await forget()
      await asks(francisco, items, result(`<items node='${NODE}'/>`))
      await forget()
      await does(francisco, publish('one'))
      await francisco.finds(news('one'))
      await does(hamlet, configuring({ item_expire: '1' }))
      await does(bernardo, publish('two'))
      await forget()
      await francisco.finds(event(`<items node='${NODE}'><retract id='one'/></items>`))
    })
  })

  test('XEP-0060 §14.3: while the rosters are away nobody is admitted by them', async t => {
    const server = await startTestServer(t, {
      database,
      hosts: {
        localhost: { modules: { saslauth: {}, roster: {}, message: {} } },
        [SERVICE]: { type: 'component', modules: { pubsub: {} } }
      }
    })
    const { modules } = server.server.api
    const cast = { hamlet: `${HAMLET}/elsinore`, francisco: `${FRANCISCO}/barracks` }
    await scenario(server, cast, async ({ hamlet, francisco }) => {
      await asks(hamlet, info(), hasFeatures(MODELS))
      await sorts(hamlet, FRANCISCO, 'Friends')
      await does(hamlet, createFor('Friends'))
      await does(francisco, subscribe(francisco.jid))
      assert.ok((await modules.unload('roster', 'localhost')).ok)
      await asks(hamlet, info(), hasFeatures([], MODELS))
      await does(hamlet, publish('one'))
      await isRefused(francisco, items, NEED_GROUP)
      // it is what it is, and can be configured otherwise
      await does(hamlet, configuring({ title: 'Musings', access_model: 'roster' }))
      assert.ok((await modules.load('roster', 'localhost')).ok)
      await asks(hamlet, info(), hasFeatures(MODELS))
      await does(hamlet, publish('two'))
      await francisco.receives(
        `<message to='${francisco.jid}'><event xmlns='${PUBSUB}#event'><items><item id='two'/></items></event></message>`
      )
    })
  })

  test('XEP-0060 §5.2: nodes are listed for those whom the roster admits', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ access_model: 'presence' }))
      const list = `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
      const shown = (absent: string): string =>
        `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items'><item node='${NODE}'${absent}/></query></iq>`
      await asks(hamlet, list, shown(''))
      await asks(francisco, list, shown(" t:absent='yes'"))
      await befriend(francisco, hamlet)
      await asks(francisco, list, shown(''))
    })
  })
})
