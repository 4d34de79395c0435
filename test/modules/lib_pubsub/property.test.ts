import test from 'node:test'
import assert from 'node:assert/strict'
import { agreesWithModel, type Subject } from './agreement'
import { MemoryStore } from './memory-store'

/** Does not roll back: the engine itself must leave everything as it was when it refuses. */
function inMemory(several: boolean): Promise<Subject> {
  const store = new MemoryStore(several)
  const subject: Subject = {
    unit: async work => {
      const before = store.dump()
      try {
        return await work(store)
      } catch (error) {
        assert.deepEqual(store.dump(), before, 'a refused request has no effect')
        throw error
      }
    },
    due: now => Promise.resolve({ subscriptions: store.due(now), nodes: store.dueNodes(now) })
  }
  return Promise.resolve(subject)
}

test('random requests by random people: the engine does what the model does', async () => {
  const seen = await agreesWithModel(inMemory, Number(process.env.RUNS ?? 300))
  // the sequences are worth something only if all operations succeed, and are refused, now and then
  for (const name of [
    'delete',
    'configure',
    'publish',
    'retract',
    'items',
    'subscribe',
    'options',
    'choose',
    'depart',
    'arrive',
    'sort',
    'wait',
    'decide',
    'affiliate',
    'enlist'
  ]) {
    assert.ok((seen.get(`${name} done`) ?? 0) > 20, `${name} succeeds`)
  }
  for (const name of [
    'publish nodeFull',
    'publish forbidden',
    'subscribe pendingSubscription',
    'items pageNotFound'
  ]) {
    assert.ok((seen.get(name) ?? 0) > 5, name)
  }
  // what needs several subscriptions of one address is rarer
  for (const name of [
    'subscribe notInRosterGroup',
    'items presenceSubscriptionRequired',
    'items notInRosterGroup',
    'create unsupportedAccessModel',
    'subscribe tooManySubscriptions',
    'subscribe presenceSubscriptionRequired',
    'choose invalidOptions',
    'choose optionsNotSubscribed',
    'unsubscribe subIdRequired',
    'unsubscribe invalidSubId',
    'items subIdRequired'
  ]) {
    assert.ok((seen.get(name) ?? 0) > 0, name)
  }
})
