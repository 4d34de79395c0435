import assert from 'node:assert/strict'
import test from 'node:test'
import { hasFeatures, info, subscribeWith } from '../../wire/xep0060-lib'
import {
  asks,
  create,
  does,
  event,
  NODE,
  onEachDatabase,
  play,
  publish,
  PUBSUB,
  SERVICE,
  startPubsub
} from './lib'

const FRANCISCO = 'francisco@localhost'

onEachDatabase(database => {
  test('who is there is known to the next version, and to nobody after an end', async t => {
    const server = await startPubsub(t, database)
    const { modules } = server.server.api
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      francisco.write(`<presence to='${SERVICE}'/>`)
      await does(francisco, subscribeWith(FRANCISCO, { expire: 'presence' }))
      const reloaded = await modules.reload('pubsub')
      assert.ok(reloaded.ok, reloaded.message)
      await does(hamlet, publish('one'))
      await francisco.receives(event(`<items node='${NODE}'><item id='one'/></items>`))
      // XEP-0060 §12.5: what was to last until somebody goes is over when nobody could tell
      assert.ok((await modules.unload('pubsub', SERVICE)).ok)
      assert.ok((await modules.load('pubsub', SERVICE)).ok)
      await francisco.receives(event(`<subscription node='${NODE}' jid='${FRANCISCO}' subscription='none'/>`))
    })
  })

  test('XEP-0060 §8.7.3.1, §8.7.3.2: get-pending is there only with commands', async t => {
    const server = await startPubsub(t, database)
    const { modules } = server.server.api
    await play(server, async ({ hamlet }) => {
      const feature = `${PUBSUB}#get-pending`
      await asks(hamlet, info(), hasFeatures([feature]))
      const unloaded = await modules.unload('adhoc', SERVICE)
      assert.ok(unloaded.ok, unloaded.message)
      await asks(hamlet, info(), hasFeatures([], [feature]))
      await asks(
        hamlet,
        `<iq type='set' to='${SERVICE}'><command xmlns='http://jabber.org/protocol/commands' node='${feature}' action='execute'/></iq>`,
        `<iq type='error'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
      )
      await modules.load('adhoc', SERVICE)
      await asks(hamlet, info(), hasFeatures([feature]))
    })
  })
})
