// time limit: 300 s
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Player } from '../lib/wire'
import {
  affiliate,
  ATOM,
  configuration,
  create,
  does,
  entry,
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

/** Whoever means ill to a pubsub host: nothing comes of it, nothing is given away, and nobody else notices. */

const FRANCISCO = 'francisco@localhost'
const BERNARDO = 'bernardo@localhost'
const HAMLET = 'hamlet@localhost'

/** What the owner sees of a node. */
async function whole(owner: Player, node = NODE): Promise<string> {
  const seen: string[] = []
  for (const request of [
    iq('get', `<items node='${node}'/>`),
    iq('get', `<affiliations node='${node}'/>`, OWNER),
    iq('get', `<subscriptions node='${node}'/>`, OWNER),
    iq('get', `<configure node='${node}'/>`, OWNER)
  ])
    seen.push((await owner.request(request)).children.join(''))
  return seen.join('\n')
}

/** Each is refused with an error that is not the server's fault. */
async function allRefused(player: Player, requests: readonly string[]): Promise<void> {
  for (const request of requests) {
    const answer = await player.request(request)
    const told = `${request.slice(0, 500)}\n${String(answer).slice(0, 1000)}`
    assert.equal(answer.attrs.type, 'error', told)
    assert.doesNotMatch(told, /internal-server-error/)
  }
}

/** Everything that only some may do. */
function everything(node = NODE, id = 'one'): string[] {
  return [
    publish('x', 'x', node),
    publish(id, 'x', node),
    publish(undefined, 'x', node),
    iq('set', `<retract node='${node}'><item id='${id}'/></retract>`),
    affiliate(BERNARDO, 'owner', node),
    affiliate(FRANCISCO, 'owner', node),
    affiliate(HAMLET, 'outcast', node),
    iq('set', `<configure node='${node}'>${configuration({ title: 'x' })}</configure>`, OWNER),
    iq('get', `<configure node='${node}'/>`, OWNER),
    iq('set', `<delete node='${node}'/>`, OWNER),
    iq('set', `<delete node='${node}'><redirect uri='xmpp:evil.lit'/></delete>`, OWNER),
    iq('set', `<purge node='${node}'/>`, OWNER),
    iq('get', `<affiliations node='${node}'/>`, OWNER),
    iq('get', `<subscriptions node='${node}'/>`, OWNER),
    iq(
      'set',
      `<subscriptions node='${node}'><subscription jid='${BERNARDO}' subscription='subscribed'/></subscriptions>`,
      OWNER
    )
  ]
}

onEachDatabase(database => {
  test('names: each is itself alone, byte for byte; those that are none make no node', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(hamlet, publish('one', 'Alone'))
      const before = await whole(hamlet)
      const near = [
        NODE.toUpperCase(),
        `${NODE} `,
        ` ${NODE}`,
        `${NODE}/`,
        `${NODE}\u200b`,
        NODE.replace('i', 'í'),
        NODE.replace('s', 'ß'),
        NODE.replace('p', 'ｐ'),
        '../princely_musings',
        '__proto__',
        'constructor',
        '%',
        '_',
        '&apos; OR 1=1 -- '
      ]
      for (const name of near) {
        await allRefused(francisco, everything(name))
        await does(francisco, create({}, name))
        await does(francisco, publish('one', name, name))
      }
      for (const name of near) {
        const read = String(await hamlet.request(iq('get', `<items node='${name}'/>`)))
        assert.equal(read.split('<item ').length, 2, read)
      }
      await allRefused(francisco, [
        create({}, 'e\u0301'),
        create({}, 'a&#9;b'),
        create({}, 'x'.repeat(3072)),
        create({}, 'é'.repeat(600)),
        ...everything('x'.repeat(3072)),
        ...everything(''),
        ...everything(`xmpp:${SERVICE}?;node=${NODE}`)
      ])
      assert.equal(await whole(hamlet), before)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('whoever has no right has it in no way: subscriber, publisher, outcast, nobody', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ access_model: 'authorize' }))
      await does(hamlet, publish('one', 'secret'))
      await allRefused(francisco, everything())
      const asked = await francisco.request(subscribe(FRANCISCO))
      assert.match(String(asked), /subscription="pending"/)
      await allRefused(francisco, everything())
      const before = await whole(hamlet)
      // he answers for himself
      const allow = (node: string, jid: string, to: string, subid = ''): string =>
        `<message to='${to}'><x xmlns='jabber:x:data' type='submit'>
          <field var='FORM_TYPE'><value>${PUBSUB}#subscribe_authorization</value></field>
          <field var='pubsub#node'><value>${node}</value></field>${subid}
          <field var='pubsub#subscriber_jid'><value>${jid}</value></field>
          <field var='pubsub#allow'><value>1</value></field></x></message>`
      for (const player of [francisco, bernardo]) {
        await player.sends(allow(NODE, FRANCISCO, SERVICE))
        await player.sends(allow(NODE, FRANCISCO, `${SERVICE}/x`))
        await player.sends(allow('nowhere', FRANCISCO, SERVICE))
        await player.sends(allow(NODE, 'not@a@jid', SERVICE))
      }
      await francisco.fence(SERVICE)
      await bernardo.fence(SERVICE)
      assert.equal(await whole(hamlet), before)
      // for others
      await allRefused(bernardo, [
        subscribe(FRANCISCO),
        subscribe(`${FRANCISCO}/barracks`),
        subscribe('localhost'),
        subscribe(SERVICE),
        subscribe('@'),
        subscribe('x'.repeat(4000)),
        iq('set', `<unsubscribe node='${NODE}' jid='${FRANCISCO}'/>`),
        iq('get', `<options node='${NODE}' jid='${FRANCISCO}'/>`),
        iq(
          'set',
          `<options node='${NODE}' jid='${FRANCISCO}'>${configuration({ deliver: '0' }, `${PUBSUB}#subscribe_options`)}</options>`
        )
      ])
      await does(hamlet, affiliate(BERNARDO, 'outcast'))
      await allRefused(bernardo, [
        ...everything(),
        subscribe(BERNARDO),
        subscribe(`${BERNARDO}/barracks`),
        iq('get', `<items node='${NODE}'/>`)
      ])
      await does(hamlet, affiliate(FRANCISCO, 'publisher'))
      await allRefused(francisco, everything().slice(3))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('what one may not read is as if it were not there', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ access_model: 'whitelist' }))
      await does(hamlet, publish('secret', 'secret'))
      for (const request of [
        (id: string) => iq('get', `<items node='${NODE}'><item id='${id}'/></items>`),
        (id: string) => iq('get', `<items node='${NODE}'/><set xmlns='${RSM}'><after>${id}</after></set>`),
        (id: string) => publish(id),
        (id: string) => iq('set', `<retract node='${NODE}'><item id='${id}'/></retract>`)
      ]) {
        const [there, not] = [
          await francisco.request(request('secret')),
          await francisco.request(request('nothing'))
        ]
        assert.equal(there.children.join(''), not.children.join(''))
        assert.equal(there.attrs.type, 'error')
      }
      const listed = String(
        await francisco.request(
          `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
        )
      )
      assert.doesNotMatch(listed, new RegExp(NODE))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('items: several payloads, ids that are none, too much; places of other nodes', async t => {
    const server = await startPubsub(t, database, { payloadBytes: 4096 })
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      await does(hamlet, create({ type: ATOM }, 'atom'))
      for (const id of ['a', 'b', 'c']) await does(hamlet, publish(id))
      await does(hamlet, publish('elsewhere', 'x', 'atom'))
      const before = await whole(hamlet)
      const item = (inside: string, attrs = '', node = NODE): string =>
        iq('set', `<publish node='${node}'><item ${attrs}>${inside}</item></publish>`)
      const page = (inside: string): string =>
        iq('get', `<items node='${NODE}'/><set xmlns='${RSM}'>${inside}</set>`)
      await allRefused(hamlet, [
        item(`${entry('a')}${entry('b')}`),
        item(''),
        item('text'),
        item(`<x xmlns='urn:x'>${'y'.repeat(4096)}</x>`),
        item(`<x xmlns='urn:x'/>`, '', 'atom'),
        item(entry('x'), `id='${'x'.repeat(513)}'`),
        item(entry('x'), `id='${'é'.repeat(257)}'`),
        iq(
          'set',
          `<publish node='${NODE}'><item id='a'>${entry('x')}</item><item id='b'>${entry('x')}</item></publish>`
        ),
        iq('set', `<publish node='${NODE}'/>`),
        iq('set', `<retract node='${NODE}'/>`),
        iq('set', `<retract node='${NODE}'><item/></retract>`),
        iq('set', `<retract node='${NODE}'>${"<item id='a'/>".repeat(1)}<item id='nothing'/></retract>`),
        iq('get', `<items node='${NODE}' max_items='-1'/>`),
        iq('get', `<items node='${NODE}' max_items='x'/>`),
        iq('get', `<items node='${NODE}' max_items='1e3'/>`),
        iq(
          'get',
          `<items node='${NODE}'>${Array.from({ length: 3000 }, (_, i) => `<item id='${i}'/>`).join('')}</items>`
        ),
        page('<after>elsewhere</after>'),
        page('<after>nothing</after>'),
        page('<before>elsewhere</before>'),
        page(`<after>${'x'.repeat(5000)}</after>`),
        page('<max>-1</max>'),
        page('<max>x</max>')
      ])
      assert.equal(await whole(hamlet), before)
      // large numbers are no more than there is (XEP-0059 §6: unsignedInt; XEP-0060 §17.1: positiveInteger)
      for (const request of [
        iq('get', `<items node='${NODE}' max_items='4294967295'/>`),
        page('<max>4294967295</max>')
      ]) {
        const answer = String(await hamlet.request(request))
        assert.equal(answer.match(/<item /g)?.length, 3, answer)
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('forms and lists: what is no value, twice the same, far too many', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      const before = await whole(hamlet)
      const field = (name: string, ...values: string[]): string =>
        `<field var='${name}'>${values.map(value => `<value>${value}</value>`).join('')}</field>`
      const form = (inside: string, formType = `${PUBSUB}#node_config`, type = 'submit'): string =>
        iq(
          'set',
          `<configure node='${NODE}'><x xmlns='jabber:x:data' type='${type}'>${field('FORM_TYPE', formType)}${inside}</x></configure>`,
          OWNER
        )
      const affiliations = (inside: string): string =>
        iq('set', `<affiliations node='${NODE}'>${inside}</affiliations>`, OWNER)
      const subscriptions = (inside: string): string =>
        iq('set', `<subscriptions node='${NODE}'>${inside}</subscriptions>`, OWNER)
      const many = (count: number): string =>
        Array.from(
          { length: count },
          (_, i) => `<affiliation jid='u${i}@localhost' affiliation='member'/>`
        ).join('')
      const bad: Record<string, string[]> = {
        max_items: ['0', '-1', '1.5', 'x', '10001', '9'.repeat(30), 'Max'],
        item_expire: ['0', '-1', '9'.repeat(30), 'never'],
        max_payload_size: ['0', '-1', '65537', '9'.repeat(30), 'max'],
        access_model: ['', 'x', '__proto__', 'constructor', 'OPEN'],
        publish_model: ['', 'x', 'toString'],
        publish_node_full: ['x'],
        notification_type: ['error', 'chat', 'x'],
        persist_items: ['yes', '2', 'TRUE'],
        contact: ['not a jid@', '@'],
        send_last_published_item: ['always'],
        node_type: ['collection'],
        title: ['x'.repeat(1025)],
        description: ['x'.repeat(8193)]
      }
      await allRefused(hamlet, [
        ...Object.entries(bad).flatMap(([name, values]) =>
          values.map(value => form(field(`pubsub#${name}`, value)))
        ),
        form(field('pubsub#title', 'a', 'b')),
        form(field('pubsub#title', 'a') + field('pubsub#title', 'b')),
        form(field('pubsub#contact', ...Array.from({ length: 21 }, (_, i) => `u${i}@localhost`))),
        form(field('pubsub#title', 'x'), `${PUBSUB}#meta-data`),
        form(field('pubsub#title', 'x'), `${PUBSUB}#node_config`, 'result'),
        form(Array.from({ length: 2000 }, (_, i) => field(`x${i}`, 'y')).join('')),
        iq('set', `<configure node='${NODE}'/>`, OWNER),
        affiliations(many(2000)),
        affiliations(many(1) + many(1)),
        affiliations(`<affiliation jid='${BERNARDO}' affiliation='__proto__'/>`),
        affiliations(`<affiliation jid='${BERNARDO}' affiliation=''/>`),
        affiliations(`<affiliation jid='${HAMLET}' affiliation='none'/>`),
        affiliations(`<affiliation jid='${HAMLET}' affiliation='outcast'/>`),
        subscriptions(`<subscription jid='${BERNARDO}' subscription='constructor'/>`),
        subscriptions(`<subscription jid='@' subscription='subscribed'/>`),
        iq('set', `<create node='x'/><create node='y'/>`),
        iq('set', `<create node='x'/><configure>${configuration({ access_model: 'x' })}</configure>`),
        iq(
          'set',
          `<subscribe node='${NODE}' jid='${HAMLET}'/><publish node='${NODE}'><item>${entry('x')}</item></publish>`
        ),
        `<iq type='set' to='${SERVICE}'><pubsub xmlns='${PUBSUB}'/><pubsub xmlns='${PUBSUB}'/></iq>`,
        `<iq type='set' to='${SERVICE}'><pubsub xmlns='${PUBSUB}#event'/></iq>`
      ])
      assert.equal(await whole(hamlet), before)
      assert.match(String(await hamlet.request(iq('get', `<items node='x'/>`))), /item-not-found/)
      // XEP-0004 §3.1: what nobody knows is passed over
      await does(hamlet, form(field('pubsub#x', 'y')))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('quotas: nodes, subscriptions, items; at once as well as one by one', async t => {
    const server = await startPubsub(t, database, {
      nodesPerUser: 5,
      subscriptionsPerUser: 3,
      itemsPerNode: 4
    })
    await play(server, async ({ hamlet, francisco }) => {
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, i) => hamlet.request(create({}, `n${i}`)))
      )
      assert.equal(made.filter(answer => answer.attrs.type === 'result').length, 5)
      const names = made.flatMap((answer, i) => (answer.attrs.type === 'result' ? [`n${i}`] : []))
      const taken = await Promise.all(names.map(name => francisco.request(subscribe(FRANCISCO, name))))
      assert.equal(taken.filter(answer => answer.attrs.type === 'result').length, 3)
      const [name = ''] = names
      await Promise.all(Array.from({ length: 20 }, (_, i) => hamlet.request(publish(`i${i}`, 'x', name))))
      const read = await hamlet.request(iq('get', `<items node='${name}'/>`))
      assert.equal(read.getChild('pubsub')?.getChild('items')?.children.length, 4)
    })
    assert.deepEqual(server.errors(), [])
  })
})
