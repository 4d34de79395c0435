import assert from 'node:assert/strict'
import test from 'node:test'
import { join } from '../../lib/wire'
import {
  ADMIN,
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
  STANZAS,
  startPubsub,
  subscribe
} from './lib'

const AUTHORIZATION = `${PUBSUB}#subscribe_authorization`
const unsubscribe = (jid: string): string => iq('set', `<unsubscribe node='${NODE}' jid='${jid}'/>`)
const list = (what: string, ns = OWNER): string => iq('get', `<${what} node='${NODE}'/>`, ns)
const enlist = (jid: string, state: string): string =>
  iq(
    'set',
    `<subscriptions node='${NODE}'><subscription jid='${jid}' subscription='${state}'/></subscriptions>`,
    OWNER
  )
const isSubscribed = (jid: string, state = 'subscribed'): string =>
  `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscription node='${NODE}' jid='${jid}' subscription='${state}'/></pubsub></iq>`
const hears = (jid: string, state: string): string =>
  event(`<subscription node='${NODE}' jid='${jid}' subscription='${state}'/>`)
const decision = (jid: string, allow: string, type = 'submit'): string =>
  `<message to='${SERVICE}' id='{request}'><x xmlns='jabber:x:data' type='${type}'>
     <field var='FORM_TYPE' type='hidden'><value>${AUTHORIZATION}</value></field>
     <field var='pubsub#node'><value>${NODE}</value></field>
     <field var='pubsub#subscriber_jid'><value>${jid}</value></field>
     <field var='pubsub#allow'><value>${allow}</value></field></x></message>`
const requestFor = (jid: string): string =>
  `<message from='${SERVICE}' type='normal' id='{request}'><x xmlns='jabber:x:data' type='form'>
     <field var='FORM_TYPE' type='hidden'><value>${AUTHORIZATION}</value></field>
     <field var='pubsub#node'><value>${NODE}</value></field>
     <field var='pubsub#subscriber_jid'><value>${jid}</value></field>
     <field var='pubsub#allow' type='boolean'><value>0</value></field></x></message>`

onEachDatabase(database => {
  test('XEP-0060 §6.1, §6.2: whoever may subscribes addresses of their own, and leaves', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await isRefused(francisco, subscribe('francisco@localhost'), 'cancel item-not-found')
      await does(hamlet, create())
      await isRefused(francisco, subscribe('bernardo@localhost'), 'modify bad-request invalid-jid')
      await isRefused(francisco, subscribe('@'), 'modify bad-request invalid-jid')
      await isRefused(francisco, iq('set', `<subscribe node='${NODE}'/>`), 'modify bad-request invalid-jid')
      for (const jid of ['francisco@localhost', 'Francisco@LOCALHOST', 'francisco@localhost/barracks'])
        await asks(francisco, subscribe(jid), isSubscribed(jid.toLowerCase()))
      await asks(
        francisco,
        iq('get', '<subscriptions/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions t:exact='yes'>
           <subscription node='${NODE}' jid='francisco@localhost' subscription='subscribed'/>
           <subscription node='${NODE}' jid='francisco@localhost/barracks' subscription='subscribed'/></subscriptions></pubsub></iq>`
      )
      // one for each address that is subscribed
      await does(hamlet, publish('one'))
      await francisco.receives(event(`<items node='${NODE}'><item id='one'/></items>`))
      await francisco.receives(event(`<items node='${NODE}'><item id='one'/></items>`))
      await isRefused(hamlet, unsubscribe('francisco@localhost'), 'auth forbidden')
      await isRefused(hamlet, unsubscribe('hamlet@localhost'), 'cancel unexpected-request not-subscribed')
      await does(francisco, unsubscribe('francisco@localhost/barracks'))
      await does(francisco, unsubscribe('francisco@localhost'))
      await francisco.forgets()
      await does(hamlet, publish('two'))
      await francisco.receivesNothing()
      await asks(
        francisco,
        list('subscriptions', PUBSUB),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions t:exact='yes' node='${NODE}'/></pubsub></iq>`
      )
    })
  })

  test('§6.1.3.9: an account has so many subscriptions and no more', async t => {
    const server = await startPubsub(t, database, { subscriptionsPerUser: 2 })
    await play(server, async ({ hamlet, francisco }) => {
      for (const node of ['a', 'b', 'c']) await does(hamlet, create({}, node))
      await does(francisco, subscribe('francisco@localhost', 'a'))
      await does(francisco, subscribe('francisco@localhost/x', 'b'))
      await isRefused(
        francisco,
        subscribe('francisco@localhost', 'c'),
        'wait policy-violation too-many-subscriptions'
      )
      await does(hamlet, subscribe('hamlet@localhost', 'c'))
    })
  })

  test('§6.1.7: the last item comes with the subscription, with its time', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ send_last_published_item: 'on_sub' }))
      for (const id of ['one', 'two']) await does(hamlet, publish(id))
      await does(francisco, subscribe('francisco@localhost'))
      await francisco.receives(
        `<message to='francisco@localhost'><event xmlns='${PUBSUB}#event'><items node='${NODE}'><item id='two'/></items></event>
           <delay xmlns='urn:xmpp:delay' stamp='*Z'/></message>`
      )
      await francisco.receivesNothing()
    })
  })

  test('§6.1.4, §8.6: an owner is asked, and answers by submitting the form', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ access_model: 'authorize' }))
      await does(hamlet, publish('one'))
      await asks(francisco, subscribe('francisco@localhost'), isSubscribed('francisco@localhost', 'pending'))
      await hamlet.receives(requestFor('francisco@localhost'))
      await isRefused(francisco, subscribe('francisco@localhost'), 'auth not-authorized pending-subscription')
      await isRefused(francisco, iq('get', `<items node='${NODE}'/>`), 'auth not-authorized not-subscribed')
      // nobody else decides, and a cancelled form decides nothing
      await bernardo.sends(decision('francisco@localhost', '1'))
      await bernardo.receives(
        `<message type='error' from='${SERVICE}'><error type='auth'><forbidden xmlns='${STANZAS}'/></error></message>`
      )
      await hamlet.sends(decision('francisco@localhost', '1', 'cancel'))
      await hamlet.sends(`<message to='${SERVICE}'><x xmlns='jabber:x:data' type='cancel'/></message>`)
      await hamlet.receivesNothing()
      await francisco.receivesNothing()
      await hamlet.sends(decision('francisco@localhost', 'true'))
      await francisco.receives(hears('francisco@localhost', 'subscribed'))
      // the first answer counts (§12.13)
      await hamlet.sends(decision('francisco@localhost', '0'))
      await francisco.receivesNothing()
      await asks(
        francisco,
        iq('get', `<items node='${NODE}'/>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items><item id='one'/></items></pubsub></iq>`
      )
      await asks(bernardo, subscribe('bernardo@localhost'), isSubscribed('bernardo@localhost', 'pending'))
      await hamlet.receives(`<message type='normal' id='{request2}'/>`)
      await hamlet.sends(decision('bernardo@localhost', 'false'))
      await bernardo.receives(hears('bernardo@localhost', 'none'))
      await asks(
        hamlet,
        list('subscriptions'),
        `<iq type='result'><pubsub xmlns='${OWNER}'><subscriptions t:exact='yes' node='${NODE}'><subscription jid='francisco@localhost' subscription='subscribed'/></subscriptions></pubsub></iq>`
      )
    })
  })

  test('messages that are no answers', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      const refused = (type: string, condition: string): string =>
        `<message type='error' from='${SERVICE}'><error type='${type}'><${condition} xmlns='${STANZAS}'/></error></message>`
      await hamlet.sends(`<message to='${SERVICE}'><body>Hello?</body></message>`)
      await hamlet.receives(refused('cancel', 'service-unavailable'))
      await hamlet.sends(decision('@', '1'))
      await hamlet.receives(refused('modify', 'bad-request'))
      await hamlet.sends(decision('francisco@localhost', 'perhaps'))
      await hamlet.receives(refused('modify', 'bad-request'))
      await hamlet.sends(decision('francisco@localhost', '1').replaceAll(NODE, 'nowhere'))
      await hamlet.receives(refused('cancel', 'item-not-found'))
      // about somebody who has not asked
      await hamlet.sends(decision('francisco@localhost', '1'))
      await hamlet.sends(`<message to='${SERVICE}' type='headline'><body>News!</body></message>`)
      await hamlet.receivesNothing()
    })
  })

  test('§4.5: a whitelist keeps strangers out of everything', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ access_model: 'whitelist' }))
      await does(hamlet, publish('one'))
      await isRefused(francisco, subscribe('francisco@localhost'), 'cancel not-allowed closed-node')
      await isRefused(francisco, iq('get', `<items node='${NODE}'/>`), 'cancel not-allowed closed-node')
      await does(hamlet, affiliate('francisco@localhost', 'member'))
      await francisco.receives(
        event(
          `<affiliations node='${NODE}'><affiliation jid='francisco@localhost' affiliation='member'/></affiliations>`
        )
      )
      await does(francisco, subscribe('francisco@localhost'))
      // an outcast is told that it is over, and nothing else
      await does(hamlet, affiliate('francisco@localhost', 'outcast'))
      await francisco.receives(hears('francisco@localhost', 'none'))
      await francisco.forgets()
      await isRefused(francisco, subscribe('francisco@localhost'), 'auth forbidden')
      await isRefused(francisco, iq('get', `<items node='${NODE}'/>`), 'auth forbidden')
      await does(hamlet, publish('two'))
      await francisco.receivesNothing()
      // opened again for all but the outcast
      const open = `<configure node='${NODE}'>${configuration({ access_model: 'open' })}</configure>`
      await does(hamlet, iq('set', open, OWNER))
      await does(bernardo, subscribe('bernardo@localhost'))
      await isRefused(francisco, subscribe('francisco@localhost'), 'auth forbidden')
    })
  })

  test('§8.9: affiliations by the state chart; the last owner stays', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create())
      await isRefused(francisco, list('affiliations'), 'auth forbidden')
      await isRefused(francisco, affiliate('bernardo@localhost', 'member'), 'auth forbidden')
      await does(hamlet, affiliate('francisco@localhost', 'publisher'))
      await does(francisco, publish('by francisco'))
      const refused = (jid: string, affiliation: string): string =>
        `<iq type='error'><pubsub xmlns='${OWNER}'><affiliations node='${NODE}'><affiliation t:exact='yes' jid='${jid}' affiliation='${affiliation}'/></affiliations></pubsub>
           <error type='modify'><not-acceptable xmlns='${STANZAS}'/></error></iq>`
      await asks(hamlet, affiliate('hamlet@localhost', 'none'), refused('hamlet@localhost', 'owner'))
      await asks(
        hamlet,
        affiliate('francisco@localhost', 'member'),
        refused('francisco@localhost', 'publisher')
      )
      await asks(
        hamlet,
        affiliate('bernardo@localhost/barracks', 'member'),
        refused('bernardo@localhost/barracks', 'none')
      )
      await isRefused(hamlet, affiliate('bernardo@localhost', 'king'), 'modify bad-request')
      const both = `<affiliations node='${NODE}'><affiliation jid='hamlet@localhost' affiliation='member'/><affiliation jid='bernardo@localhost' affiliation='owner'/></affiliations>`
      await asks(hamlet, iq('set', both, OWNER), refused('hamlet@localhost', 'owner'))
      await bernardo.receives(
        event(
          `<affiliations node='${NODE}'><affiliation jid='bernardo@localhost' affiliation='owner'/></affiliations>`
        )
      )
      await does(hamlet, affiliate('hamlet@localhost', 'none'))
      await asks(
        bernardo,
        list('affiliations'),
        `<iq type='result'><pubsub xmlns='${OWNER}'><affiliations t:exact='yes' node='${NODE}'>
           <affiliation jid='francisco@localhost' affiliation='publisher'/>
           <affiliation jid='bernardo@localhost' affiliation='owner'/></affiliations></pubsub></iq>`
      )
      const twice = `<affiliation jid='francisco@localhost' affiliation='none'/>`
      await isRefused(
        bernardo,
        iq('set', `<affiliations node='${NODE}'>${twice}${twice}</affiliations>`, OWNER),
        'modify bad-request'
      )
    })
  })

  test('§8.8: an owner manages subscriptions; owners hear of it where they want to', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ notify_sub: '1', access_model: 'authorize' }))
      await does(hamlet, enlist('francisco@localhost', 'subscribed'))
      await francisco.receives(hears('francisco@localhost', 'subscribed'))
      await hamlet.receives(hears('francisco@localhost', 'subscribed'))
      await does(bernardo, subscribe('bernardo@localhost'))
      await hamlet.receives(requestFor('bernardo@localhost'))
      await isRefused(bernardo, enlist('bernardo@localhost', 'subscribed'), 'auth forbidden')
      await does(hamlet, enlist('bernardo@localhost', 'subscribed'))
      await bernardo.receives(hears('bernardo@localhost', 'subscribed'))
      await does(hamlet, enlist('bernardo@localhost', 'none'))
      await bernardo.receives(hears('bernardo@localhost', 'none'))
      await asks(
        hamlet,
        enlist('bernardo@localhost', 'unconfigured'),
        `<iq type='error'><pubsub xmlns='${OWNER}'><subscriptions node='${NODE}'><subscription jid='bernardo@localhost' subscription='none'/></subscriptions></pubsub>
           <error type='modify'><not-acceptable xmlns='${STANZAS}'/></error></iq>`
      )
      await isRefused(hamlet, enlist('bernardo@localhost', 'maybe'), 'modify bad-request')
      await isRefused(francisco, list('subscriptions'), 'auth forbidden')
    })
  })

  test('lists of many come in pages, forwards and backwards', async t => {
    const server = await startPubsub(t, database, { pageSize: 40 })
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      const names = Array.from({ length: 95 }, (_, i) => `m${String(i).padStart(2, '0')}@localhost`)
      const members = names.map(jid => `<affiliation jid='${jid}' affiliation='member'/>`)
      await does(hamlet, iq('set', `<affiliations node='${NODE}'>${members.join('')}</affiliations>`, OWNER))
      const subscriptions = names.map(jid => `<subscription jid='${jid}' subscription='subscribed'/>`)
      await does(
        hamlet,
        iq('set', `<subscriptions node='${NODE}'>${subscriptions.join('')}</subscriptions>`, OWNER)
      )
      for (const what of ['affiliations', 'subscriptions']) {
        for (const way of ['after', 'before']) {
          const found: string[] = []
          for (let from = way === 'after' ? undefined : ''; ;) {
            const at = from === undefined ? '' : `<${way}>${from}</${way}>`
            const set = `<set xmlns='http://jabber.org/protocol/rsm'><max>30</max>${at}</set>`
            const answer = (
              await hamlet.request(iq('get', `<${what} node='${NODE}'/>${set}`, OWNER))
            ).toString()
            const page = [...answer.matchAll(/jid="(m[^"]*)"/g)].map(match => match[1] as string)
            if (way === 'after') found.push(...page)
            else found.unshift(...page)
            from = (way === 'after' ? /<last>(.*?)</ : /<first[^>]*>(.*?)</).exec(answer)?.[1]
            if (from === undefined) break
          }
          assert.deepEqual(found, names, `${what} by ${way}`)
        }
      }
    })
  })

  test('an administrator subscribes and unsubscribes others', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      const admin = await join(server, 'admin', { jid: `${ADMIN}/x` }, hamlet.vars)
      t.after(() => admin.destroy())
      await does(hamlet, create())
      await does(admin, subscribe('francisco@localhost'))
      await does(hamlet, publish('one'))
      await francisco.receives(event(`<items node='${NODE}'><item id='one'/></items>`))
      await does(admin, unsubscribe('francisco@localhost'))
      await francisco.receives(hears('francisco@localhost', 'none'))
    })
  })
})
