import test from 'node:test'
import {
  asks,
  configuration,
  create,
  does,
  iq,
  isRefused,
  NODE,
  onEachDatabase,
  OWNER,
  play,
  startPubsub
} from '../modules/mod_pubsub/lib'

onEachDatabase(database => {
  test('XEP-0060 §5.4: the language of a node is chosen from a list, or written', async t => {
    const server = await startPubsub(t, database)
    const language = (value: string): string =>
      `<iq type='result'><pubsub xmlns='${OWNER}'><configure node='${NODE}'><x xmlns='jabber:x:data' type='form'>
         <field var='pubsub#language' type='list-single'><value>${value}</value>
           <validate xmlns='http://jabber.org/protocol/xdata-validate'><open/></validate>
           <option label='Italian'><value>it</value></option></field></x></configure></pubsub></iq>`
    const configure = (value: string): string =>
      iq('set', `<configure node='${NODE}'>${configuration({ language: value })}</configure>`, OWNER)
    const shown = iq('get', `<configure node='${NODE}'/>`, OWNER)
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create({ language: 'it' }))
      await asks(hamlet, shown, language('it'))
      await does(hamlet, configure('gsw-CH'))
      await asks(hamlet, shown, language('gsw-CH'))
      await isRefused(hamlet, configure('x'.repeat(65)), 'modify not-acceptable')
      await asks(hamlet, shown, language('gsw-CH'))
    })
  })
})
