import test from 'node:test'
import type { ConfigChanges, DefinitionOptions, ErrorName, Node } from '../../../modules/lib_pubsub'
import { ERRORS, PubsubError, STANDARD_ACCESS } from '../../../modules/lib_pubsub'
import assert from 'node:assert/strict'
import { actor, BARD, Bench, BERNARDO, entry, FRANCISCO, HAMLET, NODE } from './harness'

interface Case {
  clause: string
  error: ErrorName
  feature?: string
  options?: DefinitionOptions<Node, unknown>
  config?: ConfigChanges
  affiliations?: Record<string, string>
  before?: (bench: Bench) => Promise<unknown>
  request: (bench: Bench) => Promise<unknown>
}

const item = { id: 'a', payload: entry() }
const gone = 'no-such-node'

/** The table of XEP-0060 §4.1: who may not. */
const forbidden: [string, string[], (bench: Bench, jid: string) => Promise<unknown>][] = [
  ['§7.1.3.1 publish', ['member', 'none', 'outcast'], (b, jid) => b.publish(jid, 'b')],
  [
    '§7.2.3.1 retract of others',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) => b.service.retract(b.store, actor(jid), { node: NODE, ids: ['a'] })
  ],
  [
    '§8.5.3.2 purge',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) => b.service.purge(b.store, actor(jid), { node: NODE })
  ],
  [
    '§8.4.3.1 delete',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) => b.service.delete(b.store, actor(jid), { node: NODE })
  ],
  [
    '§8.2.3.2 get configuration',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) => b.service.configuration(b.store, actor(jid), { node: NODE })
  ],
  [
    '§8.2.3.2 configure',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) => b.service.configure(b.store, actor(jid), { node: NODE, config: { title: 'x' } })
  ],
  [
    '§8.8.1.3 list subscriptions',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) => b.service.subscriptionsTo(b.store, actor(jid), { node: NODE })
  ],
  [
    '§8.8.2.3 change subscriptions',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) =>
      b.service.changeSubscriptions(b.store, actor(jid), { node: NODE, changes: [{ jid, state: 'none' }] })
  ],
  [
    '§8.6 approve',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) => b.service.decide(b.store, actor(jid), { node: NODE, jid, allow: true })
  ],
  [
    '§8.9.1.3 list affiliations',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) => b.service.affiliations(b.store, actor(jid), { node: NODE })
  ],
  [
    '§8.9.2.3 change affiliations',
    ['publisher', 'publish-only', 'member', 'none', 'outcast'],
    (b, jid) =>
      b.service.changeAffiliations(b.store, actor(jid), {
        node: NODE,
        changes: [{ jid, affiliation: 'owner' }]
      })
  ],
  ['§6.1.3.8 subscribe', ['publish-only', 'outcast'], (b, jid) => b.subscribe(jid)],
  ['§6.5.9.10 items', ['publish-only', 'outcast'], (b, jid) => b.ids(jid)]
]

for (const [clause, affiliations, request] of forbidden) {
  for (const affiliation of affiliations) {
    test(`${clause}: forbidden to ${affiliation}`, async () => {
      const bench = await new Bench().node({}, affiliation === 'none' ? {} : { [FRANCISCO]: affiliation })
      await bench.publish(HAMLET, 'a')
      await bench.refuses(request(bench, FRANCISCO), 'forbidden')
    })
  }
}

/** Each operation on a node that is not there. */
const operations: [string, (bench: Bench, node: string) => Promise<unknown>][] = [
  ['§6.1.3.12 subscribe', (b, node) => b.service.subscribe(b.store, actor(HAMLET), { node, jid: HAMLET })],
  ['§6.2.3.4 unsubscribe', (b, node) => b.service.unsubscribe(b.store, actor(HAMLET), { node, jid: HAMLET })],
  ['§6.5.9.11 items', (b, node) => b.service.items(b.store, actor(HAMLET), { node })],
  ['§7.1.3.3 publish', (b, node) => b.service.publish(b.store, actor(HAMLET), { node, item })],
  ['§7.2.3.2 retract', (b, node) => b.service.retract(b.store, actor(HAMLET), { node, ids: ['a'] })],
  ['§8.2.3.5 get configuration', (b, node) => b.service.configuration(b.store, actor(HAMLET), { node })],
  ['§8.2.3.5 configure', (b, node) => b.service.configure(b.store, actor(HAMLET), { node, config: {} })],
  ['§8.4.3.2 delete', (b, node) => b.service.delete(b.store, actor(HAMLET), { node })],
  ['§8.5.3.4 purge', (b, node) => b.service.purge(b.store, actor(HAMLET), { node })],
  ['§8.6 approve', (b, node) => b.service.decide(b.store, actor(HAMLET), { node, jid: BARD, allow: true })],
  ['§8.8.1.3 list subscriptions', (b, node) => b.service.subscriptionsTo(b.store, actor(HAMLET), { node })],
  [
    '§8.8.2.3 change subscriptions',
    (b, node) => b.service.changeSubscriptions(b.store, actor(HAMLET), { node, changes: [] })
  ],
  ['§8.9.1.3 list affiliations', (b, node) => b.service.affiliations(b.store, actor(HAMLET), { node })],
  [
    '§8.9.2.3 change affiliations',
    (b, node) => b.service.changeAffiliations(b.store, actor(HAMLET), { node, changes: [] })
  ],
  ['§5.6 own subscriptions', (b, node) => b.service.subscriptionsOf(b.store, actor(HAMLET), { node })],
  ['§5.7 own affiliations', (b, node) => b.service.affiliationsOf(b.store, actor(HAMLET), { node })],
  ['§5.3 metadata', (b, node) => b.service.metadata(b.store, actor(HAMLET), { node })]
]

for (const [clause, request] of operations) {
  test(`${clause}: no such node`, async () => {
    const bench = await new Bench().node()
    await bench.refuses(request(bench, gone), 'nodeNotFound')
  })

  test(`${clause}: §6.1.3.11 the node has moved`, async () => {
    const bench = await new Bench().node()
    const redirect = 'xmpp:hamlet@denmark.lit?;node=blog'
    await bench.service.delete(bench.store, actor(HAMLET), { node: NODE, redirect })
    await bench.refuses(request(bench, NODE), 'nodeMoved', { uri: redirect })
  })
}

const cases: Case[] = [
  {
    clause: '§6.1.3.1 another bare JID',
    error: 'invalidJid',
    request: b => b.service.subscribe(b.store, actor(FRANCISCO), { node: NODE, jid: `${BERNARDO}/x` })
  },
  {
    clause: '§6.1.3.4 not on the whitelist',
    error: 'closedNode',
    config: { access_model: 'whitelist' },
    request: b => b.subscribe(FRANCISCO)
  },
  {
    clause: '§6.1.3.7 pending',
    error: 'pendingSubscription',
    config: { access_model: 'authorize' },
    before: b => b.subscribe(FRANCISCO),
    request: b => b.subscribe(FRANCISCO)
  },
  {
    clause: '§6.1.3.7 pending with another resource',
    error: 'pendingSubscription',
    config: { access_model: 'authorize' },
    before: b => b.subscribe(`${FRANCISCO}/barracks`),
    request: b => b.subscribe(FRANCISCO)
  },
  {
    clause: '§6.1.3.9 too many',
    error: 'tooManySubscriptions',
    options: { limits: { subscriptions: 2 } },
    before: async b => {
      await b.subscribe(`${FRANCISCO}/1`)
      await b.subscribe(`${FRANCISCO}/2`)
    },
    request: b => b.subscribe(`${FRANCISCO}/3`)
  },
  {
    clause: '§6.1.3.10 no subscriptions',
    error: 'unsupported',
    feature: 'subscribe',
    config: { subscribe: false },
    request: b => b.subscribe(FRANCISCO)
  },
  {
    clause: '§6.2.3.2 not subscribed',
    error: 'notSubscribed',
    before: b => b.subscribe(`${FRANCISCO}/barracks`),
    request: b => b.service.unsubscribe(b.store, actor(FRANCISCO), { node: NODE, jid: FRANCISCO })
  },
  {
    clause: "§6.2.3.3 somebody else's subscription",
    error: 'forbidden',
    before: b => b.subscribe(BERNARDO),
    request: b => b.service.unsubscribe(b.store, actor(FRANCISCO), { node: NODE, jid: BERNARDO })
  },
  {
    clause: '§6.5.9.3 authorize, not subscribed',
    error: 'readersSubscribe',
    config: { access_model: 'authorize' },
    request: b => b.ids(FRANCISCO)
  },
  {
    clause: '§6.5.9.3 authorize, pending',
    error: 'readersSubscribe',
    config: { access_model: 'authorize' },
    before: b => b.subscribe(FRANCISCO),
    request: b => b.ids(FRANCISCO)
  },
  {
    clause: '§6.5.1 whitelist, on it but not subscribed',
    error: 'readersSubscribe',
    config: { access_model: 'whitelist' },
    affiliations: { [FRANCISCO]: 'member' },
    request: b => b.ids(FRANCISCO)
  },
  {
    clause: '§6.5.9.4 nothing is kept',
    error: 'unsupported',
    feature: 'persistent-items',
    config: { persist_items: false },
    request: b => b.ids(HAMLET)
  },
  {
    clause: '§6.5.9.8 not on the whitelist',
    error: 'closedNode',
    config: { access_model: 'whitelist' },
    request: b => b.ids(FRANCISCO)
  },
  {
    clause: '§6.5.6 too many ids',
    error: 'notAcceptable',
    options: { limits: { batch: 2 } },
    request: b => b.service.items(b.store, actor(HAMLET), { node: NODE, ids: ['a', 'b', 'c'] })
  },
  {
    clause: 'XEP-0059 §2.4 after an item that is not there',
    error: 'pageNotFound',
    before: b => b.publish(HAMLET, 'a'),
    request: b => b.service.items(b.store, actor(HAMLET), { node: NODE, page: { after: 'z' } })
  },
  {
    clause: 'XEP-0059 §2.4 before an item that is not there',
    error: 'pageNotFound',
    before: b => b.publish(HAMLET, 'a'),
    request: b => b.service.items(b.store, actor(HAMLET), { node: NODE, page: { before: 'z' } })
  },
  {
    clause: 'XEP-0059 after and before',
    error: 'badRequest',
    before: b => b.publish(HAMLET, 'a'),
    request: b => b.service.items(b.store, actor(HAMLET), { node: NODE, page: { before: '', after: 'a' } })
  },
  {
    clause: 'XEP-0059 §2.6 an index far from both ends',
    error: 'indexNotSupported',
    options: { limits: { scan: 1 } },
    before: async b => {
      for (const id of ['a', 'b', 'c', 'd', 'e']) await b.publish(HAMLET, id)
    },
    request: b => b.service.items(b.store, actor(HAMLET), { node: NODE, page: { index: 2 } })
  },
  {
    clause: 'XEP-0059 a list after no key',
    error: 'pageNotFound',
    request: b => b.service.affiliations(b.store, actor(HAMLET), { node: NODE, page: { after: 'x' } })
  },
  {
    clause: 'XEP-0059 §2.6 a list by index',
    error: 'indexNotSupported',
    request: b => b.service.affiliationsOf(b.store, actor(HAMLET), { page: { index: 1 } })
  },
  {
    clause: '§7.1.3.1 publish model subscribers, not subscribed',
    error: 'forbidden',
    config: { publish_model: 'subscribers' },
    affiliations: { [FRANCISCO]: 'member' },
    request: b => b.publish(FRANCISCO, 'a')
  },
  {
    clause: '§7.1.3.1 publish model subscribers, pending',
    error: 'forbidden',
    config: { publish_model: 'subscribers', access_model: 'authorize' },
    before: b => b.subscribe(FRANCISCO),
    request: b => b.publish(FRANCISCO, 'a')
  },
  {
    clause: '§7.1.3.1 publish model open, outcast',
    error: 'forbidden',
    config: { publish_model: 'open' },
    affiliations: { [FRANCISCO]: 'outcast' },
    request: b => b.publish(FRANCISCO, 'a')
  },
  {
    clause: '§7.1.3.4 full',
    error: 'nodeFull',
    config: { max_items: 1, publish_node_full: 'reject' },
    before: b => b.publish(HAMLET, 'a'),
    request: b => b.publish(HAMLET, 'b')
  },
  {
    clause: '§7.1.3.5 too big for the node',
    error: 'payloadTooBig',
    config: { max_payload_size: 100 },
    request: b => b.publish(HAMLET, 'a', 'x'.repeat(100))
  },
  {
    clause: '§7.1.3.5 too big in bytes, not in characters',
    error: 'payloadTooBig',
    config: { max_payload_size: 100 },
    request: b => b.publish(HAMLET, 'a', '€'.repeat(20))
  },
  {
    clause: '§7.1.3.5 too big for the service',
    error: 'payloadTooBig',
    options: { limits: { payload: 100 } },
    request: b => b.publish(HAMLET, 'a', 'x'.repeat(100))
  },
  {
    clause: '§7.1.3.6 another namespace',
    error: 'invalidPayload',
    config: { type: 'urn:xmpp:other' },
    request: b => b.publish(HAMLET, 'a')
  },
  {
    clause: '§7.1.3.7 persistent, no item',
    error: 'itemRequired',
    request: b => b.service.publish(b.store, actor(HAMLET), { node: NODE })
  },
  {
    clause: '§7.1.3.7 persistent notification, no item',
    error: 'itemRequired',
    config: { deliver_payloads: false },
    request: b => b.service.publish(b.store, actor(HAMLET), { node: NODE })
  },
  {
    clause: '§7.1.3.7 persistent payload, no payload',
    error: 'payloadRequired',
    request: b => b.service.publish(b.store, actor(HAMLET), { node: NODE, item: { id: 'a' } })
  },
  {
    clause: '§7.1.3.7 transient payload, no payload',
    error: 'payloadRequired',
    config: { persist_items: false },
    request: b => b.service.publish(b.store, actor(HAMLET), { node: NODE, item: {} })
  },
  {
    clause: '§7.1.3.7 transient payload, no item',
    error: 'payloadRequired',
    config: { persist_items: false },
    request: b => b.service.publish(b.store, actor(HAMLET), { node: NODE })
  },
  {
    clause: '§7.1.3.7 transient notification, an item',
    error: 'itemForbidden',
    config: { persist_items: false, deliver_payloads: false },
    request: b => b.service.publish(b.store, actor(HAMLET), { node: NODE, item: {} })
  },
  {
    clause: '§12.9 an id too long',
    error: 'invalidItemId',
    request: b => b.publish(HAMLET, 'é'.repeat(512))
  },
  { clause: '§12.9 an empty id', error: 'invalidItemId', request: b => b.publish(HAMLET, '') },
  {
    clause: '§7.1.5 precondition not met',
    error: 'preconditionNotMet',
    request: b =>
      b.service.publish(b.store, actor(HAMLET), { node: NODE, item, options: { access_model: 'whitelist' } })
  },
  {
    clause: '§7.1.5 precondition unknown',
    error: 'preconditionNotMet',
    request: b => b.service.publish(b.store, actor(HAMLET), { node: NODE, item, options: { 'x-other': '1' } })
  },
  {
    clause: '§7.2.3.2 no such item',
    error: 'itemNotFound',
    before: b => b.publish(HAMLET, 'a'),
    request: b => b.service.retract(b.store, actor(HAMLET), { node: NODE, ids: ['a', 'b'] })
  },
  {
    clause: "§12.11 one of several is somebody else's",
    error: 'forbidden',
    affiliations: { [FRANCISCO]: 'publisher' },
    before: async b => {
      await b.publish(FRANCISCO, 'a')
      await b.publish(HAMLET, 'b')
    },
    request: b => b.service.retract(b.store, actor(FRANCISCO), { node: NODE, ids: ['a', 'b'] })
  },
  {
    clause: '§7.2.3.4 no id',
    error: 'itemRequired',
    request: b => b.service.retract(b.store, actor(HAMLET), { node: NODE, ids: [] })
  },
  {
    clause: '§12.11 too many',
    error: 'maxItemsExceeded',
    options: { limits: { batch: 1 } },
    request: b => b.service.retract(b.store, actor(HAMLET), { node: NODE, ids: ['a', 'b'] })
  },
  {
    clause: '§7.2.3.5 nothing is kept',
    error: 'unsupported',
    feature: 'persistent-items',
    config: { persist_items: false },
    request: b => b.service.retract(b.store, actor(HAMLET), { node: NODE, ids: ['a'] })
  },
  {
    clause: '§8.1.1 the node exists',
    error: 'nodeExists',
    request: b => b.service.create(b.store, actor(FRANCISCO), { node: NODE })
  },
  {
    clause: '§8.1.1 no instant nodes',
    error: 'noInstantNodes',
    options: { instantNodes: false },
    request: b => b.service.create(b.store, actor(HAMLET), {})
  },
  {
    clause: '§8.1.1 who may create nodes',
    error: 'registrationRequired',
    options: {
      hooks: {
        mayCreate: ({ bare }) => {
          if (bare !== HAMLET) throw new PubsubError('registrationRequired')
        }
      }
    },
    request: b => b.service.create(b.store, actor(FRANCISCO), { node: 'x' })
  },
  {
    clause: '§8.1.2 no such access model',
    error: 'unsupportedAccessModel',
    request: b => b.service.create(b.store, actor(HAMLET), { node: 'x', config: { access_model: 'roster' } })
  },
  {
    clause: '§8.2 no such access model',
    error: 'unsupportedAccessModel',
    request: b =>
      b.service.configure(b.store, actor(HAMLET), { node: NODE, config: { access_model: 'toString' } })
  },
  {
    clause: '§4.6.2 an empty name',
    error: 'invalidNodeId',
    request: b => b.service.create(b.store, actor(HAMLET), { node: '' })
  },
  {
    clause: '§4.6.2 a name of 1024 bytes',
    error: 'invalidNodeId',
    request: b => b.service.create(b.store, actor(HAMLET), { node: 'x'.repeat(1024) })
  },
  {
    clause: '§4.6.2 a control character',
    error: 'invalidNodeId',
    request: b => b.service.create(b.store, actor(HAMLET), { node: 'a\tb' })
  },
  {
    clause: '§4.6.2 decomposed letters',
    error: 'invalidNodeId',
    request: b => b.service.create(b.store, actor(HAMLET), { node: 'cafe\u0301' })
  },
  {
    clause: '§8.4.1 a redirect without end',
    error: 'notAcceptable',
    request: b => b.service.delete(b.store, actor(HAMLET), { node: NODE, redirect: 'x'.repeat(3072) })
  },
  {
    clause: '§8.5.3.3 nothing is kept',
    error: 'unsupported',
    feature: 'persistent-items',
    config: { persist_items: false },
    request: b => b.service.purge(b.store, actor(HAMLET), { node: NODE })
  },
  {
    clause: '§8.8.2.4 the same address twice',
    error: 'badRequest',
    request: b =>
      b.service.changeSubscriptions(b.store, actor(HAMLET), {
        node: NODE,
        changes: [
          { jid: BARD, state: 'none' },
          { jid: BARD, state: 'subscribed' }
        ]
      })
  },
  {
    clause: '§8.9.2.4 the same address twice',
    error: 'badRequest',
    request: b =>
      b.service.changeAffiliations(b.store, actor(HAMLET), {
        node: NODE,
        changes: [
          { jid: BARD, affiliation: 'member' },
          { jid: BARD, affiliation: 'member' }
        ]
      })
  },
  {
    clause: '§8.9.2 too many at once',
    error: 'notAcceptable',
    options: { limits: { batch: 1 } },
    request: b =>
      b.service.changeAffiliations(b.store, actor(HAMLET), {
        node: NODE,
        changes: [{ jid: BARD }, { jid: FRANCISCO }]
      })
  },
  {
    clause: '§8.9.2.3.2 no such affiliation, although the others are good',
    error: 'unsupported',
    feature: 'moderator-affiliation',
    request: b =>
      b.service.changeAffiliations(b.store, actor(HAMLET), {
        node: NODE,
        changes: [
          { jid: BARD, affiliation: 'member' },
          { jid: FRANCISCO, affiliation: 'moderator' }
        ]
      })
  }
]

for (const { clause, error, feature, options, config, affiliations, before, request } of cases) {
  test(`${clause}: ${error}`, async () => {
    const bench = await new Bench(options).node(config, affiliations)
    await before?.(bench)
    await bench.refuses(request(bench), error, feature ? { feature } : {})
  })
}

test('an access model that is no longer offered admits nobody new', async () => {
  const bench = await new Bench().node({ access_model: 'authorize' })
  const { open } = STANDARD_ACCESS
  const later = new Bench({ access: { open } })
  Object.assign(later, { store: bench.store })
  await later.refuses(later.subscribe(FRANCISCO), 'closedNode')
  assert.equal((await later.subscribe(HAMLET)).result.state, 'subscribed')
})

test('the error table has the conditions of the examples (XEP-0060 §6 to §8)', () => {
  const row = ({ type, condition, ...rest }: (typeof ERRORS)[ErrorName]) =>
    [type, condition, ...('app' in rest ? [rest.app] : [])].join(' ')
  assert.equal(row(ERRORS.invalidJid), 'modify bad-request invalid-jid')
  assert.equal(row(ERRORS.closedNode), 'cancel not-allowed closed-node')
  assert.equal(row(ERRORS.pendingSubscription), 'auth not-authorized pending-subscription')
  assert.equal(row(ERRORS.tooManySubscriptions), 'wait policy-violation too-many-subscriptions')
  assert.equal(row(ERRORS.notSubscribed), 'cancel unexpected-request not-subscribed')
  assert.equal(row(ERRORS.readersSubscribe), 'auth not-authorized not-subscribed')
  assert.equal(row(ERRORS.nodeFull), 'cancel conflict node-full')
  assert.equal(row(ERRORS.payloadTooBig), 'modify not-acceptable payload-too-big')
  assert.equal(row(ERRORS.noInstantNodes), 'modify not-acceptable nodeid-required')
  assert.equal(row(ERRORS.nodeIdRequired), 'modify bad-request nodeid-required')
  assert.equal(row(ERRORS.preconditionNotMet), 'cancel conflict precondition-not-met')
  assert.equal(row(ERRORS.unsupported), 'cancel feature-not-implemented unsupported')
})
