import assert from 'node:assert/strict'
import test from 'node:test'
import type { Player } from '../lib/wire'
import {
  asks,
  create,
  does,
  iq,
  isRefused,
  NODE,
  onEachDatabase,
  play,
  publish,
  PUBSUB,
  RSM,
  startPubsub
} from '../modules/mod_pubsub/lib'
import { hasFeatures, info } from './xep0060-lib'

const ORDER = 'urn:xmpp:order-by:1'
const order = (by: string, desc?: string): string =>
  `<order xmlns='${ORDER}' by='${by}'${desc === undefined ? '' : ` desc='${desc}'`}/>`
const page = (inside: string): string => `<set xmlns='${RSM}'><max>2</max>${inside}</set>`
const items = (more: string, attrs = ''): string => iq('get', `<items node='${NODE}'${attrs}/>${more}`)

/** Ids of the items in the answer, and where the page is: `C A, 2 of 4`. */
async function listed(player: Player, request: string): Promise<string> {
  const text = (await player.request(request)).toString()
  const ids = [...text.matchAll(/<item id="(\w)"/g)].map(match => match[1])
  const [, index] = /<first index="(\d+)"/.exec(text) ?? []
  const [, count] = /<count>(\d+)</.exec(text) ?? []
  return count === undefined ? ids.join(' ') : `${ids.join(' ')}, ${index} of ${count}`
}

/** The node of the XEP's example: C was overwritten after D, and A even later. */
async function balcony(hamlet: Player): Promise<void> {
  await does(hamlet, create())
  for (const id of ['A', 'B', 'C', 'D', 'C', 'A']) await does(hamlet, publish(id))
}

onEachDatabase(database => {
  test('XEP-0413 §6: both features are in disco#info', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await asks(hamlet, info(), hasFeatures([ORDER, `${ORDER}@${PUBSUB}`]))
    })
  })

  test('XEP-0413 §4.1, §4.2, §4.4: items by creation and modification, either way round', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await balcony(hamlet)
      const cases: [string, string][] = [
        [order('creation'), 'A B C D'],
        [order('creation', 'true'), 'D C B A'],
        [order('creation', '1'), 'D C B A'],
        [order('creation', 'false'), 'A B C D'],
        [order('modification'), 'B D C A'],
        [order('modification', 'true'), 'A C D B'],
        // §7: of two the first decides
        [order('creation', 'true') + order('modification'), 'D C B A']
      ]
      for (const [asked, wanted] of cases) assert.equal(await listed(hamlet, items(asked)), wanted, asked)
      // §4.1: the three newest by creation, the newest first
      const three = (by: string, desc: string): Promise<string> =>
        listed(hamlet, items(order(by, desc), " max_items='3'"))
      assert.equal(await three('creation', 'true'), 'D C B')
      assert.equal(await three('creation', 'false'), 'B C D')
      assert.equal(await three('modification', 'true'), 'A C D')
      // deleted and published anew, an item is a new one
      await does(hamlet, iq('set', `<retract node='${NODE}'><item id='B'/></retract>`))
      await does(hamlet, publish('B'))
      assert.equal(await listed(hamlet, items(order('creation'))), 'A C D B')
    })
  })

  test('XEP-0413 §4.5: pages in the order that was asked for', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await balcony(hamlet)
      const cases: [string, string][] = [
        [order('modification') + page(''), 'B D, 0 of 4'], // example 7
        [order('modification') + page('<after>D</after>'), 'C A, 2 of 4'], // example 9
        [order('creation', 'true') + page(''), 'D C, 0 of 4'], // example 11
        [order('creation', 'true') + page('<after>C</after>'), 'B A, 2 of 4'], // example 13
        [order('creation', 'true') + page('<before/>'), 'B A, 2 of 4'],
        [order('creation', 'true') + page('<before>A</before>'), 'C B, 1 of 4'],
        [order('creation', 'true') + page('<index>1</index>'), 'C B, 1 of 4'],
        [order('creation', 'true') + page('<index>3</index>'), 'A, 3 of 4'],
        [order('creation') + page('<index>1</index>'), 'B C, 1 of 4'],
        [order('creation') + page('<before>D</before>'), 'B C, 1 of 4'],
        [order('modification', 'true') + page('<after>C</after>'), 'D B, 2 of 4']
      ]
      for (const [asked, wanted] of cases) assert.equal(await listed(hamlet, items(asked)), wanted, asked)
    })
  })

  test('XEP-0413 §4.6: other orders, and orders where there is nothing to order', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await balcony(hamlet)
      await isRefused(hamlet, items(order('{urn:x}size')), 'cancel feature-not-implemented')
      await isRefused(hamlet, items(`<order xmlns='${ORDER}'/>`), 'modify bad-request')
      await isRefused(hamlet, items(order('creation', 'perhaps')), 'modify bad-request')
      await isRefused(hamlet, iq('get', `<subscriptions/>${order('creation')}`), 'modify bad-request')
      await isRefused(hamlet, items(order('creation') + page('<after>Z</after>')), 'cancel item-not-found')
    })
  })
})
