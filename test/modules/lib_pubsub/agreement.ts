import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  defineService,
  initialConfig,
  PubsubError,
  PubsubService,
  standardFields,
  STANDARD_ACCESS,
  type Outcome,
  type Store
} from '../../../modules/lib_pubsub'
import { actor, entry, told } from './harness'
import { Model, type Aff, type Answer, type ModelConfig, type Op } from './model'

/** A store under test. */
export interface Subject {
  /** Runs one request in a write unit of its own; what it throws has no effect. */
  unit<T>(work: (store: Store) => Promise<T>): Promise<T>
  close?(): Promise<void>
}

const PAGE = 3
const MOST_ITEMS = 5

const people = ['a@x', 'b@x', 'c@x', 'd@y']
const jid = fc.constantFrom(...people, 'a@x/1', 'b@x/1', 'b@x/2')
const bareJid = fc.constantFrom(...people)
const node = fc.constantFrom('one', 'two')
const id = fc.constantFrom('p', 'q', 'r', 's', 't', 'u')
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

const config: fc.Arbitrary<Partial<ModelConfig>> = fc.record(
  {
    access_model: fc.constantFrom('open', 'authorize', 'whitelist'),
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
    send_last_published_item: fc.constantFrom('never', 'on_sub'),
    subscribe: fc.constantFrom(true, true, true, false)
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
      page: maybe(page)
    })
  },
  { weight: 12, arbitrary: fc.record({ op: fc.constant('subscribe' as const), jid }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('unsubscribe' as const), jid }) },
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
          { jid, state: fc.constantFrom('subscribed', 'subscribed', 'none', 'pending', 'unconfigured') },
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
    const own = (what.op === 'subscribe' || what.op === 'unsubscribe') && other > 0
    return { ...who, ...what, ...(own && { by: what.jid }) }
  })

const defaults = initialConfig(
  standardFields({ access: STANDARD_ACCESS, maxItems: MOST_ITEMS, maxPayload: 65536 })
) as unknown as ModelConfig

async function perform(
  service: PubsubService,
  store: Store,
  one: Op
): Promise<Outcome<unknown> & { fresh?: string }> {
  const by = actor(one.by)
  const { node } = one
  switch (one.op) {
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
      const { entries, count, first, last, index } = await service.items(store, by, one)
      const ids = entries.map(item => item.id)
      return { result: { ids, count, ...(first !== undefined && { first, last, index }) }, notifications: [] }
    }
    case 'subscribe':
    case 'unsubscribe': {
      const outcome = await service[one.op](store, by, one)
      return { ...outcome, result: outcome.result.state }
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
      const outcome = await service.changeSubscriptions(store, by, one)
      return { ...outcome, result: outcome.result.rejected.map(({ jid, state }) => [jid, state]) }
    }
  }
}

async function answer(
  service: PubsubService,
  subject: Subject,
  one: Op
): Promise<Answer & { fresh?: string }> {
  try {
    const { result, notifications, fresh } = await subject.unit(store => perform(service, store, one))
    const all = told({ result, notifications }).sort()
    return { value: result, told: all, ...(fresh !== undefined && { fresh }) }
  } catch (error) {
    if (!(error instanceof PubsubError)) throw error
    return { error: error.error, told: [] }
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
    subscriptions: subscriptions.map(one => [one.jid, one.state]),
    items: items.map(one => [one.id, one.publisher, one.payload])
  }
}

function modelState(model: Model, name: string): unknown {
  const node = model.nodes.get(name)
  if (!node) return model.redirects.get(name)
  return {
    config: node.config,
    affiliations: [...node.affiliations].sort(),
    subscriptions: node.subscriptions,
    items: node.items.map(one => [one.id, one.by, one.text === undefined ? undefined : entry(one.text).xml])
  }
}

/**
 * Random requests by random people: the engine on that store does what the model does, in results, errors,
 * recipients and in what is stored. Gives how often each operation came to what.
 */
export async function agreesWithModel(
  open: () => Promise<Subject>,
  numRuns: number
): Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  const sequences = fc.array(op, { minLength: 30, maxLength: 80, size: 'max' })
  const property = fc.asyncProperty(sequences, async ops => {
    const subject = await open()
    try {
      await compare(subject, ops, seen)
    } finally {
      await subject.close?.()
    }
  })
  await fc.assert(property, { numRuns, includeErrorInReport: true })
  return seen
}

async function compare(subject: Subject, ops: readonly Op[], seen: Map<string, number>): Promise<void> {
  let clock = 0
  let ids = 0
  const limits = { page: PAGE, maxItems: MOST_ITEMS }
  const service = new PubsubService(defineService({ limits, now: () => ++clock, newId: () => `id-${++ids}` }))
  const model = new Model(defaults, PAGE, MOST_ITEMS)
  const begin: Op[] = ['one', 'two'].map(name => ({ op: 'create', by: 'a@x', node: name, config: {} }))
  for (const one of [...begin, ...ops]) {
    const { fresh, ...got } = await answer(service, subject, one)
    assert.deepEqual(got, model.apply(one, fresh ?? '?'), JSON.stringify(one))
    for (const name of ['one', 'two']) {
      assert.deepEqual(await subject.unit(store => stateOf(store, name)), modelState(model, name))
    }
    const outcome = `${one.op} ${got.error ?? 'done'}`
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
  }
}
