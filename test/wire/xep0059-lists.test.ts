import test from 'node:test'
import {
  asks,
  create,
  does,
  iq,
  NODE,
  onEachDatabase,
  OWNER,
  play,
  publish,
  PUBSUB,
  RSM,
  SERVICE,
  startPubsub,
  subscribe
} from '../modules/mod_pubsub/lib'

const set = (inside: string): string => `<set xmlns='${RSM}'>${inside}</set>`
const ITEMS = 'http://jabber.org/protocol/disco#items'
const nodes = (inside: string): string =>
  `<iq type='get' to='${SERVICE}'><query xmlns='${ITEMS}'>${set(inside)}</query></iq>`
const found = (names: string[], inside: string): string => {
  const items = names.map(name => `<item jid='${SERVICE}' node='${name}'/>`)
  return `<iq type='result'><query xmlns='${ITEMS}' t:exact='yes'>${items.join('')}${set(inside)}</query></iq>`
}

onEachDatabase(database => {
  test('XEP-0059 §2.7: whoever asks for the count alone is told it, of every list', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe('francisco@localhost'))
      await does(francisco, subscribe('francisco@localhost/barracks'))
      const count = (n: number): string => `<set xmlns='${RSM}' t:exact='yes'><count>${n}</count></set>`
      const lists: [typeof hamlet, string, string, number][] = [
        [francisco, PUBSUB, '<subscriptions/>', 2],
        [francisco, PUBSUB, `<subscriptions node='${NODE}'/>`, 2],
        [hamlet, PUBSUB, '<affiliations/>', 1],
        [hamlet, OWNER, `<subscriptions node='${NODE}'/>`, 2],
        [hamlet, OWNER, `<affiliations node='${NODE}'/>`, 1]
      ]
      for (const [player, ns, list, number] of lists) {
        const answer = `<iq type='result'><pubsub xmlns='${ns}'>${list.replace('/>', ` t:exact='yes'/>`)}${count(number)}</pubsub></iq>`
        await asks(player, iq('get', list + set('<max>0</max>'), ns), answer)
      }
      await asks(
        francisco,
        nodes('<max>0</max>'),
        `<iq type='result'><query xmlns='${ITEMS}'>${count(1)}</query></iq>`
      )
    })
  })

  test('XEP-0059 §2.2: a page of nodes begins and ends with what is in it; nodes that are not shown are not counted', async t => {
    const server = await startPubsub(t, database, { pageSize: 2 })
    await play(server, async ({ hamlet, francisco }) => {
      const access = { A: 'open', B: 'whitelist', C: 'whitelist', D: 'whitelist', E: 'open', F: 'whitelist' }
      for (const [name, access_model] of Object.entries(access))
        await does(hamlet, create({ access_model }, name))
      await asks(francisco, nodes(''), found(['A'], `<first index='0'>{a}</first><last>{a}</last>`))
      // two pages of nodes that are not shown are between them
      await asks(francisco, nodes('<after>{a}</after>'), found(['E'], '<first>{e}</first><last>{e}</last>'))
      await asks(francisco, nodes('<before>{e}</before>'), found(['A'], '<first>{a}</first><last>{a}</last>'))
      await asks(francisco, nodes('<before/>'), found(['E'], '<first>{e}</first><last>{e}</last>'))
      await asks(francisco, nodes('<after>{e}</after>'), found([], ''))
    })
  })

  test('XEP-0059 §2.2, §4: items that are asked for by id are no result set of pages, and not called one', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      for (const id of ['one', 'two', 'three']) await does(hamlet, publish(id))
      const ids = `<items node='${NODE}'><item id='two'/><item id='one'/></items>`
      await asks(
        hamlet,
        iq('get', ids + set('<max>10</max>')),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'>${ids}<set xmlns='${RSM}' t:absent='yes'/></pubsub></iq>`
      )
    })
  })

  test('XEP-0059 §2.7: nor are they where the count alone is asked for', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      for (const name of ['A', 'B']) await does(hamlet, create({ access_model: 'whitelist' }, name))
      await does(hamlet, create({}, 'C'))
      await asks(francisco, nodes('<max>0</max>'), found([], '<count>1</count>'))
      await asks(
        francisco,
        nodes(''),
        found(['C'], `<first index='0'>{c}</first><last>{c}</last><count>1</count>`)
      )
      await asks(hamlet, nodes('<max>0</max>'), found([], '<count>3</count>'))
    })
  })
})
