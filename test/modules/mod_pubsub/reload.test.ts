import assert from 'node:assert/strict'
import test from 'node:test'
import { create, does, event, NODE, onEachDatabase, play, publish, startPubsub, subscribe } from './lib'

const ROUNDS = 10
const EACH = 40

onEachDatabase(database => {
  test('the module is swapped while items are published: nothing is lost, doubled or out of order', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe('francisco@localhost'))
      for (let round = 0; round < ROUNDS; round++) {
        const numbers = Array.from({ length: EACH }, (_, i) => round * EACH + i)
        hamlet.write(numbers.map(n => publish(`n${n}`).replace('<iq', `<iq id='q${n}'`)).join(''))
        const report = await server.server.api.modules.reload('pubsub')
        assert.ok(report.ok, report.message)
      }
      for (let n = 0; n < ROUNDS * EACH; n++) {
        await hamlet.receives(`<iq type='result' id='q${n}'/>`)
        await francisco.receives(event(`<items node='${NODE}'><item id='n${n}'/></items>`))
      }
      await francisco.receivesNothing()
    })
    assert.deepEqual(server.errors(), [])
  })
})
