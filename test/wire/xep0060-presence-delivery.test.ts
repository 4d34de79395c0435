import assert from 'node:assert/strict'
import test from 'node:test'
import { Abroad } from '../lib/abroad'
import { join, type Player } from '../lib/wire'
import {
  asks,
  configuration,
  create,
  does,
  event,
  EVENT,
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
import { hasFeatures, info, subscribeWith } from './xep0060-lib'

const FRANCISCO = 'francisco@localhost'
const BARRACKS = `${FRANCISCO}/barracks`
const BARD = 'bard@abroad.example'
const news = (id: string): string => event(`<items node='${NODE}'><item id='${id}'/></items>`)
/** The last item, with the time of its publication. */
const last = (to: string, id: string, node = NODE): string =>
  `<message from='${SERVICE}' to='${to}'><event xmlns='${EVENT}'><items node='${node}'><item id='${id}'/></items></event>
    <delay xmlns='urn:xmpp:delay' stamp='*'/></message>`
const configuring = (values: Record<string, string>): string =>
  iq('set', `<configure node='${NODE}'>${configuration(values)}</configure>`, OWNER)

/** Goes, and its server knows. */
async function leaves(player: Player): Promise<void> {
  await player.sends(`<presence type='unavailable'/>`)
  await player.fence()
}

async function comes(player: Player): Promise<void> {
  await player.sends('<presence/>')
  await player.finds(`<presence from='${player.jid}' type='!'/>`)
}

/** No item has come, also none that was on its way. */
async function isToldNothing(player: Player): Promise<void> {
  await player.fence(SERVICE)
  await player.fence()
  assert.deepEqual(player.unread.filter(one => one.name === 'message').map(String), [])
}

onEachDatabase(database => {
  test('XEP-0060 §10: presence-notifications is announced, last-published where it is the default', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      const features = [`${PUBSUB}#presence-notifications`]
      await asks(hamlet, info(), hasFeatures(features, [`${PUBSUB}#last-published`]))
    })
    const other = await startPubsub(t, database, { defaults: { sendLastItem: 'on_sub_and_presence' } })
    await play(other, async ({ hamlet, francisco }) => {
      await asks(hamlet, info(), hasFeatures([`${PUBSUB}#last-published`]))
      // §4.3: the owner may have it otherwise
      await does(hamlet, create())
      await does(hamlet, publish('one'))
      await does(francisco, subscribe(FRANCISCO))
      await francisco.finds(last(FRANCISCO, 'one'))
      await does(hamlet, configuring({ send_last_published_item: 'never' }))
      await leaves(francisco)
      await comes(francisco)
      await isToldNothing(francisco)
    })
  })

  test('XEP-0060 §12.6: events are for those who are available', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      // messages that would wait for whoever is away
      await does(hamlet, create({ presence_based_delivery: '1', notification_type: 'normal' }))
      await does(francisco, subscribe(FRANCISCO))
      await does(bernardo, subscribe(bernardo.jid))
      await leaves(francisco)
      await does(hamlet, publish('one'))
      await bernardo.finds(
        `<message type='normal'><event xmlns='${EVENT}'><items><item id='one'/></items></event></message>`
      )
      await comes(francisco)
      await isToldNothing(francisco)
      await leaves(bernardo)
      await does(hamlet, publish('two'))
      await francisco.finds(
        `<message><event xmlns='${EVENT}'><items><item id='two'/></items></event></message>`
      )
      await isToldNothing(bernardo)
      // the resource that is subscribed counts, not another
      const elsewhere = await join(server, 'elsewhere', { jid: 'bernardo@localhost/wall', presence: true })
      await does(hamlet, publish('three'))
      await francisco.finds(
        `<message><event xmlns='${EVENT}'><items><item id='three'/></items></event></message>`
      )
      await isToldNothing(bernardo)
      await isToldNothing(elsewhere)
      elsewhere.destroy()
      // that the node goes, everybody is told
      await does(hamlet, iq('set', `<delete node='${NODE}'/>`, OWNER))
      await bernardo.finds(`<message><event xmlns='${EVENT}'><delete node='${NODE}'/></event></message>`)
    })
  })

  test('XEP-0060 §12.6: whose resources all have a negative priority is not there for a bare address', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ presence_based_delivery: '1', notification_type: 'normal' }))
      await does(francisco, subscribe(FRANCISCO))
      await francisco.sends('<presence><priority>-1</priority></presence>')
      await francisco.finds(`<presence from='${francisco.jid}'><priority>-1</priority></presence>`)
      await does(hamlet, publish('one'))
      await comes(francisco)
      await isToldNothing(francisco)
      await does(hamlet, publish('two'))
      await francisco.finds(
        `<message><event xmlns='${EVENT}'><items><item id='two'/></items></event></message>`
      )
    })
  })

  test('XEP-0060 §12.6: people of other servers are seen by directed presence', async t => {
    const server = await startPubsub(t, database)
    const abroad = new Abroad(server, SERVICE)
    const says = (request: string, id: string): Promise<void> =>
      abroad.says(request.replace('<iq ', `<iq from='${BARD}/x' id='${id}' `))
    await play(server, async ({ hamlet }) => {
      await does(
        hamlet,
        create({ presence_based_delivery: '1', send_last_published_item: 'on_sub_and_presence' })
      )
      await says(subscribe(BARD), 'one')
      await abroad.finds(`<iq type='result' id='one'/>`)
      await does(hamlet, publish('first'))
      abroad.hears()
      await abroad.says(`<presence from='${BARD}/x' to='${SERVICE}'/>`)
      await abroad.finds(last(`${BARD}/x`, 'first'))
      // known already
      await abroad.says(`<presence from='${BARD}/x' to='${SERVICE}'><show>away</show></presence>`)
      await does(hamlet, publish('second'))
      await abroad.finds(
        `<message to='${BARD}'><event xmlns='${EVENT}'><items><item id='second'/></items></event></message>`
      )
      await abroad.says(`<presence from='${BARD}/x' to='${SERVICE}' type='unavailable'/>`)
      await does(hamlet, publish('third'))
      await hamlet.fence(SERVICE)
      abroad.hears()
    })
  })

  test('XEP-0060 §6.1.7, §12.10: the last item when a subscriber comes online, to each resource that comes', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ send_last_published_item: 'on_sub_and_presence' }))
      await does(hamlet, create({ send_last_published_item: 'on_sub' }, 'other'))
      await does(hamlet, publish('one'))
      await does(hamlet, publish('two'))
      await does(hamlet, publish('three', 'x', 'other'))
      await does(francisco, subscribe(FRANCISCO))
      await does(francisco, subscribe(FRANCISCO, 'other'))
      await francisco.finds(last(FRANCISCO, 'two'))
      await francisco.finds(last(FRANCISCO, 'three', 'other'))
      await does(bernardo, subscribe(`${bernardo.jid}`))
      await bernardo.finds(last(bernardo.jid, 'two'))

      await leaves(francisco)
      await comes(francisco)
      await francisco.finds(last(BARRACKS, 'two'))
      // only what makes somebody available counts
      await francisco.sends('<presence><show>away</show></presence>')
      await francisco.finds(`<presence from='${BARRACKS}'><show>away</show></presence>`)
      await isToldNothing(francisco)

      const wall = await join(server, 'wall', { jid: `${FRANCISCO}/wall`, presence: true })
      await wall.finds(last(`${FRANCISCO}/wall`, 'two'))
      await isToldNothing(francisco)
      wall.destroy()
      // a subscription of one resource is not for the others
      const gate = await join(server, 'gate', { jid: 'bernardo@localhost/gate', presence: true })
      await isToldNothing(gate)
      gate.destroy()
    })
  })

  test('XEP-0060 §6.1.7: not to those who want nothing, wait for approval, or are banned', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(
        hamlet,
        create({ send_last_published_item: 'on_sub_and_presence', access_model: 'authorize' })
      )
      await does(hamlet, publish('one'))
      await does(bernardo, subscribe('bernardo@localhost'))
      await leaves(bernardo)
      await comes(bernardo)
      await isToldNothing(bernardo)
      await does(hamlet, configuring({ access_model: 'open' }))
      await bernardo.finds(last('bernardo@localhost', 'one'))
      await bernardo.finds(`<message/>`)
      await does(francisco, subscribeWith(FRANCISCO, { deliver: '0' }))
      await leaves(francisco)
      await comes(francisco)
      await isToldNothing(francisco)
    })
  })

  test('XEP-0060 §6.1.7, §14.3: nor to those whom the roster no longer admits', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      const list = (group: string): string =>
        `<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${FRANCISCO}'><group>${group}</group></item></query></iq>`
      await hamlet.request(list('Friends'))
      await does(
        hamlet,
        create({
          access_model: 'roster',
          roster_groups_allowed: 'Friends',
          send_last_published_item: 'on_sub_and_presence'
        })
      )
      await does(hamlet, publish('one'))
      await does(francisco, subscribe(FRANCISCO))
      await francisco.finds(last(FRANCISCO, 'one'))
      assert.ok((await server.server.api.modules.unload('pubsub', SERVICE)).ok)
      await hamlet.request(list('Enemies'))
      await leaves(francisco)
      assert.ok((await server.server.api.modules.load('pubsub', SERVICE)).ok)
      await comes(francisco)
      await isToldNothing(francisco)
      await isRefused(
        francisco,
        iq('get', `<items node='${NODE}'/>`),
        'auth not-authorized not-in-roster-group'
      )
    })
  })

  test('XEP-0060 §6.1.7: whoever comes and goes all the time is sent no more', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ send_last_published_item: 'on_sub_and_presence' }))
      await does(francisco, subscribe(FRANCISCO))
      await does(hamlet, publish('one'))
      await francisco.finds(news('one'))
      for (let time = 0; time < 15; time++) {
        await leaves(francisco)
        await comes(francisco)
        await francisco.fence(SERVICE)
      }
      const got = francisco.unread.filter(one => one.name === 'message').length
      assert.ok(got >= 5 && got <= 12, `${got} items`)
    })
  })
})
