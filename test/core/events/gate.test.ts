import assert from 'node:assert/strict'
import test from 'node:test'
import { Gate } from '../../../core/events/gate'

test('what waits is let go in order, when the last closing ends', () => {
  const gate = new Gate()
  const ran: number[] = []
  gate.close()
  gate.close()
  for (const n of [1, 2, 3]) gate.whenOpen(() => ran.push(n))
  gate.reopen()
  assert.deepEqual(ran, [])
  assert.ok(!gate.open)
  gate.reopen()
  assert.deepEqual(ran, [1, 2, 3])
  assert.ok(gate.open)
})

test('reopening an open gate changes nothing', () => {
  const gate = new Gate()
  gate.reopen()
  gate.close()
  assert.ok(!gate.open)
})

test('one that waits for the next opening as soon as it is let go is let go in the same opening', () => {
  const gate = new Gate()
  const ran: string[] = []
  gate.close()
  gate.whenOpen(() => {
    ran.push('first')
    gate.whenOpen(() => ran.push('third'))
  })
  gate.whenOpen(() => ran.push('second'))
  gate.reopen()
  assert.deepEqual(ran, ['first', 'second', 'third'])
})

test('one that fails keeps nobody else waiting', () => {
  const gate = new Gate()
  let ran = false
  gate.close()
  gate.whenOpen(() => {
    throw new Error('boom')
  })
  gate.whenOpen(() => (ran = true))
  assert.throws(() => gate.reopen(), AggregateError)
  assert.ok(ran)
  assert.ok(gate.open)
})
