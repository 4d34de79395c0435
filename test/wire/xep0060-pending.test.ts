import test from 'node:test'
import {
  ADMIN,
  affiliate,
  asks,
  create,
  does,
  event,
  NODE,
  onEachDatabase,
  play,
  PUBSUB,
  SERVICE,
  STANZAS,
  startPubsub,
  subscribe,
  iq,
  OWNER
} from '../modules/mod_pubsub/lib'
import { join } from '../lib/wire'
import { hasFeatures, info, startWithCommands } from './xep0060-lib'

const COMMANDS = 'http://jabber.org/protocol/commands'
const GET_PENDING = `${PUBSUB}#get-pending`
const AUTHORIZATION = `${PUBSUB}#subscribe_authorization`
const execute = (inside = '', session = ''): string =>
  `<iq type='set' to='${SERVICE}'><command xmlns='${COMMANDS}' node='${GET_PENDING}' action='execute'${session}>${inside}</command></iq>`
/** Without FORM_TYPE, as in example 182. */
const named = (node: string): string =>
  `<x xmlns='jabber:x:data' type='submit'><field var='pubsub#node'><value>${node}</value></field></x>`
const listed = (nodes: string[], session = 'session'): string =>
  `<iq type='result'><command xmlns='${COMMANDS}' node='${GET_PENDING}' sessionid='{${session}}' status='executing'>
     <x xmlns='jabber:x:data' type='form'>
       <field var='FORM_TYPE' type='hidden'><value>${AUTHORIZATION}</value></field>
       <field var='pubsub#node' type='list-single' t:ordered='yes'>${nodes.map(node => `<option><value>${node}</value></option>`).join('')}</field></x></command></iq>`
const refused = (type: string, condition: string): string =>
  `<iq type='error'><error type='${type}'><${condition} xmlns='${STANZAS}'/></error></iq>`
const asked = (jid: string, node = NODE, id = '*'): string =>
  `<message from='${SERVICE}' type='normal' id='${id}'><x xmlns='jabber:x:data' type='form'>
     <field var='FORM_TYPE' type='hidden'><value>${AUTHORIZATION}</value></field>
     <field var='pubsub#node'><value>${node}</value></field>
     <field var='pubsub#subscriber_jid'><value>${jid}</value></field>
     <field var='pubsub#allow' type='boolean'><value>0</value></field></x></message>`
const submit = (fields: string, type = 'submit'): string =>
  `<message to='${SERVICE}' id='{request}'><x xmlns='jabber:x:data' type='${type}'>
     <field var='FORM_TYPE' type='hidden'><value>${AUTHORIZATION}</value></field>${fields}</x></message>`
const decides = (jid: string, allow: string, more = ''): string =>
  submit(
    `<field var='pubsub#node'><value>${NODE}</value></field>
     <field var='pubsub#subscriber_jid'><value>${jid}</value></field>
     <field var='pubsub#allow'><value>${allow}</value></field>${more}`
  )
const state = (jid: string, now: string): string =>
  event(`<subscription node='${NODE}' jid='${jid}' subscription='${now}'/>`)

onEachDatabase(database => {
  test('XEP-0060 §8.7: an owner asks for the requests that wait, and is asked about each once more', async t => {
    const server = await startWithCommands(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await asks(francisco, info(), hasFeatures([GET_PENDING]))
      for (const node of [NODE, 'news_from_elsinore', 'quiet'])
        await does(hamlet, create({ access_model: 'authorize' }, node))
      await does(francisco, subscribe('francisco@localhost'))
      await does(bernardo, subscribe('bernardo@localhost'))
      await does(bernardo, subscribe('bernardo@localhost', 'news_from_elsinore'))
      await hamlet.forgets()
      await asks(hamlet, execute(), listed([NODE, 'news_from_elsinore']))
      await asks(
        hamlet,
        execute(named(NODE), ` sessionid='{session}'`),
        `<iq type='result'><command xmlns='${COMMANDS}' sessionid='{session}' status='completed'/></iq>`
      )
      await hamlet.receives(asked('francisco@localhost', NODE, '{request}'))
      await hamlet.receives(asked('bernardo@localhost'))
      await hamlet.receivesNothing()
      hamlet.write(decides('francisco@localhost', '1').replace('{request}', 'x'))
      await francisco.receives(state('francisco@localhost', 'subscribed'))
    })
  })

  test('XEP-0060 §8.7.3: whoever has nothing to decide, and nodes that are not there', async t => {
    const server = await startWithCommands(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ access_model: 'authorize' }))
      await asks(francisco, execute(), refused('cancel', 'forbidden')) // §8.7.3.3
      await does(francisco, create({}, 'own'))
      await asks(francisco, execute(), listed([]))
      await asks(francisco, execute(named(NODE), ` sessionid='{session}'`), refused('cancel', 'forbidden'))
      await asks(francisco, execute(), listed([], 'second'))
      await asks(
        francisco,
        execute(named('nowhere'), ` sessionid='{second}'`),
        refused('cancel', 'item-not-found') // §8.7.3.4
      )
      // administrators decide on all nodes
      await does(francisco, subscribe('francisco@localhost'))
      const polonius = await join(server, 'polonius', { jid: ADMIN, presence: true })
      t.after(() => polonius.destroy())
      await asks(polonius, execute(), listed([NODE]))
      await does(polonius, execute(named(NODE), ` sessionid='{session}'`))
      await polonius.receives(asked('francisco@localhost'))
    })
  })

  test('XEP-0060 §8.7.4: a change of affiliation decides over a request', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ access_model: 'authorize' }))
      await does(francisco, subscribe('francisco@localhost'))
      await does(bernardo, subscribe('bernardo@localhost'))
      await does(hamlet, affiliate('francisco@localhost', 'publisher'))
      await francisco.receives(state('francisco@localhost', 'subscribed'))
      await does(hamlet, affiliate('bernardo@localhost', 'outcast'))
      await bernardo.receives(state('bernardo@localhost', 'none'))
    })
  })

  test('XEP-0060 §8.6: allow, deny, cancel; the first answer counts, by form or by request', async t => {
    const server = await startPubsub(t, database, { multiSubscribe: true })
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ access_model: 'authorize' }))
      await does(francisco, subscribe('francisco@localhost'))
      // with SubIDs the form says which request it is about
      await hamlet.receives(
        `<message id='{request}'><x xmlns='jabber:x:data' type='form'>
           <field var='pubsub#subid' type='hidden'><value>{subid}</value></field></x></message>`
      )
      // a form of type cancel leaves the request where it is, also an empty one
      hamlet.write(`<message to='${SERVICE}' id='x'><x xmlns='jabber:x:data' type='cancel'/></message>`)
      await asks(
        francisco,
        iq('get', '<subscriptions/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions><subscription subid='{subid2}' subscription='pending'/></subscriptions></pubsub></iq>`
      )
      // somebody who may not decide
      bernardo.write(decides('francisco@localhost', '1').replace('{request}', 'y'))
      await bernardo.receives(
        `<message type='error' id='y'><error type='auth'><forbidden xmlns='${STANZAS}'/></error></message>`
      )
      // §8.6: pubsub#allow is looked at
      hamlet.write(
        submit(`<field var='pubsub#node'><value>${NODE}</value></field>`).replace('{request}', 'z')
      )
      await hamlet.receives(
        `<message type='error' id='z'><error type='modify'><bad-request xmlns='${STANZAS}'/></error></message>`
      )
      await does(
        hamlet,
        iq(
          'set',
          `<subscriptions node='${NODE}'><subscription jid='francisco@localhost' subscription='subscribed'/></subscriptions>`,
          OWNER
        )
      )
      await francisco.receives(
        event(`<subscription node='${NODE}' jid='francisco@localhost' subid='*' subscription='subscribed'/>`)
      )
      // too late
      hamlet.write(decides('francisco@localhost', 'false').replace('{request}', 'late'))
      await hamlet.receivesNothing()
      await francisco.receivesNothing()
      await does(bernardo, subscribe('bernardo@localhost'))
      await hamlet.receives(asked('bernardo@localhost'))
      hamlet.write(decides('bernardo@localhost', 'false').replace('{request}', 'no'))
      await bernardo.receives(
        event(`<subscription node='${NODE}' jid='bernardo@localhost' subid='*' subscription='none'/>`)
      )
    })
  })
})
