import test from 'node:test'
import {
  asks,
  ATOM,
  configuration,
  create,
  does,
  entry,
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
  startPubsub,
  subscribe
} from '../modules/mod_pubsub/lib'
import { hasFeatures, info, result } from './xep0060-lib'

const OPTIONS = `${PUBSUB}#publish-options`
const publishWith = (values: Record<string, string>, item = `<item id='one'>${entry('x')}</item>`): string =>
  iq(
    'set',
    `<publish node='${NODE}'>${item}</publish><publish-options>${configuration(values, OPTIONS)}</publish-options>`
  )
const bare = (item: string): string => iq('set', `<publish node='${NODE}'>${item}</publish>`)
const configured = (values: Record<string, string>): string =>
  `<iq type='result'><pubsub xmlns='${OWNER}'><configure node='${NODE}'><x xmlns='jabber:x:data' type='form'>${Object.entries(
    values
  )
    .map(([name, value]) => `<field var='pubsub#${name}'><value>${value}</value></field>`)
    .join('')}</x></configure></pubsub></iq>`
const configuring = (values: Record<string, string>): string =>
  iq('set', `<configure node='${NODE}'>${configuration(values)}</configure>`, OWNER)

onEachDatabase(database => {
  test('XEP-0060 §7.1.4: without auto-create a node has to be made first', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await asks(hamlet, info(), hasFeatures([`${PUBSUB}#publish`], [`${PUBSUB}#auto-create`]))
      await isRefused(hamlet, publish('one'), 'cancel item-not-found')
      // §7.1.5 case 4
      await isRefused(hamlet, publishWith({ access_model: 'open' }), 'cancel item-not-found')
    })
  })

  test('XEP-0060 §7.1.4: publishing makes the node, by default configuration, for those who may', async t => {
    const server = await startPubsub(t, database, {
      autoCreate: true,
      createNodes: 'admins',
      creatorDomains: ['localhost'],
      nodesPerUser: 1
    })
    await play(server, async ({ hamlet, francisco }) => {
      await asks(hamlet, info(), hasFeatures([`${PUBSUB}#auto-create`]))
      await asks(hamlet, publish('one'), result(`<publish node='${NODE}'><item id='one'/></publish>`))
      await asks(
        hamlet,
        iq('get', `<configure node='${NODE}'/>`, OWNER),
        configured({ access_model: 'open', persist_items: '1' })
      )
      await isRefused(francisco, publish('two'), 'auth forbidden')
      // the bounds of creating hold
      await isRefused(hamlet, publish('one', 'x', 'another'), 'cancel not-allowed max-nodes-exceeded')
      await isRefused(
        hamlet,
        iq('set', `<publish node='${'x'.repeat(2000)}'/>`),
        'modify bad-request item-required'
      )
      // where a node has gone it is not made again
      await does(
        hamlet,
        iq('set', `<delete node='${NODE}'><redirect uri='xmpp:elsewhere?;node=x'/></delete>`, OWNER)
      )
      await isRefused(hamlet, publish('one'), 'modify gone')
    })
  })

  test('XEP-0060 §7.1.4: whoever may not create nodes makes none by publishing', async t => {
    const server = await startPubsub(t, database, { autoCreate: true, createNodes: 'admins' })
    await play(server, async ({ hamlet }) => {
      await isRefused(hamlet, publish('one'), 'auth forbidden')
    })
  })

  test('XEP-0060 §7.1.5: preconditions are the configuration of a node that is made', async t => {
    const server = await startPubsub(t, database, { autoCreate: true })
    await play(server, async ({ hamlet, francisco }) => {
      const wanted = { access_model: 'whitelist', max_items: '3', deliver_payloads: 'false' }
      // what cannot be met makes nothing
      const wrongs: Record<string, string>[] = [
        { 'no-such-field': '1' },
        { access_model: 'friends' },
        { max_items: '0' }
      ]
      for (const wrong of wrongs)
        await isRefused(hamlet, publishWith(wrong), 'cancel conflict precondition-not-met')
      await isRefused(
        hamlet,
        publishWith({ persist_items: '0', deliver_payloads: '0' }),
        'modify bad-request item-forbidden'
      )
      await isRefused(hamlet, iq('get', `<configure node='${NODE}'/>`, OWNER), 'cancel item-not-found')
      await does(hamlet, publishWith(wanted))
      await asks(
        hamlet,
        iq('get', `<configure node='${NODE}'/>`, OWNER),
        configured({ access_model: 'whitelist', max_items: '3', deliver_payloads: '0' })
      )
      await isRefused(francisco, subscribe('francisco@localhost'), 'cancel not-allowed closed-node')
    })
  })

  test('XEP-0060 §7.1.5: each field is a precondition on the node that is there', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create({ max_items: '5', item_expire: '60', title: 'T' }))
      await does(
        hamlet,
        publishWith({ max_items: '5', item_expire: '60', title: 'T', notify_retract: 'true' })
      )
      const wrongs: Record<string, string>[] = [
        { max_items: '6' },
        { item_expire: 'max' },
        { title: 't' },
        { persist_items: '0' },
        { access_model: 'whitelist' },
        { 'x-unknown': '' }
      ]
      for (const wrong of wrongs)
        await isRefused(hamlet, publishWith(wrong), 'cancel conflict precondition-not-met')
      const wrongType = configuration({ title: 'T' }, `${PUBSUB}#node_config`)
      await isRefused(
        hamlet,
        iq('set', `<publish node='${NODE}'><item/></publish><publish-options>${wrongType}</publish-options>`),
        'modify bad-request'
      )
      await isRefused(
        hamlet,
        iq('set', `<publish node='${NODE}'><item/></publish><publish-options/>`),
        'modify bad-request'
      )
    })
  })

  test('XEP-0060 §4.3, §7.1.3.7: each kind of node, each kind of publication', async t => {
    const server = await startPubsub(t, database)
    const item = `<item id='one'>${entry('x')}</item>`
    const nothing = { '': 'modify bad-request payload-required' }
    const cases: [Record<string, string>, Record<string, string>][] = [
      // persistent: an item; payload or not
      [
        { persist_items: '1', deliver_payloads: '1' },
        { '': 'modify bad-request item-required', '<item/>': 'modify bad-request payload-required' }
      ],
      [{ persist_items: '1', deliver_payloads: '0' }, { '': 'modify bad-request item-required' }],
      // transient: with payload an item, without none
      [
        { persist_items: '0', deliver_payloads: '1' },
        { ...nothing, "<item id='one'/>": nothing[''] }
      ],
      [
        { persist_items: '0', deliver_payloads: '0' },
        { '<item/>': 'modify bad-request item-forbidden', [item]: 'modify bad-request item-forbidden' }
      ]
    ]
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe('francisco@localhost'))
      for (const [config, refused] of cases) {
        await does(hamlet, configuring(config))
        for (const [inside, error] of Object.entries(refused)) await isRefused(hamlet, bare(inside), error)
        const persistent = config.persist_items === '1'
        if (config.deliver_payloads === '1') {
          await does(hamlet, bare(item))
          await francisco.receives(event(`<items node='${NODE}'><item id='one'>${entry('x')}</item></items>`))
        } else if (persistent) {
          // §4.3: the id is made, and the payload is kept but not told
          for (const inside of ['<item/>', item]) {
            await asks(hamlet, bare(inside), result(`<publish><item id='*'/></publish>`))
            await francisco.receives(
              event(
                `<items node='${NODE}'><item id='*'><entry xmlns='${ATOM}' t:absent='yes'/></item></items>`
              )
            )
          }
        } else {
          await does(hamlet, bare(''))
          await francisco.receives(
            `<message><event xmlns='${EVENT}'><items node='${NODE}' t:exact='yes'/></event></message>`
          )
        }
        if (persistent) continue
        // nothing is kept, and there is nothing to purge or delete
        const unsupported = 'cancel feature-not-implemented unsupported persistent-items'
        await isRefused(hamlet, iq('get', `<items node='${NODE}'/>`), unsupported)
        await isRefused(hamlet, iq('set', `<retract node='${NODE}'><item id='one'/></retract>`), unsupported)
        await isRefused(hamlet, iq('set', `<purge node='${NODE}'/>`, OWNER), unsupported)
      }
      // pubsub#deliver_notifications
      await does(
        hamlet,
        configuring({ persist_items: '1', deliver_payloads: '1', deliver_notifications: '0' })
      )
      await does(hamlet, bare(item))
      await does(hamlet, iq('set', `<retract node='${NODE}' notify='1'><item id='one'/></retract>`))
      await does(hamlet, iq('set', `<purge node='${NODE}'/>`, OWNER))
      await francisco.receivesNothing()
    })
  })

  test('XEP-0060 §16.4.4: items end item_expire seconds after their last publication', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      for (const wrong of ['0', '-1', 'soon', '1.5'])
        await isRefused(hamlet, create({ item_expire: wrong }), 'modify not-acceptable')
      await does(hamlet, create({ item_expire: '1' }))
      await does(francisco, subscribe('francisco@localhost'))
      await does(hamlet, publish('one'))
      await francisco.receives(event(`<items node='${NODE}'><item id='one'/></items>`))
      await francisco.receives(event(`<items node='${NODE}'><retract id='one'/></items>`))
      await asks(
        hamlet,
        iq('get', `<items node='${NODE}'/>`),
        result(`<items t:exact='yes' node='${NODE}'/>`)
      )
      // the next one ends too, also where the setting came later
      await does(hamlet, configuring({ item_expire: 'max' }))
      await does(hamlet, publish('two'))
      await francisco.receives(event(`<items node='${NODE}'><item id='two'/></items>`))
      await does(hamlet, configuring({ item_expire: '1' }))
      await francisco.receives(event(`<items node='${NODE}'><retract id='two'/></items>`))
    })
  })

  test('XEP-0060 §5.4: the meta-data of a node names owners, publishers and the number of subscribers', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ title: 'T', type: ATOM, max_items: 'max' }))
      await does(francisco, subscribe('francisco@localhost'))
      await does(
        hamlet,
        iq(
          'set',
          `<affiliations node='${NODE}'><affiliation jid='bernardo@localhost' affiliation='publisher'/></affiliations>`,
          OWNER
        )
      )
      const fields = {
        title: 'T',
        type: ATOM,
        max_items: 'max',
        access_model: 'open',
        publish_model: 'publishers',
        creator: 'hamlet@localhost',
        creation_date: '*',
        owner: 'hamlet@localhost',
        publisher: 'bernardo@localhost',
        num_subscribers: '1'
      }
      const form = Object.entries(fields).map(
        ([name, value]) => `<field var='pubsub#${name}'><value>${value}</value></field>`
      )
      await asks(
        francisco,
        info(NODE),
        `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info' node='${NODE}'>
           <identity category='pubsub' type='leaf'/><x xmlns='jabber:x:data' type='result'>
           <field var='FORM_TYPE' type='hidden'><value>${PUBSUB}#meta-data</value></field>${form.join('')}</x></query></iq>`
      )
    })
  })
})
