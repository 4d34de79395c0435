import assert from 'node:assert/strict'
import test from 'node:test'
import {
  asks,
  ATOM,
  create,
  does,
  entry,
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
import {
  chosen,
  FORM_TYPE,
  hasFeatures,
  info,
  options,
  optionsForm,
  result,
  subscribeWith,
  unsubscribe
} from './xep0060-lib'

const FRANCISCO = 'francisco@localhost'
const BARRACKS = `${FRANCISCO}/barracks`
const news = (id: string): string => event(`<items node='${NODE}'><item id='${id}'/></items>`)
const state = (jid: string, now: string): string =>
  event(`<subscription node='${NODE}' jid='${jid}' subscription='${now}'/>`)
/** Milliseconds from now, as XEP-0082 writes it. */
const later = (ms: number): string => new Date(Date.now() + ms).toISOString()

onEachDatabase(database => {
  test('XEP-0060 §6.3.1: options and what goes with them are in disco#info', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ francisco }) => {
      const names = ['subscription-options', 'retrieve-default-sub', 'leased-subscription']
      await asks(
        francisco,
        info(),
        hasFeatures(
          names.map(name => `${PUBSUB}#${name}`),
          ['multi-subscribe', 'auto-create'].map(name => `${PUBSUB}#${name}`)
        )
      )
    })
  })

  test('XEP-0060 §6.3.2, §6.3.5: options are asked for and set; what is left out stays', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe(FRANCISCO))
      await asks(
        francisco,
        options(FRANCISCO),
        result(
          `<options node='${NODE}' jid='${FRANCISCO}'>${optionsForm('form', { deliver: '1', expire: '' })}</options>`
        )
      )
      await asks(
        francisco,
        options(FRANCISCO, { deliver: 'false' }),
        `<iq type='result'><pubsub t:absent='yes'/></iq>`
      )
      await does(francisco, options(FRANCISCO, { expire: '2999-01-01T00:00:00Z' }))
      await asks(
        francisco,
        options(FRANCISCO),
        result(
          `<options node='${NODE}' jid='${FRANCISCO}'>${optionsForm('form', { deliver: '0', expire: '{end}' })}</options>`
        )
      )
      // example 147 for options: a cancelled form changes nothing
      const cancel = `<options node='${NODE}' jid='${FRANCISCO}'><x xmlns='jabber:x:data' type='cancel'/></options>`
      await does(francisco, iq('set', cancel))
      await asks(
        francisco,
        options(FRANCISCO),
        result(`<options>${optionsForm('form', { deliver: '0', expire: '{end}' })}</options>`)
      )
    })
  })

  test('XEP-0060 §6.3.4: each reason to refuse a request for options', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      for (const values of [undefined, { deliver: '0' }]) {
        await isRefused(hamlet, options(FRANCISCO, values), 'auth forbidden') // §6.3.4.1
        await isRefused(
          francisco,
          options(FRANCISCO, values),
          'modify unexpected-request not-subscribed' // §6.3.4.2
        )
        const type = values ? 'set' : 'get'
        const form = values ? chosen(values) : ''
        await isRefused(
          francisco,
          iq(type, `<options node='${NODE}'>${form}</options>`),
          'modify bad-request jid-required' // §6.3.4.3
        )
        await isRefused(
          francisco,
          options(FRANCISCO, values, undefined, 'nowhere'),
          'cancel item-not-found' // §6.3.4.7
        )
        await isRefused(
          francisco,
          iq(type, `<options jid='${FRANCISCO}'>${form}</options>`),
          'modify bad-request nodeid-required'
        )
      }
      // whoever is subscribed with another address is not subscribed with this one
      await does(francisco, subscribe(BARRACKS))
      await isRefused(francisco, options(FRANCISCO), 'modify unexpected-request not-subscribed')
    })
  })

  test('XEP-0060 §6.3.6.2: options that cannot be', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe(FRANCISCO))
      const wrongs: Record<string, string>[] = [
        { deliver: 'perhaps' },
        { expire: 'tomorrow' },
        { expire: '2006-02-28T11:59:59Z' },
        { expire: '2999-02-28 11:59:59' },
        { expire: '2999-13-45T99:59:59Z' }
      ]
      for (const wrong of wrongs) {
        await isRefused(francisco, options(FRANCISCO, wrong), 'modify bad-request invalid-options')
        await isRefused(francisco, subscribeWith(FRANCISCO, wrong), 'modify bad-request invalid-options')
      }
      const other = chosen({ deliver: '0' }).replace(FORM_TYPE, `${PUBSUB}#node_config`)
      await isRefused(
        francisco,
        iq('set', `<options node='${NODE}' jid='${FRANCISCO}'>${other}</options>`),
        'modify bad-request invalid-options'
      )
      await isRefused(
        francisco,
        iq('set', `<options node='${NODE}' jid='${FRANCISCO}'/>`),
        'modify bad-request'
      )
      // a field that is not offered is ignored (XEP-0004 §3.1)
      await does(francisco, options(FRANCISCO, { digest: '1', include_body: '1' }))
    })
  })

  test('XEP-0060 §6.3.7: subscribe and configure', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await asks(
        francisco,
        subscribeWith(FRANCISCO, { deliver: '0' }),
        result(
          `<subscription node='${NODE}' jid='${FRANCISCO}' subscription='subscribed'/>
           <options node='!' jid='!'>${optionsForm('result', { deliver: '0', expire: '' })}</options>`
        )
      )
      for (const attr of [`node='${NODE}'`, `jid='${FRANCISCO}'`]) {
        await isRefused(
          francisco,
          iq('set', `<subscribe node='${NODE}' jid='${FRANCISCO}'/><options ${attr}>${chosen({})}</options>`),
          'modify bad-request'
        )
      }
      await isRefused(
        francisco,
        iq('set', `<options>${chosen({})}</options><subscribe node='${NODE}' jid='${FRANCISCO}'/>`),
        'modify bad-request'
      )
      // §6.1.6: whoever is subscribed already is told so, and what they choose counts
      await asks(
        francisco,
        subscribeWith(FRANCISCO, { deliver: '1' }),
        result(
          `<subscription subscription='subscribed'/><options>${optionsForm('result', { deliver: '1' })}</options>`
        )
      )
      await does(hamlet, publish('one'))
      await francisco.receives(news('one'))
    })
  })

  test('XEP-0060 §6.4: default options, of the service and of a node', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ type: ATOM }))
      await asks(
        francisco,
        iq('get', '<default/>'),
        result(`<default node='!'>${optionsForm('result', { deliver: '1', expire: '' })}</default>`)
      )
      await asks(
        francisco,
        iq('get', `<default node='${NODE}'/>`),
        result(
          `<default node='${NODE}'>${optionsForm('result', { deliver: '1', include_body: '0' })}</default>`
        )
      )
      await isRefused(francisco, iq('get', `<default node='nowhere'/>`), 'cancel item-not-found')
    })
  })

  test('XEP-0060 §12.3: pubsub#deliver decides over events, not over what becomes of the subscription', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ notify_config: '1' }))
      await does(francisco, subscribeWith(FRANCISCO, { deliver: '0' }))
      await does(bernardo, subscribe('bernardo@localhost'))
      await does(hamlet, publish('one'))
      await does(hamlet, iq('set', `<retract node='${NODE}' notify='1'><item id='one'/></retract>`))
      await does(hamlet, iq('set', `<purge node='${NODE}'/>`, OWNER))
      for (const inside of [
        "<items><item id='one'/></items>",
        "<items><retract id='one'/></items>",
        '<purge/>'
      ])
        await bernardo.receives(event(inside))
      await francisco.receivesNothing()
      await does(francisco, options(FRANCISCO, { deliver: '1' }))
      await does(hamlet, publish('two'))
      await francisco.receives(news('two'))
      await does(francisco, options(FRANCISCO, { deliver: '0' }))
      await does(hamlet, iq('set', `<delete node='${NODE}'/>`, OWNER))
      await francisco.receives(event(`<delete node='${NODE}'/>`))
    })
  })

  test('XEP-0004 §3.2: a cancelled form of options leaves a subscription that waits for them as it is', async t => {
    const server = await startPubsub(t, database, { requireLease: true })
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe(FRANCISCO))
      const cancel = (jid: string): string =>
        iq('set', `<options node='${NODE}' jid='${jid}'><x xmlns='jabber:x:data' type='cancel'/></options>`)
      await does(francisco, cancel(FRANCISCO))
      await asks(
        francisco,
        iq('get', '<subscriptions/>'),
        result(
          `<subscriptions><subscription jid='${FRANCISCO}' subscription='unconfigured'/></subscriptions>`
        )
      )
      await isRefused(francisco, cancel(BARRACKS), 'modify unexpected-request not-subscribed')
    })
  })

  test('XEP-0060 §6.1.7: the last item goes to whoever wants items', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ send_last_published_item: 'on_sub' }))
      await does(hamlet, publish('one'))
      await does(francisco, subscribeWith(FRANCISCO, { deliver: '0' }))
      await does(francisco, subscribeWith(BARRACKS, { deliver: '1' }))
      await francisco.receives(
        `<message to='${BARRACKS}'><event xmlns='${PUBSUB}#event'><items><item id='one'/></items></event>
           <delay xmlns='urn:xmpp:delay' stamp='*'/></message>`
      )
      await francisco.receivesNothing()
    })
  })

  test('XEP-0060 §12.8: a body where the payload has a text and the subscriber asks for it', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ type: ATOM }))
      await does(francisco, subscribeWith(FRANCISCO, { include_body: '1' }))
      await does(bernardo, subscribe('bernardo@localhost'))
      await does(hamlet, publish('one', 'To be &amp; not to be'))
      await francisco.receives(
        `<message type='headline'><body>To be &amp; not to be</body>
           <event xmlns='${PUBSUB}#event'><items node='${NODE}'><item id='one'>${entry('To be &amp; not to be')}</item></items></event></message>`
      )
      await bernardo.receives(`<message><body t:absent='yes'/><event xmlns='${PUBSUB}#event'/></message>`)
      // XHTML is for those who read it: the summary is not, the title is
      await does(
        hamlet,
        iq(
          'set',
          `<publish node='${NODE}'><item id='two'><entry xmlns='${ATOM}'><title>Soliloquy</title>
             <summary type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>x</div></summary></entry></item></publish>`
        )
      )
      await francisco.receives(`<message><body>Soliloquy</body></message>`)
      await does(hamlet, iq('set', `<retract node='${NODE}' notify='1'><item id='two'/></retract>`))
      await francisco.receives(`<message><body t:absent='yes'/><event xmlns='${PUBSUB}#event'/></message>`)
    })
  })

  test('XEP-0060 §12.19: a lease ends at its time, and the subscriber is told', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ notify_sub: '1' }))
      await does(francisco, subscribeWith(FRANCISCO, { expire: later(1500) }))
      await hamlet.receives(state(FRANCISCO, 'subscribed'))
      await does(hamlet, publish('one'))
      await francisco.receives(news('one'))
      await francisco.receives(state(FRANCISCO, 'none'))
      await hamlet.receives(state(FRANCISCO, 'none'))
      await does(hamlet, publish('two'))
      await francisco.receivesNothing()
      await asks(francisco, iq('get', '<subscriptions/>'), result(`<subscriptions t:exact='yes'/>`))
    })
  })

  test('XEP-0060 §12.19: a lease is renewed, or given up; none is longer than the service allows', async t => {
    const server = await startPubsub(t, database, { leaseDays: 1 })
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribeWith(FRANCISCO, { expire: later(1500) }))
      await does(francisco, options(FRANCISCO, { expire: '2999-01-01T00:00:00+02:00' }))
      const answer = await francisco.request(options(FRANCISCO))
      const end = /pubsub#expire.*?<value>([^<]*)</.exec(answer.toString())?.[1] ?? ''
      const days = (Date.parse(end) - Date.now()) / 86_400_000
      assert.ok(days > 0.99 && days <= 1, end)
      await does(francisco, options(FRANCISCO, { expire: '' }))
      await asks(
        francisco,
        options(FRANCISCO),
        result(`<options>${optionsForm('form', { deliver: '1', expire: '' })}</options>`)
      )
    })
  })

  test('XEP-0060 §6.1.5: where options are required a subscription waits for them', async t => {
    const server = await startPubsub(t, database, { requireLease: true })
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create())
      await asks(
        francisco,
        subscribe(FRANCISCO),
        result(
          `<subscription node='${NODE}' jid='${FRANCISCO}' subscription='unconfigured'><subscribe-options><required/></subscribe-options></subscription>`
        )
      )
      await does(hamlet, publish('one'))
      await francisco.receivesNothing()
      await asks(
        hamlet,
        iq('get', `<subscriptions node='${NODE}'/>`, OWNER),
        `<iq type='result'><pubsub xmlns='${OWNER}'><subscriptions><subscription jid='${FRANCISCO}' subscription='unconfigured'/></subscriptions></pubsub></iq>`
      )
      await isRefused(francisco, options(FRANCISCO, { deliver: '1' }), 'modify bad-request invalid-options')
      await does(francisco, options(FRANCISCO, { expire: later(3_600_000) }))
      await does(hamlet, publish('two'))
      await francisco.receives(news('two'))
      await does(francisco, unsubscribe(FRANCISCO))
      await francisco.receives(state(FRANCISCO, 'none'))
      // whom an owner subscribes has the longest lease
      await does(
        hamlet,
        iq(
          'set',
          `<subscriptions node='${NODE}'><subscription jid='bernardo@localhost' subscription='subscribed'/></subscriptions>`,
          OWNER
        )
      )
      await bernardo.receives(state('bernardo@localhost', 'subscribed'))
      const answer = await bernardo.request(options('bernardo@localhost'))
      assert.match(answer.toString(), /pubsub#expire.*?<value>\d{4}-/)
    })
  })

  test('XEP-0060 §12.5: a temporary subscription lasts as long as the presence that the service sees', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ notify_sub: '1' }))
      const temporary = { expire: 'presence' }
      await isRefused(
        francisco,
        subscribeWith(FRANCISCO, temporary),
        'auth not-authorized presence-subscription-required'
      )
      francisco.write(`<presence to='${SERVICE}'/>`)
      await does(francisco, subscribeWith(FRANCISCO, temporary))
      await hamlet.receives(state(FRANCISCO, 'subscribed'))
      await does(francisco, subscribeWith(BARRACKS, temporary))
      await hamlet.receives(state(BARRACKS, 'subscribed'))
      await isRefused(
        francisco,
        subscribeWith(`${FRANCISCO}/elsewhere`, temporary),
        'auth not-authorized presence-subscription-required'
      )
      await does(hamlet, publish('one'))
      await francisco.receives(`<message to='${FRANCISCO}'/>`)
      await francisco.receives(`<message to='${BARRACKS}'/>`)
      // the end of the session is told by the server of the account (RFC 6121 §4.6.3)
      await francisco.close()
      const ends = [BARRACKS, FRANCISCO].map(jid => state(jid, 'none'))
      for (const end of ends.reverse()) await hamlet.receives(end)

      // §12.5: an owner may make all subscriptions temporary
      const tempsub = iq(
        'set',
        `<configure node='${NODE}'>${chosen({ tempsub: '1' }).replace(FORM_TYPE, `${PUBSUB}#node_config`)}</configure>`,
        OWNER
      )
      await does(hamlet, tempsub)
      await isRefused(
        bernardo,
        subscribe('bernardo@localhost'),
        'auth not-authorized presence-subscription-required'
      )
      bernardo.write(`<presence to='${SERVICE}'/>`)
      await does(bernardo, subscribe('bernardo@localhost'))
      await hamlet.receives(state('bernardo@localhost', 'subscribed'))
      bernardo.write(`<presence to='${SERVICE}' type='unavailable'/>`)
      await bernardo.receives(state('bernardo@localhost', 'none'))
    })
  })
})
