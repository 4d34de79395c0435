import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  bareOf,
  DEFAULT_OPTIONS,
  defineService,
  initialConfig,
  PubsubError,
  PubsubService,
  rosterAccess,
  standardFields,
  STANDARD_ACCESS,
  type ContactList,
  type Notification,
  type Outcome,
  type Store
} from '../../../modules/lib_pubsub'
import { actor, entry, messages } from './harness'
import {
  Model,
  type Aff,
  type Answer,
  type ModelConfig,
  type ModelContact,
  type ModelService,
  type Op,
  type Which
} from './model'

/** A store under test. */
export interface Subject {
  /** Runs one request in a write unit of its own; what it throws has no effect. */
  unit<T>(work: (store: Store) => Promise<T>): Promise<T>
  /** What is due: subscriptions by node, and nodes with items. */
  due(now: number): Promise<{ subscriptions: { node: string; jid: string; key: number }[]; nodes: string[] }>
  close?(): Promise<void>
}

const PAGE = 3
const MOST_ITEMS = 5
const ATOM = 'http://www.w3.org/2005/Atom'
const PRESENT = ['a@x', 'a@x/1', 'b@x', 'b@x/1']
const AWAKE = ['a@x', 'a@x/1', 'b@x', 'b@x/2', 'c@x']

/** Services are made up in different ways; the plain one has nothing of what is new. */
const made = fc.record({
  /** Whether one of the nodes begins with what goes by rosters and presence. */
  byRoster: fc.boolean(),
  several: fc.boolean(),
  perAddress: fc.constant(2),
  longestLease: fc.constantFrom(10_000, 1_000_000),
  reminder: fc.constantFrom(1000, 3000),
  leaseRequired: fc.constantFrom(false, false, true),
  patience: fc.constant(5000)
})

const people = ['a@x', 'b@x', 'c@x', 'd@y']
const jid = fc.constantFrom(...people, 'a@x/1', 'b@x/1', 'b@x/2')
/** One of them comes again and again, so that some address has several subscriptions. */
const subscriber = fc.oneof({ weight: 1, arbitrary: fc.constant('b@x') }, { weight: 2, arbitrary: jid })
const bareJid = fc.constantFrom(...people)
const node = fc.constantFrom('one', 'two')
const id = fc.constantFrom('p', 'q', 'r', 's', 't', 'u')
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

const config: fc.Arbitrary<Partial<ModelConfig>> = fc.record(
  {
    access_model: fc.constantFrom('open', 'presence', 'roster', 'authorize', 'whitelist'),
    roster_groups_allowed: fc.subarray(['friends', 'guards']),
    presence_based_delivery: fc.constantFrom(false, false, true),
    publish_model: fc.constantFrom('publishers', 'subscribers', 'open'),
    max_items: fc.constantFrom<(number | 'max')[]>('max', 1, 3, 4, 5),
    persist_items: fc.constantFrom(true, true, true, false),
    deliver_payloads: fc.boolean(),
    deliver_notifications: fc.constantFrom(true, true, false),
    notify_retract: fc.boolean(),
    notify_delete: fc.boolean(),
    notify_config: fc.boolean(),
    notify_sub: fc.boolean(),
    publish_node_full: fc.constantFrom('retract-oldest', 'discard-oldest', 'reject'),
    send_last_published_item: fc.constantFrom('never', 'on_sub', 'on_sub_and_presence'),
    subscribe: fc.constantFrom(true, true, true, false),
    type: fc.constantFrom('', ATOM),
    tempsub: fc.constantFrom(false, false, false, true),
    item_expire: fc.constantFrom<(number | 'max')[]>('max', 'max', 1, 5)
  },
  { requiredKeys: [] }
)

const affiliation = fc.constantFrom<Aff[]>('owner', 'publisher', 'publish-only', 'member', 'none', 'outcast')
const max = fc.integer({ min: 0, max: 6 })
const page = fc.oneof(
  { weight: 2, arbitrary: fc.record({ max, after: id }, { requiredKeys: ['after'] }) },
  { weight: 2, arbitrary: fc.record({ max, before: id }, { requiredKeys: ['before'] }) },
  { weight: 1, arbitrary: fc.record({ max, before: fc.constant('') }, { requiredKeys: ['before'] }) },
  { weight: 1, arbitrary: fc.record({ max, index: max }, { requiredKeys: ['index'] }) },
  { weight: 1, arbitrary: fc.record({ max }) },
  { weight: 1, arbitrary: fc.record({ max, after: id, before: id, index: max }, { requiredKeys: [] }) }
)

/** Leases in milliseconds from now on. */
const choice = fc.record(
  {
    deliver: fc.boolean(),
    include_body: fc.boolean(),
    expire: fc.oneof(
      fc.constantFrom('presence' as const, 'never' as const),
      fc.constantFrom(-1, 0, 1, 1500, 4000, 8000, 500_000)
    )
  },
  { requiredKeys: [] }
)
const which = fc.constantFrom<Which[]>(0, 0, 1, 2, 'nonsense')
const order = fc.record({
  by: fc.constantFrom('creation' as const, 'modification' as const),
  descending: fc.boolean()
})

const publish = fc.record({
  op: fc.constant('publish' as const),
  item: fc.oneof(
    { weight: 9, arbitrary: fc.record({ id, text: fc.constantFrom('x', 'y') }) },
    { weight: 2, arbitrary: fc.record({ id, text: fc.string() }, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.constant(undefined) }
  )
})

const action = fc.oneof(
  { weight: 1, arbitrary: fc.record({ op: fc.constant('create' as const), config }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('delete' as const), redirect: maybe(fc.constant('xmpp:z')) })
  },
  { weight: 8, arbitrary: fc.record({ op: fc.constant('configure' as const), config }) },
  { weight: 24, arbitrary: publish },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('retract' as const),
      ids: fc.oneof({ weight: 4, arbitrary: id.map(one => [one]) }, fc.array(id, { maxLength: 2 })),
      notify: fc.boolean()
    })
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('purge' as const) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      op: fc.constant('items' as const),
      maxItems: maybe(fc.integer({ min: 0, max: 6 })),
      page: maybe(page),
      order: maybe(order),
      which: maybe(which)
    })
  },
  {
    weight: 18,
    arbitrary: fc.record({ op: fc.constant('subscribe' as const), jid: subscriber, choice: maybe(choice) })
  },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant('unsubscribe' as const), jid: subscriber, which: maybe(which) })
  },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant('options' as const), jid: subscriber, which: maybe(which) })
  },
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constant('choose' as const), jid: subscriber, which: maybe(which), choice })
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('depart' as const), jid }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('arrive' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('sort' as const),
      contact: bareJid,
      entry: fc.record({
        subscription: fc.constantFrom('none' as const, 'to' as const, 'from' as const, 'both' as const),
        groups: fc.subarray(['friends', 'guards', 'enemies'])
      }),
      heard: fc.boolean()
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.constantFrom(0, 500, 1000, 2000, 6000) })
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('decide' as const), jid, allow: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('affiliate' as const),
      changes: fc.array(
        fc.record(
          { jid: fc.oneof({ weight: 9, arbitrary: bareJid }, jid), affiliation },
          { requiredKeys: ['jid'] }
        ),
        { maxLength: 3 }
      )
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('enlist' as const),
      changes: fc.array(
        fc.record(
          {
            jid,
            state: fc.constantFrom('subscribed', 'subscribed', 'none', 'pending', 'unconfigured'),
            which
          },
          { requiredKeys: ['jid'] }
        ),
        { maxLength: 3 }
      )
    })
  }
)

// the owner of both nodes acts in half of the cases, so that something happens
const op: fc.Arbitrary<Op> = fc
  .tuple(
    fc.record({ by: fc.oneof({ weight: 2, arbitrary: fc.constant('a@x/1') }, jid), node }),
    action,
    fc.nat(9)
  )
  .map(([who, what, other]) => {
    const own = ['subscribe', 'unsubscribe', 'options', 'choose'].includes(what.op) && other > 0
    return { ...who, ...what, ...(own && 'jid' in what && { by: what.jid }) }
  })

const isAvailable = (): boolean => true
const isReachable = (jid: string): boolean => jid.endsWith('@x')

const defaults = initialConfig(
  standardFields({
    access: { ...STANDARD_ACCESS, ...rosterAccess({ isAvailable, isReachable, rosterOf: () => undefined }) },
    maxItems: MOST_ITEMS,
    maxPayload: 65536,
    tempsub: true,
    presence: true
  })
) as unknown as ModelConfig

const BY_ROSTER: Partial<ModelConfig> = {
  access_model: 'roster',
  roster_groups_allowed: ['friends'],
  send_last_published_item: 'on_sub_and_presence'
}

type RosterMap = Map<string, Map<string, ModelContact>>
const NOBODY: ContactList = new Map()

/** One request to the engine. */
interface Call {
  service: PubsubService
  store: Store
  /** The numbers that the model gives to subscriptions. */
  names: Map<string, number>
  rosters: RosterMap
}

async function perform(
  { service, store, names, rosters }: Call,
  one: Op
): Promise<Outcome<unknown> & { fresh?: string }> {
  const by = actor(one.by)
  const { node } = one
  const several = service.definition.multiSubscribe
  /** The SubID of one of an address's subscriptions. */
  const named = async ({ jid, which }: { jid: string; which?: Which }): Promise<{ subId?: string }> => {
    if (!several || which === undefined) return {}
    const there = await store.node(node)
    const own = there ? await store.subscriptions(there, bareOf(jid)) : []
    const mine = own.filter(other => other.jid === jid)
    return { subId: which === 'nonsense' ? 'nonsense' : String(mine[which]?.key ?? 'nonsense') }
  }
  const mark = (subId: string | undefined): string => {
    if (subId === undefined) return ''
    // numbered as they come
    if (!names.has(subId)) names.set(subId, names.size + 1)
    return `#${names.get(subId)}`
  }
  switch (one.op) {
    case 'wait':
      throw new Error('time is not the engine’s')
    case 'arrive':
      return { ...(await service.arrive(store, by, one)), result: undefined }
    case 'sort': {
      const roster = rosters.get(by.bare) ?? new Map<string, ModelContact>()
      rosters.set(by.bare, roster.set(one.contact, one.entry))
      const notifications: Notification[] = []
      for (const name of one.heard ? ['one', 'two'] : []) {
        const there = await store.node(name)
        if (!there || !['presence', 'roster'].includes(there.config.access_model)) continue
        if ((await store.affiliation(there, by.bare)) !== 'owner') continue
        const request = { node: name, jid: one.contact }
        notifications.push(...(await service.reconsider(store, by, request)).notifications)
      }
      return { result: undefined, notifications }
    }
    case 'depart':
      return { ...(await service.depart(store, by, one)), result: undefined }
    case 'options': {
      const { options } = await service.options(store, by, { node, jid: one.jid, ...(await named(one)) })
      return { result: options, notifications: [] }
    }
    case 'choose': {
      const request = { node, jid: one.jid, ...(await named(one)), options: one.choice }
      const outcome = await service.setOptions(store, by, request)
      return { ...outcome, result: outcome.result.state + mark(outcome.result.subId) }
    }
    case 'create':
      return { ...(await service.create(store, by, one)), result: undefined }
    case 'delete':
      return { ...(await service.delete(store, by, one)), result: undefined }
    case 'configure':
      return { ...(await service.configure(store, by, one)), result: undefined }
    case 'publish': {
      const { id, text } = one.item ?? {}
      const item = one.item && {
        ...(id !== undefined && { id }),
        ...(text !== undefined && { payload: entry(text) })
      }
      const outcome = await service.publish(store, by, { node, ...(item && { item }) })
      const made = outcome.result.id
      return { ...outcome, result: made, ...(made !== undefined && { fresh: made }) }
    }
    case 'retract':
      return { ...(await service.retract(store, by, one)), result: undefined }
    case 'purge':
      return { ...(await service.purge(store, by, one)), result: undefined }
    case 'items': {
      const { which, ...asked } = one
      const subId = await named({ jid: by.bare, ...(which !== undefined && { which }) })
      const request = { ...asked, ...subId }
      const { entries, count, first, last, index } = await service.items(store, by, request)
      const ids = entries.map(item => item.id)
      return { result: { ids, count, ...(first !== undefined && { first, last, index }) }, notifications: [] }
    }
    case 'subscribe': {
      const { jid, choice } = one
      const outcome = await service.subscribe(store, by, { node, jid, ...(choice && { options: choice }) })
      return { ...outcome, result: outcome.result.state + mark(outcome.result.subId) }
    }
    case 'unsubscribe': {
      const outcome = await service.unsubscribe(store, by, { node, jid: one.jid, ...(await named(one)) })
      return { ...outcome, result: outcome.result.state + mark(outcome.result.subId) }
    }
    case 'decide': {
      const outcome = await service.decide(store, by, one)
      return { ...outcome, result: outcome.result.state }
    }
    case 'affiliate': {
      const outcome = await service.changeAffiliations(store, by, one)
      return { ...outcome, result: outcome.result.rejected.map(({ jid, affiliation }) => [jid, affiliation]) }
    }
    case 'enlist': {
      const changes = []
      for (const { which: _, ...change } of one.changes) {
        changes.push({ ...change, ...(await named({ ...change, ...(_ !== undefined && { which: _ }) })) })
      }
      const outcome = await service.changeSubscriptions(store, by, { node, changes })
      const { rejected } = outcome.result
      return { ...outcome, result: rejected.map(({ jid, state, subId }) => [jid, state + mark(subId)]) }
    }
  }
}

interface Trial {
  service: PubsubService
  subject: Subject
  names: Map<string, number>
  rosters: RosterMap
}

async function answer(
  { service, subject, names, rosters }: Trial,
  one: Op,
  now: number
): Promise<Answer & { fresh?: string }> {
  try {
    const { result, notifications, fresh } =
      one.op === 'wait'
        ? await pass(service, subject, now)
        : await subject.unit(store => perform({ service, store, names, rosters }, one))
    await subject.unit(store => nameAll(store, names))
    const all = messages({ result, notifications }, subId => String(names.get(subId))).sort()
    return { value: result, told: all, ...(fresh !== undefined && { fresh }) }
  } catch (error) {
    if (!(error instanceof PubsubError)) throw error
    return { error: error.error, told: [] }
  }
}

/** Looks at what is due, as whoever sweeps does. */
async function pass(
  service: PubsubService,
  subject: Subject,
  now: number
): Promise<Outcome<undefined> & { fresh?: string }> {
  const self = actor('pubsub')
  const notifications: Notification[] = []
  const { subscriptions, nodes } = await subject.due(now)
  for (const due of subscriptions) {
    notifications.push(...(await subject.unit(store => service.lapse(store, self, due))).notifications)
  }
  for (const node of nodes) {
    notifications.push(
      ...(await subject.unit(store => service.expireItems(store, self, { node }))).notifications
    )
  }
  return { result: undefined, notifications }
}

/** Subscriptions are numbered in the order in which they were made. */
async function nameAll(store: Store, names: Map<string, number>): Promise<void> {
  const keys: number[] = []
  for (const name of ['one', 'two']) {
    const node = await store.node(name)
    if (!node) continue
    const { rows } = await store.subscriptionsTo(node, { limit: 1000 }, [
      'subscribed',
      'pending',
      'unconfigured'
    ])
    keys.push(...rows.map(row => row.key))
  }
  for (const key of keys.sort((a, b) => a - b)) {
    if (!names.has(String(key))) names.set(String(key), names.size + 1)
  }
}

/** What is stored, for both. */
async function stateOf(store: Store, name: string): Promise<unknown> {
  const node = await store.node(name)
  if (!node) return await store.redirectOf(name)
  const all = { limit: 1000 }
  const states = ['subscribed', 'pending', 'unconfigured'] as const
  const { rows: affiliations } = await store.affiliations(node, all)
  const { rows: subscriptions } = await store.subscriptionsTo(node, all, states)
  const items = await store.items(node, all)
  assert.equal(node.itemCount, items.length)
  return {
    config: Object.fromEntries(Object.keys(defaults).map(key => [key, node.config[key]])),
    affiliations: affiliations.map(one => [one.jid, one.affiliation]).sort(),
    subscriptions: subscriptions.map(one => [one.jid, one.state, one.options ?? DEFAULT_OPTIONS]),
    items: items.map(one => [one.id, one.publisher, one.payload])
  }
}

function modelState(model: Model, name: string): unknown {
  const node = model.nodes.get(name)
  if (!node) return model.redirects.get(name)
  return {
    config: node.config,
    affiliations: [...node.affiliations].sort(),
    subscriptions: node.subscriptions.map(one => [one.jid, one.state, one.choice]),
    items: node.items.map(one => [one.id, one.by, one.text === undefined ? undefined : entry(one.text).xml])
  }
}

/**
 * Random requests by random people: the engine on that store does what the model does, in results, errors,
 * recipients and in what is stored. Gives how often each operation came to what.
 */
export async function agreesWithModel(
  open: (several: boolean) => Promise<Subject>,
  numRuns: number
): Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  const sequences = fc.array(op, { minLength: 30, maxLength: 80, size: 'max' })
  const property = fc.asyncProperty(made, sequences, async (service, ops) => {
    const subject = await open(service.several)
    try {
      await compare(subject, service, ops, seen)
    } finally {
      await subject.close?.()
    }
  })
  await fc.assert(property, { numRuns, includeErrorInReport: true })
  return seen
}

async function compare(
  subject: Subject,
  parts: Omit<ModelService, 'present' | 'awake' | 'reachable' | 'now'> & { byRoster: boolean },
  ops: readonly Op[],
  seen: Map<string, number>
): Promise<void> {
  let clock = 1_000_000
  let ids = 0
  const present = (jid: string): boolean => PRESENT.includes(jid)
  const awake = (jid: string): boolean => AWAKE.includes(jid)
  const rosters: RosterMap = new Map()
  const now = (): number => clock
  const { several, perAddress, byRoster, ...options } = parts
  const service = new PubsubService(
    defineService({
      limits: { page: PAGE, maxItems: MOST_ITEMS, perAddress },
      multiSubscribe: several,
      orderItems: true,
      access: {
        ...STANDARD_ACCESS,
        ...rosterAccess({ isAvailable, isReachable, rosterOf: jid => rosters.get(jid) ?? NOBODY })
      },
      presence: { isAvailable: awake },
      options: { ...options, isPresent: present, hasBody: type => type !== '' },
      now,
      newId: () => `id-${++ids}`
    })
  )
  const model = new Model(defaults, PAGE, MOST_ITEMS, {
    ...parts,
    present,
    awake,
    reachable: isReachable,
    now
  })
  const names = new Map<string, number>()
  const begin: Op[] = [{ op: 'create', by: 'a@x', node: 'one', config: byRoster ? BY_ROSTER : {} }]
  begin.push({ op: 'create', by: 'a@x', node: 'two', config: {} })
  for (const drawn of [...begin, ...ops]) {
    clock += drawn.op === 'wait' ? drawn.ms : 10
    const one = dated(drawn, clock)
    const { fresh, ...got } = await answer({ service, subject, names, rosters }, one, clock)
    assert.deepEqual(got, model.apply(one, fresh ?? '?'), JSON.stringify(one))
    for (const name of ['one', 'two']) {
      assert.deepEqual(await subject.unit(store => stateOf(store, name)), modelState(model, name))
    }
    const outcome = `${one.op} ${got.error ?? 'done'}`
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
  }
}

/** A lease from now on, as a moment. */
function dated(one: Op, clock: number): Op {
  if (!('choice' in one) || typeof one.choice?.expire !== 'number') return one
  return { ...one, choice: { ...one.choice, expire: clock + one.choice.expire } }
}
