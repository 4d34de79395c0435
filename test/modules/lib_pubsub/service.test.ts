import test from 'node:test'
import assert from 'node:assert/strict'
import {
  announce,
  completeConfig,
  type Notification,
  type PageRequest,
  type SubscriptionState
} from '../../../modules/lib_pubsub'
import { actor, BARD, Bench, BERNARDO, entry, FRANCISCO, HAMLET, NODE, told } from './harness'

test('§8.1.1 an instant node has a name of the service, its creator owns it', async () => {
  const bench = new Bench()
  const { result } = await bench.service.create(bench.store, actor(`${HAMLET}/x`), {})
  assert.equal(result.assigned, true)
  assert.equal(result.node.creator, HAMLET)
  assert.equal(bench.store.affiliation(result.node, HAMLET), 'owner')
})

test('§12.12 a service may subscribe the creator', async () => {
  const bench = await new Bench({ subscribeCreator: true }).node()
  assert.equal(await bench.standing(HAMLET), 'owner subscribed')
})

test('a new node has the defaults of its service', async () => {
  const bench = new Bench({ defaults: { access_model: 'whitelist', max_items: 3 } })
  await bench.node({ title: 'T' })
  const config = bench.store.node(NODE)?.config
  assert.deepEqual(
    [config?.access_model, config?.max_items, config?.title, config?.persist_items],
    ['whitelist', 3, 'T', true]
  )
  assert.equal(bench.service.defaultConfiguration().access_model, 'whitelist')
})

test('a configuration that an older version stored is completed', () => {
  const { defaults } = new Bench().service.definition
  const config = completeConfig(defaults, { title: 'T' })
  assert.equal(config.title, 'T')
  assert.equal(config.max_items, 'max')
})

test('§7.1.2 an overwritten item keeps its first date, is the newest and counts once', async () => {
  const bench = await new Bench().node({ max_items: 2 }, { [FRANCISCO]: 'publisher' })
  const first = await bench.publish(HAMLET, 'a')
  await bench.publish(HAMLET, 'b')
  const again = await bench.publish(FRANCISCO, 'a', 'y')
  assert.equal(again.result.previous?.id, 'a')
  assert.equal(again.result.item?.createdAt, first.result.item?.createdAt)
  assert.ok((again.result.item?.updatedAt ?? 0) > (first.result.item?.updatedAt ?? 0))
  assert.equal(again.result.item?.publisher, FRANCISCO)
  assert.deepEqual(await bench.ids(), ['b', 'a'])
})

test('§7.1.2.5 the oldest goes, is retracted or discarded', async () => {
  for (const [publish_node_full, expected] of [
    ['retract-oldest', [`items:c -> ${BARD}`, `retract:a -> ${BARD}`]],
    ['discard-oldest', [`items:c -> ${BARD}`]]
  ] as const) {
    const bench = await new Bench().node({ max_items: 2, publish_node_full })
    await bench.subscribe(BARD)
    await bench.publish(HAMLET, 'a')
    await bench.publish(HAMLET, 'b')
    assert.deepEqual(told(await bench.publish(HAMLET, 'c')), expected)
    assert.deepEqual(await bench.ids(), ['b', 'c'])
  }
})

test('§7.1.2 one list of recipients, one event, whatever the number of subscribers', async () => {
  const bench = await new Bench().node()
  for (const jid of [`${FRANCISCO}/a`, `${FRANCISCO}/b`, BERNARDO, BARD]) await bench.subscribe(jid)
  const { notifications } = await bench.publish(HAMLET, 'a', 'x')
  assert.equal(notifications.length, 1)
  assert.deepEqual(notifications[0], {
    node: NODE,
    recipients: [`${FRANCISCO}/a`, `${FRANCISCO}/b`, BERNARDO, BARD],
    type: 'headline',
    event: { kind: 'items', item: { id: 'a', payload: entry('x').xml } }
  })
})

test('§7.1.2.3 the publisher is named where the node is configured so', async () => {
  const bench = await new Bench().node({ itemreply: 'publisher', notification_type: 'normal' })
  await bench.subscribe(BARD)
  const [notification] = (await bench.publish(`${HAMLET}/x`, 'a')).notifications
  assert.equal(notification?.type, 'normal')
  assert.ok(notification?.event.kind === 'items')
  assert.equal(notification.event.item?.publisher, HAMLET)
})

test('§4.3 notification-only nodes keep the payload to themselves', async () => {
  const bench = await new Bench().node({ deliver_payloads: false })
  await bench.subscribe(BARD)
  const [notification] = (await bench.publish(HAMLET, 'a')).notifications
  assert.deepEqual(notification?.event, { kind: 'items', item: { id: 'a' } })
  const { entries } = await bench.service.items(bench.store, actor(BARD), { node: NODE, ids: ['a'] })
  assert.equal(entries[0]?.payload, entry('x').xml)
})

test('§7.1.5 preconditions that are met', async () => {
  const bench = await new Bench().node({ contact: [HAMLET] })
  const options = { access_model: 'open', persist_items: true, max_items: 'max', contact: [HAMLET] }
  const { result } = await bench.service.publish(bench.store, actor(HAMLET), {
    node: NODE,
    item: { id: 'a', payload: entry() },
    options
  })
  assert.equal(result.id, 'a')
})

test('§7.2 whoever may publish by the publish model may delete what is their own', async () => {
  const bench = await new Bench().node({ publish_model: 'open' })
  await bench.publish(BARD, 'a')
  await bench.publish(FRANCISCO, 'b')
  const retract = (jid: string, id: string) =>
    bench.service.retract(bench.store, actor(jid), { node: NODE, ids: [id] })
  await bench.refuses(retract(BARD, 'b'), 'forbidden')
  await retract(BARD, 'a')
  assert.deepEqual(await bench.ids(), ['b'])
})

test('§7.2.2.1 subscribers hear of a retraction where the node or the request says so', async () => {
  for (const [notify_retract, notify, expected] of [
    [true, false, [`retract:a -> ${BARD}`]],
    [false, true, [`retract:a -> ${BARD}`]],
    [false, false, []]
  ] as const) {
    const bench = await new Bench().node({ notify_retract })
    await bench.subscribe(BARD)
    await bench.publish(HAMLET, 'a')
    const outcome = await bench.service.retract(bench.store, actor(HAMLET), {
      node: NODE,
      ids: ['a'],
      notify
    })
    assert.deepEqual(told(outcome), expected)
  }
})

test('§6.1 and §8.7: a request waits until an owner, or an affiliation, lets it in', async () => {
  const bench = await new Bench().node({ access_model: 'authorize' }, { [BERNARDO]: 'owner' })
  assert.deepEqual(told(await bench.subscribe(BARD)), [`approval:${BARD} -> ${[BERNARDO, HAMLET].join(' ')}`])
  assert.equal(await bench.standing(BARD), 'none pending')
  const decide = (jid: string, allow: boolean) =>
    bench.service.decide(bench.store, actor(HAMLET), { node: NODE, jid, allow })
  assert.deepEqual(told(await decide(BARD, true)), [`subscription:${BARD}=subscribed -> ${BARD}`])
  assert.equal((await bench.subscribe(BARD)).result.state, 'subscribed')
  assert.deepEqual(told(await decide(BARD, false)), [], 'the first answer counts')
  assert.equal(await bench.standing(BARD), 'none subscribed')

  await bench.subscribe(FRANCISCO)
  assert.deepEqual(told(await decide(FRANCISCO, false)), [`subscription:${FRANCISCO}=none -> ${FRANCISCO}`])
  await bench.subscribe(FRANCISCO)
  const changes = [{ jid: FRANCISCO, affiliation: 'publisher' }]
  await bench.service.changeAffiliations(bench.store, actor(HAMLET), { node: NODE, changes })
  assert.equal(await bench.standing(FRANCISCO), 'publisher subscribed')
})

test('§8.9 a ban ends all subscriptions of the entity, and is told to it', async () => {
  const bench = await new Bench().node()
  await bench.subscribe(`${BARD}/1`)
  await bench.subscribe(`${BARD}/2`)
  const changes = [{ jid: BARD, affiliation: 'outcast' }]
  const outcome = await bench.service.changeAffiliations(bench.store, actor(HAMLET), { node: NODE, changes })
  assert.deepEqual(told(outcome).sort(), [
    `affiliation:${BARD}=outcast -> ${BARD}`,
    `subscription:${BARD}/1=none -> ${BARD}/1`,
    `subscription:${BARD}/2=none -> ${BARD}/2`
  ])
  assert.equal(await bench.standing(BARD), 'outcast')
  await bench.refuses(bench.subscribe(BARD), 'forbidden')
})

test('§14.3 a node that closes lets go of those who are not on its list, over many pages', async () => {
  const bench = await new Bench({ limits: { page: 2 } }).node({}, { [BERNARDO]: 'member' })
  const strangers = Array.from({ length: 7 }, (_, i) => `s${i}@x`)
  for (const jid of [...strangers, BERNARDO]) await bench.subscribe(jid)
  const outcome = await bench.service.configure(bench.store, actor(HAMLET), {
    node: NODE,
    config: { access_model: 'whitelist' }
  })
  assert.equal(outcome.notifications.length, strangers.length)
  assert.equal(await bench.standing(strangers[6] ?? ''), 'none')
  assert.equal(await bench.standing(BERNARDO), 'member subscribed')
})

test('§8.2 a smaller node forgets the oldest, one that keeps nothing all', async () => {
  const bench = await new Bench().node()
  for (const id of ['a', 'b', 'c']) await bench.publish(HAMLET, id)
  const configure = (config: Record<string, boolean | number>) =>
    bench.service.configure(bench.store, actor(HAMLET), { node: NODE, config })
  assert.deepEqual((await configure({ max_items: 2 })).result.changed, ['max_items'])
  assert.deepEqual(await bench.ids(), ['b', 'c'])
  await configure({ persist_items: false })
  await configure({ persist_items: true })
  assert.deepEqual(await bench.ids(), [])
})

test('§8.2.5.3 the configuration that is told is the new one; what changes nothing is not told', async () => {
  const bench = await new Bench().node({ notify_config: true, title: 'T' })
  await bench.subscribe(BARD)
  const set = (title: string) =>
    bench.service.configure(bench.store, actor(HAMLET), { node: NODE, config: { title } })
  assert.deepEqual((await set('T')).notifications, [])
  const [notification] = (await set('U')).notifications
  assert.ok(notification?.event.kind === 'configuration')
  assert.equal(notification.event.config?.title, 'U')
})

test('an operator acts as an owner, and stands above the chart, but leaves no node without owner', async () => {
  const bench = await new Bench().node({}, { [BERNARDO]: 'owner' })
  const admin = { ...actor('admin@denmark.lit'), admin: true }
  const change = (jid: string, affiliation: string) =>
    bench.service.changeAffiliations(bench.store, admin, { node: NODE, changes: [{ jid, affiliation }] })
  assert.equal((await change(BERNARDO, 'member')).result.applied.length, 1)
  assert.deepEqual((await change(HAMLET, 'none')).result.rejected, [{ jid: HAMLET, affiliation: 'owner' }])
  const { result } = await bench.service.subscribe(bench.store, admin, { node: NODE, jid: `${BARD}/x` })
  assert.deepEqual([result.jid, result.state], [`${BARD}/x`, 'subscribed'])
  await bench.service.unsubscribe(bench.store, admin, { node: NODE, jid: `${BARD}/x` })
  assert.equal(await bench.standing(BARD), 'none')
  await bench.service.delete(bench.store, admin, { node: NODE })
  assert.equal(bench.store.node(NODE), undefined)
})

test('§4.1 another owner is not dismissed, but may resign', async () => {
  const bench = await new Bench().node({}, { [BERNARDO]: 'owner' })
  const change = (by: string) =>
    bench.service.changeAffiliations(bench.store, actor(by), {
      node: NODE,
      changes: [{ jid: BERNARDO, affiliation: 'none' }]
    })
  assert.deepEqual((await change(HAMLET)).result.rejected, [{ jid: BERNARDO, affiliation: 'owner' }])
  assert.deepEqual((await change(BERNARDO)).result.applied, [{ jid: BERNARDO, affiliation: 'none' }])
})

test('§8.8.2 nobody is subscribed beyond their limit by others', async () => {
  const bench = await new Bench({ limits: { subscriptions: 1 } }).node()
  await bench.subscribe(`${BARD}/1`)
  const { result } = await bench.service.changeSubscriptions(bench.store, actor(HAMLET), {
    node: NODE,
    changes: [{ jid: BARD, state: 'subscribed' }]
  })
  assert.deepEqual(result.rejected, [{ jid: BARD, state: 'none' }])
})

test('§8.4.1 a name that is taken again is no longer redirected', async () => {
  const bench = await new Bench().node()
  await bench.service.delete(bench.store, actor(HAMLET), { node: NODE, redirect: 'xmpp:x' })
  await bench.node()
  await bench.service.delete(bench.store, actor(HAMLET), { node: NODE })
  await bench.refuses(bench.ids(), 'nodeNotFound')
})

const seven = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

async function paged(limits: { page?: number; scan?: number; pageBytes?: number }): Promise<Bench> {
  const bench = await new Bench({ limits }).node()
  for (const id of seven) await bench.publish(HAMLET, id, 'x'.repeat(100))
  return bench
}

async function page(bench: Bench, request: PageRequest, maxItems?: number): Promise<string> {
  const { entries, index, count } = await bench.service.items(bench.store, actor(HAMLET), {
    node: NODE,
    page: request,
    ...(maxItems !== undefined && { maxItems })
  })
  return `${entries.map(item => item.id).join('')} ${index ?? '-'}/${count ?? '-'}`
}

test('XEP-0059 the place of a page is told where it is cheap to know', async () => {
  const bench = await paged({ page: 2, scan: 1 })
  assert.equal(await page(bench, { max: 2 }), 'ab 0/7')
  assert.equal(await page(bench, { before: '' }), 'fg 5/7')
  assert.equal(await page(bench, { after: 'a' }), 'bc 1/7')
  assert.equal(await page(bench, { after: 'b' }), 'cd -/7')
  assert.equal(await page(bench, { before: 'g' }), 'ef 4/7')
  assert.equal(await page(bench, { before: 'f' }), 'de -/7')
  assert.equal(await page(bench, { index: 1 }), 'bc 1/7')
  assert.equal(await page(bench, { index: 5 }), 'fg 5/7')
  assert.equal(await page(bench, { max: 0 }), ' -/7')
  await bench.refuses(page(bench, {}, 4), 'indexNotSupported')
})

test('a page ends where its payloads become too many, and is continued', async () => {
  const bench = await paged({ pageBytes: 310 })
  assert.equal(await page(bench, {}), 'ab 0/7')
  assert.equal(await page(bench, { after: 'b' }), 'cd 2/7')
  assert.equal(await page(bench, { before: '' }), 'fg 5/7')
  const tiny = await paged({ pageBytes: 1 })
  assert.equal(await page(tiny, { after: 'c' }), 'd 3/7')
})

test('XEP-0059 lists of affiliations and subscriptions are paged in both directions', async () => {
  const bench = await new Bench({ limits: { page: 3 } }).node()
  const people = Array.from({ length: 6 }, (_, i) => `p${i}@x`)
  const changes = people.map(jid => ({ jid, affiliation: 'member' }))
  await bench.service.changeAffiliations(bench.store, actor(HAMLET), { node: NODE, changes })
  for (const jid of people) await bench.subscribe(jid)
  const list = (request?: PageRequest) =>
    bench.service.affiliations(bench.store, actor(HAMLET), { node: NODE, ...(request && { page: request }) })

  const first = await list()
  assert.deepEqual(
    first.entries.map(one => one.jid),
    [HAMLET, 'p0@x', 'p1@x']
  )
  assert.deepEqual([first.index, first.count, first.complete], [0, 7, false])
  const second = await list({ after: first.last ?? '' })
  assert.deepEqual(
    second.entries.map(one => one.jid),
    ['p2@x', 'p3@x', 'p4@x']
  )
  const third = await list({ after: second.last ?? '' })
  assert.deepEqual(
    third.entries.map(one => one.jid),
    ['p5@x']
  )
  assert.deepEqual((await list({ before: third.first ?? '' })).entries, second.entries)
  const last = await list({ before: '', max: 2 })
  assert.deepEqual(
    last.entries.map(one => one.jid),
    ['p4@x', 'p5@x']
  )
  assert.equal(last.index, 5)
  assert.deepEqual((await list({ max: 0 })).entries, [])

  const states: SubscriptionState[] = ['subscribed']
  const subs = await bench.service.subscriptionsTo(bench.store, actor(HAMLET), {
    node: NODE,
    states,
    page: { max: 2 }
  })
  assert.deepEqual(
    subs.entries.map(one => `${one.jid} ${one.affiliation}`),
    ['p0@x member', 'p1@x member']
  )
})

test('§5.6, §5.7 an entity finds what is its own, with all its resources', async () => {
  const bench = await new Bench().node({}, { [BARD]: 'member' })
  await bench.service.create(bench.store, actor(HAMLET), { node: 'other' })
  await bench.subscribe(`${BARD}/1`)
  await bench.service.subscribe(bench.store, actor(BARD), { node: 'other', jid: BARD })
  const own = async (node?: string) => {
    const page = await bench.service.subscriptionsOf(bench.store, actor(`${BARD}/2`), {
      ...(node && { node })
    })
    return page.entries.map(one => `${one.node} ${one.jid} ${one.state}`)
  }
  assert.deepEqual(await own(), [`${NODE} ${BARD}/1 subscribed`, `other ${BARD} subscribed`])
  assert.deepEqual(await own('other'), [`other ${BARD} subscribed`])
  const { entries } = await bench.service.affiliationsOf(bench.store, actor(BARD), {})
  assert.deepEqual(
    entries.map(one => `${one.node} ${one.affiliation}`),
    [`${NODE} member`]
  )
})

test('§5.2 the list of nodes leaves out what is closed to the asker', async () => {
  const bench = await new Bench().node({ access_model: 'whitelist' }, { [BARD]: 'member' })
  await bench.service.create(bench.store, actor(HAMLET), { node: 'open' })
  await bench.service.create(bench.store, actor(HAMLET), {
    node: 'asking',
    config: { access_model: 'authorize' }
  })
  const names = async (jid: string, admin = false) =>
    (await bench.service.nodes(bench.store, { ...actor(jid), admin })).entries.map(node => node.name)
  assert.deepEqual(await names(FRANCISCO), ['open', 'asking'])
  assert.deepEqual(await names(BARD), [NODE, 'open', 'asking'])
  assert.deepEqual(await names(HAMLET), [NODE, 'open', 'asking'])
  assert.deepEqual(await names(FRANCISCO, true), [NODE, 'open', 'asking'])
})

test('§10 features follow from the definition', () => {
  const features = new Bench().service.features().map(name => name.split('#')[1] ?? '')
  for (const name of [
    '',
    'access-open',
    'instant-nodes',
    'publish-options',
    'outcast-affiliation',
    'rsm',
    'config-node-max'
  ]) {
    assert.ok(features.includes(name), name)
  }
  // no more than there is
  for (const name of [
    'auto-create',
    'multi-subscribe',
    'subscription-options',
    'last-published',
    'get-pending',
    'owner-affiliation'
  ]) {
    assert.ok(!features.includes(name), name)
  }
  const closed = new Bench({
    instantNodes: false,
    defaults: { access_model: 'whitelist' }
  }).service.features()
  assert.ok(!closed.some(name => name.endsWith('#instant-nodes')))
  assert.ok(closed.some(name => name.endsWith('#access-whitelist')))
})

test('§12.19 a long lease is told of before its end, once; a short one ends without', async () => {
  const DAY = 86_400_000
  let clock = 0
  const bench = new Bench({
    now: () => clock,
    options: { longestLease: 10 * DAY, reminder: DAY, leaseRequired: false, patience: DAY }
  })
  await bench.node()
  const { service, store } = bench
  const lapse = async (): Promise<string[]> => {
    const said: string[] = []
    for (const due of store.due(clock)) {
      const { notifications } = await service.lapse(store, actor('pubsub'), due)
      for (const { event } of notifications) {
        assert.ok(event.kind === 'subscription')
        said.push(`${event.jid} ${event.state} ${event.expiry === undefined ? '' : event.expiry / DAY}`)
      }
    }
    return said
  }
  const lease = (jid: string, days: number) =>
    service.subscribe(store, actor(jid), { node: NODE, jid, options: { expire: clock + days * DAY } })
  await lease(FRANCISCO, 4)
  await lease(BERNARDO, 2)
  await lease(BARD, 1000)
  assert.deepEqual(await lapse(), [])
  clock = 2 * DAY
  assert.deepEqual(await lapse(), [`${BERNARDO} none `])
  clock = 3 * DAY
  assert.deepEqual(await lapse(), [`${FRANCISCO} subscribed 4`])
  assert.deepEqual(await lapse(), [])
  // renewed, it is told of again
  await service.setOptions(store, actor(FRANCISCO), {
    node: NODE,
    jid: FRANCISCO,
    options: { expire: 8 * DAY }
  })
  clock = 7 * DAY
  assert.deepEqual(await lapse(), [`${FRANCISCO} subscribed 8`])
  clock = 10 * DAY
  assert.deepEqual((await lapse()).sort(), [`${BARD} none `, `${FRANCISCO} none `])
  assert.deepEqual(store.due(clock), [])
})

test('what a definition does not name is not there, whatever the request says', async () => {
  const bench = await new Bench().node()
  const { service, store } = bench
  const request = { node: NODE, jid: FRANCISCO }
  const by = actor(FRANCISCO)
  await bench.subscribe(FRANCISCO)
  const feature = 'subscription-options'
  await bench.refuses(service.options(store, by, request), 'unsupported', { feature })
  await bench.refuses(service.setOptions(store, by, { ...request, options: {} }), 'unsupported', { feature })
  await bench.refuses(service.defaultOptions(store, by, {}), 'unsupported', { feature })
  const order = { by: 'creation', descending: false } as const
  await bench.refuses(service.items(store, by, { node: NODE, order }), 'orderNotSupported')
  await bench.refuses(
    service.publish(store, by, { node: 'another', item: { payload: entry() } }),
    'nodeNotFound'
  )
})

test('an outcome is announced in order', () => {
  const seen: string[] = []
  const notification = (node: string): Notification => ({
    node,
    recipients: [],
    type: 'normal',
    event: { kind: 'purge' }
  })
  const notifier = { notify: ({ node }: Notification) => void seen.push(node) }
  assert.equal(announce({ result: 1, notifications: [notification('a'), notification('b')] }, notifier), 1)
  assert.deepEqual(seen, ['a', 'b'])
})
