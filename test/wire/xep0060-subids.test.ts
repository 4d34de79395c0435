import test from 'node:test'
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
import { hasFeatures, info, options, optionsForm, result, subscribeWith, unsubscribe } from './xep0060-lib'

const SHIM = 'http://jabber.org/protocol/shim'
const FRANCISCO = 'francisco@localhost'
const many = { multiSubscribe: true }
const subscribed = (name: string, jid = FRANCISCO): string =>
  result(`<subscription node='${NODE}' jid='${jid}' subid='{${name}}' subscription='subscribed'/>`)
const headers = (...names: string[]): string =>
  names.map(name => `<header name='SubID'>{${name}}</header>`).join('')
const items = (subid?: string): string =>
  iq('get', `<items node='${NODE}'${subid === undefined ? '' : ` subid='${subid}'`}/>`)

onEachDatabase(database => {
  test('XEP-0060 §6.1.6: an address subscribes several times; SubIDs tell the subscriptions apart', async t => {
    const server = await startPubsub(t, database, { ...many, subscriptionsPerAddress: 2 })
    await play(server, async ({ hamlet, francisco }) => {
      await asks(francisco, info(), hasFeatures([`${PUBSUB}#multi-subscribe`, SHIM]))
      await asks(francisco, info(SHIM), hasFeatures([`${SHIM}#SubID`])) // XEP-0131 §3.2
      await does(hamlet, create())
      await asks(francisco, subscribe(FRANCISCO), subscribed('a'))
      await asks(francisco, subscribe(FRANCISCO), subscribed('b'))
      await isRefused(francisco, subscribe(FRANCISCO), 'wait policy-violation too-many-subscriptions')
      // another address is another (§6.1.6)
      await asks(francisco, subscribe(`${FRANCISCO}/barracks`), subscribed('c', `${FRANCISCO}/barracks`))
      const rows = ['a', 'b', 'c'].map(
        name => `<subscription node='${NODE}' subid='{${name}}' subscription='subscribed'/>`
      )
      await asks(
        francisco,
        iq('get', `<subscriptions node='${NODE}'/>`),
        result(
          `<subscriptions node='${NODE}' t:exact='yes'>${rows
            .map((row, i) =>
              row.replace(' subid', ` jid='${i === 2 ? `${FRANCISCO}/barracks` : FRANCISCO}' subid`)
            )
            .join('')}</subscriptions>`
        )
      )
      // §8.8.1.2
      await asks(
        hamlet,
        iq('get', `<subscriptions node='${NODE}'/>`, OWNER),
        `<iq type='result'><pubsub xmlns='${OWNER}'><subscriptions>${['x', 'y', 'z']
          .map(name => `<subscription subid='{${name}}' subscription='subscribed'/>`)
          .join('')}</subscriptions></pubsub></iq>`
      )
    })
  })

  test('XEP-0060 §7.1.2.4, §7.2.2.2: an event comes once, with the SubIDs that it is for', async t => {
    const server = await startPubsub(t, database, many)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ notify_config: '1' }))
      await asks(francisco, subscribe(FRANCISCO), subscribed('a'))
      await asks(francisco, subscribe(FRANCISCO), subscribed('b'))
      await asks(francisco, subscribeWith(FRANCISCO, { deliver: '0' }), subscribed('silent'))
      await does(bernardo, subscribe('bernardo@localhost'))
      await does(hamlet, publish('one'))
      await francisco.receives(
        `<message to='${FRANCISCO}' t:ordered='yes'>
           <event xmlns='${EVENT}'><items node='${NODE}'><item id='one'/></items></event>
           <headers xmlns='${SHIM}' t:exact='yes'>${headers('a', 'b')}</headers></message>`
      )
      // whoever has one subscription needs no header
      await bernardo.receives(
        `<message><event xmlns='${EVENT}'/><headers xmlns='${SHIM}' t:absent='yes'/></message>`
      )
      await does(hamlet, iq('set', `<retract node='${NODE}' notify='1'><item id='one'/></retract>`))
      await francisco.receives(
        `<message><event xmlns='${EVENT}'><items><retract id='one'/></items></event>
           <headers xmlns='${SHIM}' t:exact='yes'>${headers('a', 'b')}</headers></message>`
      )
      // §12.16: no headers where nothing depends on the subscription
      for (const request of [
        iq('set', `<purge node='${NODE}'/>`, OWNER),
        iq('set', `<configure node='${NODE}'>${configuration({ title: 'x' })}</configure>`, OWNER),
        iq('set', `<delete node='${NODE}'/>`, OWNER)
      ]) {
        await does(hamlet, request)
        await francisco.receives(
          `<message><event xmlns='${EVENT}'/><headers xmlns='${SHIM}' t:absent='yes'/></message>`
        )
      }
      await francisco.receivesNothing()
    })
  })

  test('XEP-0060 §6.2.3, §6.3.4: a SubID is needed where there are several, and it must be one of them', async t => {
    const server = await startPubsub(t, database, many)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create())
      await asks(francisco, subscribe(FRANCISCO), subscribed('a'))
      await does(francisco, options(FRANCISCO, { deliver: '0' })) // there is only one
      await asks(francisco, subscribe(FRANCISCO), subscribed('b'))
      await asks(bernardo, subscribe('bernardo@localhost'), subscribed('others', 'bernardo@localhost'))
      for (const request of [
        (subid?: string) => unsubscribe(FRANCISCO, subid),
        (subid?: string) => options(FRANCISCO, undefined, subid),
        (subid?: string) => options(FRANCISCO, { deliver: '0' }, subid),
        items // §6.5.9.1, §6.5.9.2
      ]) {
        await isRefused(francisco, request(), 'modify bad-request subid-required')
        await isRefused(francisco, request('nonsense'), 'modify not-acceptable invalid-subid')
        await isRefused(francisco, request('{others}'), 'modify not-acceptable invalid-subid')
      }
      await does(francisco, items('{a}'))
      await asks(
        francisco,
        options(FRANCISCO, undefined, '{a}'),
        result(
          `<options node='${NODE}' jid='${FRANCISCO}' subid='{a}'>${optionsForm('form', { deliver: '0' })}</options>`
        )
      )
      await asks(
        francisco,
        unsubscribe(FRANCISCO, '{b}'),
        result(`<subscription node='${NODE}' jid='${FRANCISCO}' subid='{b}' subscription='none'/>`) // §6.2.2
      )
      await francisco.receives(
        event(`<subscription node='${NODE}' jid='${FRANCISCO}' subid='{b}' subscription='none'/>`)
      )
      await does(francisco, unsubscribe(FRANCISCO))
      await isRefused(francisco, unsubscribe(FRANCISCO, '{a}'), 'cancel unexpected-request not-subscribed')
    })
  })

  test('XEP-0060 §8.8.2.4: an owner names the subscription that is meant', async t => {
    const server = await startPubsub(t, database, many)
    await play(server, async ({ hamlet, francisco }) => {
      const remove = (...subids: string[]): string =>
        iq(
          'set',
          `<subscriptions node='${NODE}'>${subids
            .map(subid => `<subscription jid='${FRANCISCO}' ${subid} subscription='none'/>`)
            .join('')}</subscriptions>`,
          OWNER
        )
      await does(hamlet, create())
      for (const name of ['a', 'b', 'c']) await asks(francisco, subscribe(FRANCISCO), subscribed(name))
      await asks(
        hamlet,
        remove(''),
        `<iq type='error'><pubsub xmlns='${OWNER}'><subscriptions node='${NODE}'>${['p', 'q', 'r']
          .map(name => `<subscription jid='${FRANCISCO}' subid='{${name}}' subscription='subscribed'/>`)
          .join('')}</subscriptions></pubsub><error type='modify'/></iq>`
      )
      await isRefused(hamlet, remove(`subid='{p}'`, `subid='{p}'`), 'modify bad-request')
      await does(hamlet, remove(`subid='{p}'`, `subid='{q}'`))
      for (const name of ['p', 'q']) {
        await francisco.receives(
          event(`<subscription node='${NODE}' jid='${FRANCISCO}' subid='{${name}}' subscription='none'/>`)
        )
      }
      await does(francisco, unsubscribe(FRANCISCO))
    })
  })

  test('XEP-0060 §6.2.3.5: where there are no SubIDs, one that is given is ignored', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe(FRANCISCO))
      await asks(
        francisco,
        options(FRANCISCO, undefined, '123-abc'),
        result(`<options jid='${FRANCISCO}' subid='!'/>`)
      )
      await does(francisco, items('123-abc'))
      await asks(
        francisco,
        unsubscribe(FRANCISCO, '123-abc'),
        `<iq type='result' from='${SERVICE}'><pubsub xmlns='${PUBSUB}'><subscription subid='!' subscription='none'/></pubsub></iq>`
      )
    })
  })

  test('XEP-0060 §12.4: an address that is gone has no subscription any more, however many it had', async t => {
    const server = await startPubsub(t, database, many)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      for (const name of ['a', 'b']) await asks(francisco, subscribe(FRANCISCO), subscribed(name))
      francisco.write(
        `<message type='error' to='${SERVICE}' id='x'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
      )
      await asks(francisco, subscribe(`${FRANCISCO}/barracks`), subscribed('c', `${FRANCISCO}/barracks`))
    })
  })
})
