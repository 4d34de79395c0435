import assert from 'node:assert/strict'
import test from 'node:test'
import { inbound, outbound, type State } from '../../../modules/lib_subscription'
import tables from '../../data/rfc6121-tables.json'

/** The rows of RFC 6121, appendix A, one test each. */

const TYPES = ['subscribe', 'unsubscribe', 'subscribed', 'unsubscribed'] as const

type StateName = keyof typeof tables.states

function stateOf(name: StateName): State {
  const given = tables.states[name] as {
    subscription: State['subscription']
    ask?: string
    pendingIn?: boolean
  }
  return {
    subscription: given.subscription,
    ask: given.ask === 'subscribe',
    pendingIn: given.pendingIn === true,
    approved: false
  }
}

const NAMES = Object.keys(tables.states) as StateName[]

for (const type of TYPES) {
  for (const name of NAMES) {
    test(`A.2: outbound ${type} in "${name}"`, () => {
      const row = (tables.outbound[type] as Record<string, { route: string; new: string; note?: number }>)[
        name
      ]
      assert.ok(row)
      const step = outbound(type, stateOf(name))
      // S.N. and M.N.: it is not routed
      assert.equal(step.route, row.route === 'MUST')
      const wanted =
        row.new === 'pre-approval' ? { ...stateOf(name), approved: true } : stateOf(row.new as StateName)
      assert.deepEqual(step.state, wanted)
    })

    test(`A.3: inbound ${type} in "${name}"`, () => {
      const row = (tables.inbound[type] as Record<string, { deliver: string; new: string; note?: number }>)[
        name
      ]
      assert.ok(row)
      const step = inbound(type, stateOf(name))
      assert.equal(step.deliver, row.deliver === 'MUST')
      assert.deepEqual(step.state, stateOf(row.new as StateName))
      const answers = type === 'subscribe' && row.note === 2 ? 'subscribed' : undefined
      const ends = type === 'unsubscribe' && row.note === 1 ? 'unsubscribed' : undefined
      assert.equal(step.answer, answers ?? ends)
    })
  }
}

test('§3.4.2: a request of somebody who was approved before is answered, not delivered', () => {
  const before: State = { subscription: 'none', ask: false, pendingIn: false, approved: true }
  const step = inbound('subscribe', before)
  assert.equal(step.deliver, false)
  assert.equal(step.answer, 'subscribed')
  assert.equal(step.state.subscription, 'from')
})

test('§3.4.3: unsubscribed takes a pre-approval back and is not routed', () => {
  const step = outbound('unsubscribed', { subscription: 'to', ask: false, pendingIn: false, approved: true })
  assert.equal(step.route, false)
  assert.deepEqual(step.state, { subscription: 'to', ask: false, pendingIn: false, approved: false })
})
